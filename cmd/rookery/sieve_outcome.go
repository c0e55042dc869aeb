package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rookery-mail/rookery/sieve"
)

// sieveAction is an action in "sieve test --json". Fields that an action does not have are left out.
type sieveAction struct {
	Action     string   `json:"action"`
	Script     string   `json:"script,omitempty"`
	Line       int      `json:"line,omitempty"` // 0: the implicit keep
	Mailbox    string   `json:"mailbox,omitempty"`
	MailboxID  string   `json:"mailbox_id,omitempty"`
	SpecialUse string   `json:"special_use,omitempty"`
	Create     bool     `json:"create,omitempty"`
	Copy       bool     `json:"copy,omitempty"`
	Flags      []string `json:"flags,omitempty"`
	To         string   `json:"to,omitempty"`
	List       string   `json:"list,omitempty"`
	Subject    string   `json:"subject,omitempty"`
	Text       string   `json:"text,omitempty"`
	Interval   string   `json:"interval,omitempty"`
	FCC        string   `json:"fcc,omitempty"`
}

func describeAction(a sieve.Action) sieveAction {
	script, pos := a.Position()
	d := sieveAction{Script: script, Line: pos.Line}
	switch a := a.(type) {
	case *sieve.Keep:
		d.Action, d.Mailbox, d.Flags = "keep", "INBOX", a.Flags
	case *sieve.FileInto:
		d.Action, d.Mailbox, d.MailboxID, d.SpecialUse = "fileinto", a.Mailbox, a.MailboxID, a.SpecialUse
		d.Create, d.Copy, d.Flags = a.Create, a.Copy, a.Flags
	case *sieve.Redirect:
		d.Action, d.To, d.List, d.Copy = "redirect", a.Address, a.List, a.Copy
	case *sieve.Reject:
		d.Action, d.To, d.Text = "reject", a.Sender, a.Reason
	case *sieve.Discard:
		d.Action = "discard"
	case *sieve.Vacation:
		d.Action, d.To, d.Subject, d.Text, d.Interval = "vacation", a.Recipient, a.Subject, a.Reason, a.Interval.String()
		d.FCC = fccMailbox(a.FCC)
	case *sieve.Notify:
		d.Action, d.To, d.Text, d.FCC = "notify", a.Method.String(), a.Text, fccMailbox(a.FCC)
	}
	return d
}

func fccMailbox(f *sieve.FCC) string {
	if f == nil {
		return ""
	}
	return f.Mailbox
}

// line returns the action in words.
func (d sieveAction) line() string {
	words := []string{d.Action}
	add := func(when bool, format string, args ...any) {
		if when {
			words = append(words, fmt.Sprintf(format, args...))
		}
	}
	add(d.Mailbox != "" && d.Action == "fileinto", "%q", d.Mailbox)
	add(d.MailboxID != "", "id %s", d.MailboxID)
	add(d.SpecialUse != "", "use %s", d.SpecialUse)
	add(d.To != "", "to %s", d.To)
	add(d.List != "", "of the list %q", d.List)
	add(d.Copy, "as a copy")
	add(d.Create, "making it if need be")
	add(len(d.Flags) > 0, "with %s", strings.Join(d.Flags, " "))
	add(d.Subject != "", "subject %q", d.Subject)
	add(d.Text != "", "text %q", d.Text)
	add(d.Interval != "", "not again for %s", d.Interval)
	add(d.FCC != "", "copy in %q", d.FCC)
	if d.Line == 0 {
		return strings.Join(append(words, "(implicit)"), " ")
	}
	return fmt.Sprintf("%s (%s:%d)", strings.Join(words, " "), d.Script, d.Line)
}

// printOutcome prints what a run came to. A failure of the script is the error.
func printOutcome(cmd *cobra.Command, r *sieve.Result, printEdited bool) error {
	out := sieveOutcome{NoAnswer: r.NoAnswer, Steps: r.Steps}
	for _, a := range r.Actions {
		out.Actions = append(out.Actions, describeAction(a))
	}
	var err error
	if f := r.Failure; f != nil {
		out.Failure = &sieveProblem{f.Pos.Line, f.Pos.Column, f.Text}
		err = fmt.Errorf("%s:%d:%d: %s", f.Script, f.Pos.Line, f.Pos.Column, f.Text)
	}
	w := cmd.OutOrStdout()
	if wantsJSON(cmd) {
		if err := printJSON(cmd, out); err != nil {
			return err
		}
	} else {
		for _, a := range out.Actions {
			fmt.Fprintln(w, a.line())
		}
		if r.NoAnswer != "" {
			fmt.Fprintf(w, "vacation answers nobody: %s\n", r.NoAnswer)
		}
	}
	if printEdited {
		if _, err := io.Copy(w, r.Message.Reader()); err != nil {
			return err
		}
	}
	return err
}
