package sieve

import "context"

// Options says how a script is compiled.
type Options struct {
	// Name is the script's name, for messages about it and against scripts that include themselves: it must differ between
	// different scripts of one run, for instance "personal/holiday".
	Name string

	// Extensions are the capabilities that the script may require; nil means all of Extensions().
	Extensions []string

	// Limits bounds the compilation, and the run when the script is the first of it.
	Limits Limits
}

// Script is a compiled script. It is immutable and may run in several goroutines at once.
type Script struct {
	name     string
	limits   Limits
	commands []command
	required map[extension]bool // what require names, and what that implies
	allowed  map[extension]bool // what ihave finds
	requires []string
	warnings []Problem
}

// Compile reads a script. A script that is wrong yields a *CompileError with every problem found; there is no other error.
func Compile(source string, opts Options) (*Script, error) {
	limits := opts.Limits.withDefaults()
	nodes, err := parse(source, limits)
	if err != nil {
		return nil, &CompileError{[]Problem{err.(*syntaxError).Problem}} //nolint:errorlint // parse returns no other
	}
	c := &compiler{
		script: &Script{name: opts.Name, limits: limits, required: map[extension]bool{}, allowed: extensionSet(opts.Extensions)},
		limits: limits,
	}
	c.script.commands = c.commands(c.requirements(nodes))
	if len(c.problems) > 0 {
		return nil, &CompileError{c.problems}
	}
	return c.script, nil
}

// Name returns Options.Name.
func (s *Script) Name() string { return s.name }

// Warnings returns what is doubtful in the script though it compiles.
func (s *Script) Warnings() []Problem { return s.warnings }

// Requires returns the capabilities the script requires, in its order.
func (s *Script) Requires() []string { return s.requires }

// Run runs the script on a message. The Result is complete when the error is nil; a Failure in it is the script's own fault.
// An error means that the host or the message's reader had trouble or that ctx ended; it carries the kind of the host's error.
func (s *Script) Run(ctx context.Context, host Host, in Input) (*Result, error) {
	return RunAll(ctx, host, in, s)
}
