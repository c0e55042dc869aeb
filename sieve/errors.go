package sieve

import (
	"errors"
	"fmt"
	"strings"
)

// Pos is a place in a script; the first line and the first column are 1, columns count characters. The zero Pos is no
// place.
type Pos struct{ Line, Column int }

// String returns "line 3, column 5".
func (p Pos) String() string { return fmt.Sprintf("line %d, column %d", p.Line, p.Column) }

// Problem is one thing wrong, or doubtful, with a script.
type Problem struct {
	Pos  Pos
	Text string // in a person's words, one line, without the position
}

// String returns the problem with its position.
func (p Problem) String() string {
	if p.Pos == (Pos{}) {
		return p.Text
	}
	return p.Pos.String() + ": " + p.Text
}

// CompileError is what Compile returns for a script that is wrong: every problem found, in the order of the script. Their
// number is bounded.
type CompileError struct{ Problems []Problem }

// maxProblems is how many problems a CompileError lists.
const maxProblems = 20

// Error returns the problems, one a line.
func (e *CompileError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Failure is a script's own fault at run time. The message has been kept; the script's owner should be told.
type Failure struct {
	Script string // Options.Name of the script
	Pos    Pos
	Text   string
}

// Error returns the failure with its script and position.
func (f *Failure) Error() string {
	text := Problem{f.Pos, f.Text}.String()
	if f.Script != "" {
		return f.Script + ": " + text
	}
	return text
}

// asFailure returns err as a *Failure, nil when it is another error.
func asFailure(err error) *Failure {
	var f *Failure
	if errors.As(err, &f) {
		return f
	}
	return nil
}
