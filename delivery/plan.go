package delivery

import (
	"context"
	"strings"

	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/sieve"
)

// plan turns a result into what is to be done. What cannot be done is told to the script's owner, and the message is kept.
func (t *transaction) plan(ctx context.Context, p *plan, result *sieve.Result) {
	kept := false // the message is stored, sent on, refused or thrown away
	for n, a := range result.Actions {
		var err error
		switch a := a.(type) {
		case *sieve.Keep:
			t.d.metrics.actions.WithLabelValues("keep").Inc()
			r := p.rcpt.Plain()
			r.Flags, r.Keywords = flags(a.Flags)
			p.add(r, a.Message, a)
			kept = true
		case *sieve.FileInto:
			t.d.metrics.actions.WithLabelValues("fileinto").Inc()
			r := p.rcpt.Plain()
			r.Flags, r.Keywords = flags(a.Flags)
			if err = t.aim(ctx, p, a, &r, destination{a.Mailbox, a.MailboxID, a.SpecialUse, a.Create}); err == nil {
				p.add(r, a.Message, a)
				kept = true
			}
		case *sieve.Redirect:
			t.d.metrics.actions.WithLabelValues("redirect").Inc()
			err = t.redirect(ctx, p, a, n)
			kept = kept || err == nil && !a.Copy
		case *sieve.Reject:
			t.d.metrics.actions.WithLabelValues("reject").Inc()
			err = t.reject(ctx, p, a)
			kept = kept || err == nil
		case *sieve.Discard:
			t.d.metrics.actions.WithLabelValues("discard").Inc()
			kept = true
		case *sieve.Vacation:
			t.d.metrics.actions.WithLabelValues("vacation").Inc()
			err = t.vacation(ctx, p, a)
		case *sieve.Notify:
			t.d.metrics.actions.WithLabelValues("notify").Inc()
			err = t.notify(ctx, p, a, n)
		}
		if err == nil {
			continue
		}
		if f := undoable(a, err); f != nil {
			t.d.fault(p, f)
			continue
		}
		p.err = err
		return
	}
	if !kept {
		p.keepPlain()
	}
	for _, m := range result.Duplicates {
		p.settle = append(p.settle, metadata.HandleUse{Handle: duplicateHandle(m.ID), TTL: m.For})
	}
}

// add adds a copy, or its flags to the same message's in the same mailbox (RFC 5228 section 2.10.3).
func (p *plan) add(r mailstore.Recipient, m *sieve.Message, because sieve.Action) {
	c := storedCopy{Recipient: r, plan: p, because: because}
	if m != nil && m.Edited() {
		c.message, c.Body = m, metadata.BodyID{}
	}
	for i := range p.copies {
		if first := &p.copies[i]; first.message == c.message && sameMailbox(&first.Recipient, &r) {
			first.Flags |= r.Flags
			first.Keywords = append(first.Keywords, r.Keywords...)
			return
		}
	}
	p.copies = append(p.copies, c)
}

func sameMailbox(a, b *mailstore.Recipient) bool {
	if a.Shared != nil && b.Shared != nil {
		return a.Shared.Is(b.Shared)
	}
	return a.Shared == b.Shared && a.MailboxID == b.MailboxID && a.Mailbox == b.Mailbox
}

// cannot is an action that is not carried out, for a reason its script's owner should know.
type cannot struct{ why string }

func (e *cannot) Error() string { return e.why }

// undoable returns the failure to tell of, nil for an error that is trouble of ours.
func undoable(a sieve.Action, err error) *sieve.Failure {
	c, ok := err.(*cannot) //nolint:errorlint // never wrapped
	if !ok {
		return nil
	}
	script, pos := a.Position()
	return &sieve.Failure{Script: script, Pos: pos, Text: c.why}
}

// systemFlags are the flags a script may set that are no keywords (RFC 5232 section 2).
var systemFlags = map[string]metadata.Flags{
	`\seen`: metadata.FlagSeen, `\answered`: metadata.FlagAnswered, `\flagged`: metadata.FlagFlagged,
	`\deleted`: metadata.FlagDeleted, `\draft`: metadata.FlagDraft,
}

func flags(names []string) (bits metadata.Flags, keywords []string) {
	for _, n := range names {
		if f, ok := systemFlags[strings.ToLower(n)]; ok {
			bits |= f
		} else if !strings.HasPrefix(n, `\`) {
			keywords = append(keywords, n)
		}
	}
	return bits, keywords
}
