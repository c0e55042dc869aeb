package delivery

import (
	"bytes"
	"context"
	"strconv"
	"strings"

	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/sieve"
)

// generator makes the messages of one item: the same when the delivery is tried again, but for their date.
func (t *transaction) generator(it *metadata.OutboundItem) sieve.Generator {
	return sieve.Generator{Host: t.d.cfg.Hostname, ID: it.ID.String(), Now: t.d.cfg.Now()}
}

// vacation answers the sender, unless the account has sent it the same answer within the interval: which of several
// deliveries on several nodes is first is decided in the transaction that puts the answer into the queue (RFC 5230 section
// 4.2).
func (t *transaction) vacation(ctx context.Context, p *plan, a *sieve.Vacation) error {
	if !t.d.cfg.Queue.Sends() {
		return errNoServer
	}
	it := t.item(p, metadata.OutboundVacation, "", a.Recipient, a.Key)
	out := a.Outgoing(t.generator(&it))
	it.From = out.Sender
	it, err := t.made(it, out.Data)
	if err != nil {
		return err
	}
	e := metadata.Enqueue{Item: it}
	if a.Interval > 0 {
		e.Once = &metadata.HandleUse{Handle: handle("vacation", a.Key, strings.ToLower(a.Recipient)), TTL: a.Interval}
	}
	p.enqueue(e, t.fcc(p, a, a.FCC, out.Data))
	return nil
}

// notify sends a mailto notification (RFC 5436).
func (t *transaction) notify(_ context.Context, p *plan, a *sieve.Notify, n int) error {
	if !t.d.cfg.Queue.Sends() {
		return errNoServer
	}
	probe := t.item(p, metadata.OutboundNotify, "", "", strconv.Itoa(n))
	out := a.Outgoing(t.generator(&probe))
	if out == nil {
		return &cannot{"notifications by " + a.Method.Scheme + " cannot be sent"}
	}
	copied := t.fcc(p, a, a.FCC, out.Data)
	for _, to := range out.Recipients {
		it, err := t.made(t.item(p, metadata.OutboundNotify, out.Sender, to, strconv.Itoa(n)), out.Data)
		if err != nil {
			return err
		}
		p.enqueue(metadata.Enqueue{Item: it}, copied)
		copied = nil
	}
	return nil
}

// reject refuses the message in the answer to the MTA (RFC 5429 section 2.1.1), or where that cannot be said, because the
// address leads to others too or the reason is no ASCII, takes it and sends a report.
func (t *transaction) reject(_ context.Context, p *plan, a *sieve.Reject) error {
	if lines, ok := a.SMTPText(); p.rcpt.Alone && (ok || a.Extended || !t.d.cfg.Queue.Sends()) {
		p.err = refused(strings.Join(lines, " "))
		return nil
	}
	it := t.item(p, metadata.OutboundReject, "", a.Sender)
	out, err := a.Outgoing(t.generator(&it))
	switch {
	case err != nil:
		return internal(err)
	case out == nil: // nobody to tell
		return nil
	case !t.d.cfg.Queue.Sends():
		return errNoServer
	}
	if it, err = t.made(it, out.Data); err != nil {
		return err
	}
	it.From = out.Sender
	p.enqueue(metadata.Enqueue{Item: it}, nil)
	return nil
}

// enqueue adds an item to a plan, and what is to be done once it is known to be in the queue.
func (p *plan) enqueue(e metadata.Enqueue, then func(context.Context)) {
	p.send = append(p.send, e)
	p.then = append(p.then, then)
}

// fcc returns what stores a copy of a message that was generated (RFC 8580), nil if none is wanted. That it fails is no reason
// to refuse the message that was the cause.
func (t *transaction) fcc(p *plan, a sieve.Action, f *sieve.FCC, data []byte) func(context.Context) {
	if f == nil {
		return nil
	}
	return func(ctx context.Context) {
		log := t.d.cfg.Log.With("id", t.env.ID, "account", p.rcpt.Target.Account.Address)
		r := mailstore.Recipient{Account: p.rcpt.Target.Account.ID}
		r.Flags, r.Keywords = flags(f.Flags)
		var err error
		if err = t.aim(ctx, p, a, &r, destination{f.Mailbox, f.MailboxID, f.SpecialUse, f.Create}); err == nil {
			var st *mailstore.Staged
			if st, err = t.d.cfg.Store.Stage(ctx, bytes.NewReader(data), 0); err == nil {
				res := deliver(ctx, t.d.cfg.Store, st, []mailstore.Recipient{r})[0]
				if err = res.Err; err == nil && res.Instead != nil {
					t.displaced(p, a, res.Instead)
				}
			}
		}
		if err != nil {
			log.WarnContext(ctx, "the copy of a message that a script sent was not stored", "error", err)
		}
	}
}
