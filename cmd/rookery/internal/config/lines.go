package config

import (
	"bytes"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// keyLines returns the line each key of a TOML document stands in. The document has been parsed before: what cannot be read
// here only lacks its line.
func keyLines(data []byte) map[string]int {
	lines := make(map[string]int)
	var p unstable.Parser
	p.Reset(data)
	var section []string
	for p.NextExpression() {
		e := p.Expression()
		var parts []string
		line := 0
		for it := e.Key(); it.Next(); {
			n := it.Node()
			parts = append(parts, string(n.Data))
			if line == 0 {
				line = 1 + bytes.Count(data[:n.Raw.Offset], []byte("\n"))
			}
		}
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			section = parts
			lines[strings.Join(parts, ".")] = line
		case unstable.KeyValue:
			name := strings.Join(append(append([]string(nil), section...), parts...), ".")
			lines[name] = line
			inlineLines(lines, name, line, e.Value())
		default:
		}
	}
	return lines
}

// inlineLines gives the keys of an inline table the line of the key it belongs to.
func inlineLines(lines map[string]int, name string, line int, v *unstable.Node) {
	if v == nil || v.Kind != unstable.InlineTable {
		return
	}
	for it := v.Children(); it.Next(); {
		kv := it.Node()
		full := name
		for k := kv.Key(); k.Next(); {
			full += "." + string(k.Node().Data)
		}
		lines[full] = line
		inlineLines(lines, full, line, kv.Value())
	}
}
