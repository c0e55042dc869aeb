package delivery

import (
	"context"
	"strings"

	"github.com/rookery-mail/rookery/mailerr"
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
			p.add(r, a.Message)
			kept = true
		case *sieve.FileInto:
			t.d.metrics.actions.WithLabelValues("fileinto").Inc()
			r := p.rcpt.Plain()
			r.Flags, r.Keywords = flags(a.Flags)
			if r.MailboxID, err = t.mailbox(ctx, p, destination{a.Mailbox, a.MailboxID, a.SpecialUse, a.Create}); err != nil {
				p.err = err
				return
			}
			p.add(r, a.Message)
			kept = true
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

func (p *plan) add(r mailstore.Recipient, m *sieve.Message) {
	c := storedCopy{Recipient: r}
	if m != nil && m.Edited() {
		c.message, c.Body = m, metadata.BodyID{}
	}
	p.copies = append(p.copies, c)
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

// destination is where fileinto or fcc wants a message.
type destination struct {
	name, id, use string
	create        bool
}

// mailbox returns the id of a destination, zero for INBOX: no message is lost for want of a mailbox (RFC 5490 section 3.2,
// RFC 8579 section 4, RFC 9042 section 4).
func (t *transaction) mailbox(ctx context.Context, p *plan, to destination) (metadata.MailboxID, error) {
	h := p.host
	for _, look := range []struct {
		key  string
		fits func(string) func(*metadata.Mailbox) bool
	}{{to.id, byID}, {to.use, byUse}, {to.name, byName}} {
		if look.key == "" {
			continue
		}
		m, err := h.find(ctx, look.fits(look.key))
		if err != nil {
			return metadata.MailboxID{}, err
		}
		if m != nil {
			return m.ID, nil
		}
	}
	if !to.create || to.name == "" {
		return metadata.MailboxID{}, nil
	}
	m, err := t.d.cfg.Store.User(h.account.ID).Create(ctx, to.name, to.use)
	switch kind := mailerr.KindOf(err); {
	case err == nil:
		h.mailboxes = append(h.mailboxes, *m)
		if err := t.d.cfg.Store.User(h.account.ID).Subscribe(ctx, m.Name); err != nil {
			t.d.cfg.Log.WarnContext(ctx, "a mailbox made by a script is not subscribed to", "id", t.env.ID, "error", err)
		}
		return m.ID, nil
	case kind == mailerr.Exists: // another delivery was quicker
		h.mailboxes = nil
		m, err := h.find(ctx, byName(to.name))
		if err != nil || m == nil {
			return metadata.MailboxID{}, err
		}
		return m.ID, nil
	case kind == mailerr.Invalid, kind == mailerr.Limit, kind == mailerr.Permission:
		return metadata.MailboxID{}, nil // a name no mailbox can have, or too many
	}
	return metadata.MailboxID{}, err
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
