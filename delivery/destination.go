package delivery

import (
	"context"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/sieve"
)

// destination is where fileinto or fcc wants a message.
type destination struct {
	name, id, use string
	create        bool
}

// aim makes a recipient that of a destination. No message is lost for want of a mailbox (RFC 5490 section 3.2, RFC 8579 section 4,
// RFC 9042 section 4): without one it goes where new mail goes, and the script's owner is told. A mailbox of somebody else's into
// which the account may put nothing is none.
func (t *transaction) aim(ctx context.Context, p *plan, a sieve.Action, r *mailstore.Recipient, d destination) error {
	to, ok, err := t.mailbox(ctx, p, d)
	if err != nil {
		return err
	}
	r.MailboxID, r.Shared = to.own, to.shared
	if !ok {
		t.failed(p, a, "there is no mailbox \""+d.name+"\" into which messages could be put; the message was kept")
	}
	return nil
}

// failed tells a script's owner what came of an action.
func (t *transaction) failed(p *plan, a sieve.Action, text string) {
	script, pos := a.Position()
	t.d.fault(p, &sieve.Failure{Script: script, Pos: pos, Text: text})
}

// displaced tells a script's owner why a message is in INBOX and not in somebody else's mailbox.
func (t *transaction) displaced(p *plan, a sieve.Action, why error) {
	text := "the mailbox has gone"
	if mailerr.Is(why, mailerr.OverQuota) {
		text = "the owner of the mailbox has no room left"
	}
	t.failed(p, a, text+"; the message is in INBOX")
}

// mailbox finds, and makes, the mailbox of a destination.
func (t *transaction) mailbox(ctx context.Context, p *plan, d destination) (to into, ok bool, err error) {
	h := p.host
	for _, look := range []struct {
		key  string
		find func(context.Context, string) (into, bool, error)
	}{{d.id, h.withID}, {d.use, h.withUse}, {d.name, h.named}} {
		if look.key == "" {
			continue
		}
		if to, ok, err = look.find(ctx, look.key); ok || err != nil {
			return to, ok, err
		}
	}
	if !d.create || d.name == "" {
		return into{}, false, nil
	}
	m, err := t.d.cfg.Store.User(h.account.ID).Create(ctx, d.name, d.use)
	switch kind := mailerr.KindOf(err); {
	case err == nil:
		if err := t.d.cfg.Store.User(h.account.ID).Subscribe(ctx, m.Name); err != nil {
			t.d.cfg.Log.WarnContext(ctx, "a mailbox made by a script is not subscribed to", "id", t.env.ID, "error", err)
		}
	case kind == mailerr.Exists: // another delivery was quicker
	case kind == mailerr.Invalid, kind == mailerr.Limit, kind == mailerr.Permission:
		return into{}, false, nil // a name no mailbox can have, or too many
	default:
		return into{}, false, err
	}
	h.mailboxes = nil
	return h.named(ctx, d.name)
}
