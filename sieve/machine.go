package sieve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// bytesPerStep is how many bytes compared or copied count as a step of Limits.Steps.
const bytesPerStep = 64

// The control errors: they end a block without anything being wrong.
var (
	errStop   = errors.New("stop")
	errReturn = errors.New("return")
)

// breakError ends the foreverypart loop of a name, "" the innermost one.
type breakError struct{ name string }

func (e *breakError) Error() string { return "break" }

// machine is a run of one script, and of the scripts it includes.
type machine struct {
	ctx     context.Context //nolint:containedctx // a machine lives as long as one call of RunAll
	host    Host
	in      *Input
	limits  Limits
	script  *Script // the one that runs now
	frame   *frame
	pos     Pos       // of the command that runs now
	started time.Time // of the run, see now
	doc     *document
	loops   []*loop // foreverypart loops around, the innermost last
	view    *part   // that a script included from such a loop takes for the message; nil for the message itself

	steps       int // that are left
	actions     []Action
	scriptStart int      // of actions: those of the script that runs now begin here
	keeps       bool     // the implicit keep is in effect
	keep        *Keep    // an explicit keep
	flags       []string // the internal variable of imap4flags (RFC 5232 section 2)

	redirects, notifications, edits, replacements, includes int

	reject   *Reject
	answered bool   // a vacation ran, whether or not it answers
	noAnswer string // why it does not

	globals    map[string]string // variables of RFC 6609 section 3.4
	included   map[string]bool
	stack      []*Script // the scripts including one another
	duplicates []DuplicateMark
	regexes    map[regexKey]*compiledRegex
	bodyBytes  int64 // that may still be read
	lists      map[string]knownList
}

type regexKey struct {
	source     string
	comparator comparator
}

// frame is the scope of one script.
type frame struct {
	variables map[string]string
	global    map[string]bool // names declared by "global"
	captures  []string        // match variables
	available map[extension]bool
}

func newFrame(s *Script) *frame {
	f := &frame{available: s.required}
	return f
}

// failf returns a Failure of the script that runs now.
func (vm *machine) failf(pos Pos, format string, args ...any) error {
	if pos == (Pos{}) {
		pos = vm.pos
	}
	return &Failure{Script: vm.script.name, Pos: pos, Text: fmt.Sprintf(format, args...)}
}

// charge takes n steps off the budget.
func (vm *machine) charge(n int) error {
	before := vm.steps
	vm.steps -= n
	if vm.steps < 0 {
		return vm.failf(vm.pos, "the script takes too long: it used up its %d steps", vm.limits.Steps)
	}
	if before>>10 != vm.steps>>10 { // now and then
		if err := vm.ctx.Err(); err != nil {
			return hostError("Run", err)
		}
	}
	return nil
}

// block runs commands in order.
func (vm *machine) block(commands []command) error {
	for _, c := range commands {
		if err := c.run(vm); err != nil {
			return err
		}
	}
	return nil
}

// capture adds a match variable; the first is ${0}.
func (vm *machine) capture(s string) {
	vm.frame.captures = append(vm.frame.captures, cutString(s, vm.limits.VariableSize))
}

// lookup returns the value of a variable, "" when it is not set.
func (vm *machine) lookup(p *textPart) string {
	if p.index >= 0 {
		if p.index < len(vm.frame.captures) {
			return vm.frame.captures[p.index]
		}
		return ""
	}
	return vm.variable(p.name)
}

// regex compiles a regular expression that was not known before.
func (vm *machine) regex(source string, cmp comparator) (*compiledRegex, error) {
	key := regexKey{source, cmp}
	if re, ok := vm.regexes[key]; ok {
		return re, nil
	}
	if err := vm.charge(10 + len(source)); err != nil {
		return nil, err
	}
	re, err := compileRegex(source, cmp, vm.limits)
	if err != nil {
		return nil, err
	}
	if err := vm.charge(re.size); err != nil {
		return nil, err
	}
	if len(vm.regexes) >= 16 {
		clear(vm.regexes)
	}
	if vm.regexes == nil {
		vm.regexes = map[regexKey]*compiledRegex{}
	}
	vm.regexes[key] = re
	return re, nil
}

// origin is where the command that runs now stands.
func (vm *machine) origin() Origin { return Origin{vm.script.name, vm.pos} }

// add appends an action.
func (vm *machine) add(a Action) error {
	if len(vm.actions) >= vm.limits.Actions {
		return vm.failf(vm.pos, "the script asks for more than %d actions", vm.limits.Actions)
	}
	vm.actions = append(vm.actions, a)
	return nil
}

// makeAvailable notes that ihave found an extension.
func (vm *machine) makeAvailable(ext extension) {
	if vm.frame.available[ext] {
		return
	}
	available := make(map[extension]bool, len(vm.frame.available)+1)
	for e := range vm.frame.available {
		available[e] = true
	}
	available[ext] = true
	for _, implied := range impliedBy[ext] {
		available[implied] = true
	}
	vm.frame.available = available
}

// RunAll runs scripts one after another, an administrator's before and after the user's for instance. The next one runs only
// while the message is to be kept: when the one before it ended with its implicit keep in effect, or with a keep command.
// What it keeps is then decided by the next one; edits of the message and flags of the keep stay. The limits are those of the
// first script, for all of them together.
//
// When a script fails, what the scripts before it did stands, what it did itself is dropped, the message is kept, and no
// further script runs.
func RunAll(ctx context.Context, host Host, in Input, scripts ...*Script) (*Result, error) {
	limits := DefaultLimits
	if len(scripts) > 0 {
		limits = scripts[0].limits
	}
	total := &Result{}
	vm := &machine{ctx: ctx, host: host, in: &in, limits: limits, steps: limits.Steps, bodyBytes: limits.TotalBodyBytes}
	vm.doc = newDocument(vm, originalMessage(in.Message, in.Size))
	vm.flags = slices.Clone(in.Flags)
	keep := &Keep{Implicit: true, Flags: vm.flags}
	for _, s := range scripts {
		before := *vm
		beforeMessage, err := vm.doc.message()
		if err != nil {
			return nil, err
		}
		failure, err := vm.runScript(s)
		if err != nil {
			return nil, err
		}
		if failure != nil {
			steps := vm.steps
			*vm = before
			vm.steps, vm.doc = steps, newDocument(vm, beforeMessage)
			total.Failure = failure
			keep = &Keep{Implicit: true, Flags: keep.Flags}
			break
		}
		keep = vm.keep
		if keep == nil && vm.keeps {
			keep = &Keep{Implicit: true, Flags: slices.Clone(vm.flags)}
		}
		if keep == nil {
			break
		}
		vm.flags = slices.Clone(keep.Flags)
	}
	return vm.result(total, keep)
}

// applicable refuses a script that answers deliveries when an IMAP event starts it (RFC 6785 section 3.11).
func (vm *machine) applicable() error {
	if vm.in.Event == nil {
		return nil
	}
	for _, ext := range []extension{extReject, extEreject, extVacation} {
		if vm.script.required[ext] || vm.frame.available[ext] {
			pos := vm.pos
			if pos == (Pos{}) {
				pos = Pos{1, 1}
			}
			return vm.failf(pos, "%q cannot be used when an IMAP event starts the script", ext)
		}
	}
	return nil
}

// runScript runs one script of a sequence.
func (vm *machine) runScript(s *Script) (*Failure, error) {
	vm.script, vm.frame, vm.pos = s, newFrame(s), Pos{}
	vm.keeps, vm.keep, vm.loops, vm.view = true, nil, nil, nil
	vm.actions = slices.Clone(vm.actions)
	vm.scriptStart, vm.reject, vm.answered = len(vm.actions), nil, false
	vm.globals, vm.included, vm.stack = nil, nil, []*Script{s}
	err := vm.applicable()
	if err == nil {
		err = vm.block(s.commands)
	}
	if err == nil || errors.Is(err, errStop) || errors.Is(err, errReturn) {
		return nil, nil
	}
	if f := asFailure(err); f != nil {
		return f, nil
	}
	return nil, err
}

// result completes a Result.
func (vm *machine) result(r *Result, keep *Keep) (*Result, error) {
	m, err := vm.doc.message()
	if err != nil {
		return nil, err
	}
	r.Message, r.Duplicates, r.NoAnswer, r.Steps = m, vm.duplicates, vm.noAnswer, vm.limits.Steps-max(vm.steps, 0)
	delivered := false
	for _, a := range vm.actions {
		switch a := a.(type) {
		case *Discard:
			continue
		case *FileInto:
			if keep != nil && vm.in.Event == nil && sameMailbox(a, mailboxTarget{mailbox: "INBOX"}) {
				keep.Flags = mergeFlags(keep.Flags, a.Flags) // RFC 5228 section 2.10.3: once is enough
				continue
			}
			delivered = true
		case *Redirect, *Reject:
			delivered = true
		}
		r.Actions = append(r.Actions, a)
	}
	if keep != nil {
		if vm.in.Event != nil { // RFC 6785 section 3.1: what is stored already does not change
			keep.Message = originalMessage(vm.in.Message, vm.in.Size)
		} else if keep.Message == nil {
			keep.Message = m
		}
		r.Actions = append(r.Actions, keep)
		return r, nil
	}
	if !delivered {
		for _, a := range vm.actions {
			if d, ok := a.(*Discard); ok {
				r.Actions = append(r.Actions, d)
				break
			}
		}
	}
	return r, nil
}
