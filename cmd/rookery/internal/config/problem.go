package config

import (
	"strconv"
	"strings"
)

// Problem is one thing wrong with a configuration.
type Problem struct {
	File string // "" when it is not about a file
	Line int    // 0: not known
	Env  string // the variable, when the value came from one
	Key  string // "" when the file as a whole is meant
	Text string // what is wrong and what was expected
}

// String returns the problem in one line: where, which key, what.
func (p Problem) String() string {
	var b strings.Builder
	if p.Env != "" {
		b.WriteString(p.Env)
	} else if p.File != "" {
		b.WriteString(p.File)
		if p.Line > 0 {
			b.WriteString(":" + strconv.Itoa(p.Line))
		}
	}
	if p.Key != "" {
		if b.Len() > 0 {
			b.WriteString(": ")
		}
		b.WriteString(p.Key)
	}
	return b.String() + ": " + p.Text
}

// Problems is everything wrong with a configuration.
type Problems struct{ List []Problem }

func (p *Problems) add(q Problem) { p.List = append(p.List, q) }

// Error returns one line for each problem.
func (p *Problems) Error() string {
	lines := make([]string, len(p.List))
	for i, q := range p.List {
		lines[i] = q.String()
	}
	return strings.Join(lines, "\n")
}
