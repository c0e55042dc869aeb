package config

import (
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Example returns a configuration file with every key, its default, what it is for and its environment variable.
func Example() string {
	var b strings.Builder
	b.WriteString("# Rookery's configuration: every key with its default. A key may be left out. Each key may also be given as an\n" +
		"# environment variable, which goes before this file.\n")
	section := ""
	for _, k := range keys {
		name := k.name
		if i := strings.LastIndexByte(name, '.'); i >= 0 {
			if name[:i] != section {
				section = name[:i]
				b.WriteString("\n[" + section + "]\n")
			}
			name = name[i+1:]
		}
		b.WriteString("\n")
		for _, line := range strings.Split(k.doc, "\n") {
			b.WriteString("# " + line + "\n")
		}
		b.WriteString("# " + k.env() + "\n" + name + " = " + k.def + "\n")
	}
	return b.String()
}

// defaultValue returns the default as TOML would be read.
func (k key) defaultValue() any {
	var doc map[string]any
	if err := toml.Unmarshal([]byte("v = "+k.def), &doc); err != nil {
		panic("config: default of " + k.name + ": " + err.Error())
	}
	return doc["v"]
}
