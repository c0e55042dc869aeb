package delivery

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/rookery-mail/rookery/directory"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/sieve"
)

// happening is an event's part for one message.
type happening struct {
	event   *Event
	mailbox *metadata.Mailbox // its name is that in its owner's account
	user    string            // the address of who caused it
	row     metadata.Message
}

// input adds to a script's input what RFC 6785 section 4 says.
func (h *happening) input(in *sieve.Input) {
	in.Envelope.Absent = true
	in.Flags = flagNames(&h.row)
	in.Event = &sieve.Event{Cause: h.event.Cause, Mailbox: h.mailbox.Name, User: h.user, Email: h.user, ChangedFlags: h.event.Changed}
}

// runAll runs the scripts of an event for each of its messages, on the behalf of the mailbox's owner.
func (e *Events) runAll(ctx context.Context, ev *Event, mailbox *metadata.Mailbox, scripts *chain) {
	var owner, user *metadata.Account
	err := e.persist(ctx, func() (err error) {
		if owner, err = e.d.cfg.Metadata.Account(ctx, ev.Account); err == nil {
			user, err = e.d.cfg.Metadata.Account(ctx, ev.User)
		}
		return err
	})
	if err != nil {
		e.failed(ctx, ev, ev.UIDs.Len(), err)
		return
	}
	var flagged []metadata.UID // by scripts that other events started
	var how []string
	e.each(ctx, ev.Account, ev.Mailbox, ev.UIDs, func(m *mailstore.Message, err error) {
		switch {
		case err != nil:
			e.failed(ctx, ev, 1, err)
			return
		case m == nil:
			e.metrics.messages.WithLabelValues("gone").Inc()
			return
		}
		h := &happening{event: ev, mailbox: mailbox, user: user.Address, row: m.Row}
		if changed := e.run(ctx, h, m, owner, scripts); len(changed) > 0 && ev.Cause != causeFlag && e.flags {
			if how != nil && !slices.Equal(how, changed) {
				e.flagged(ev, flagged, how)
				flagged = nil
			}
			flagged, how = append(flagged, m.Row.UID), changed
		}
	})
	e.flagged(ev, flagged, how)
}

// flagged makes an event of the flags that scripts changed, unless it was a change of flags that started them (RFC 6785 section
// 2.2.3).
func (e *Events) flagged(ev *Event, uids []metadata.UID, changed []string) {
	if len(uids) > 0 {
		e.Happened(Event{Cause: causeFlag, User: ev.User, Account: ev.Account, Mailbox: ev.Mailbox, UIDs: metadata.UIDSetOf(uids...), Changed: changed})
	}
}

// each calls do for every message of a set, nil for one that is gone, with the error for one that cannot be looked up.
func (e *Events) each(ctx context.Context, account metadata.AccountID, mailbox metadata.MailboxID, uids metadata.UIDSet, do func(*mailstore.Message, error)) {
	window := make([]metadata.UID, 0, min(eventWindow, uids.Len()))
	flush := func() {
		var messages []mailstore.Message
		err := e.persist(ctx, func() (err error) {
			messages, err = e.d.cfg.Store.Stored(ctx, account, mailbox, window)
			return err
		})
		for _, uid := range window {
			if len(messages) > 0 && messages[0].Row.UID == uid {
				do(&messages[0], nil)
				messages = messages[1:]
			} else {
				do(nil, err)
			}
		}
		window = window[:0]
	}
	for uid := range uids.All {
		if window = append(window, uid); len(window) == eventWindow {
			flush()
		}
	}
	if len(window) > 0 {
		flush()
	}
}

// run runs the scripts for one message and carries out what they decide. It returns the flags that changed, but for the \Deleted
// of a message that is not kept (RFC 6785 section 2.2.4).
func (e *Events) run(ctx context.Context, h *happening, m *mailstore.Message, owner *metadata.Account, scripts *chain) (changed []string) {
	stored := &storedMessage{ctx: ctx, store: e.d.cfg.Store, body: m.Reader}
	t := &transaction{d: e.d, st: stored, event: h, env: Envelope{From: owner.Address, ID: m.Row.Body.String()}}
	rcpt := &Recipient{Target: directory.Target{Account: *owner, Address: owner.Address, Delimiter: e.d.cfg.Delimiter}, To: owner.Address, InternalDate: m.Row.InternalDate}
	claimant := metadata.NewOutboundID().String() // the same when it is tried again: what is in the queue is not put there twice
	var p *plan
	var after afterwards
	err := e.persist(ctx, func() error {
		t.plans = []plan{{rcpt: rcpt}}
		p = &t.plans[0]
		for _, b := range scripts.broken {
			e.d.tell(p, b, b.err.Error())
		}
		if err := stored.read(); err != nil {
			return err
		}
		if len(scripts.scripts) > 0 {
			if result := t.runChain(ctx, p, scripts, claimant); result != nil {
				after = t.planEvent(ctx, p, result)
			}
		}
		t.send(ctx)
		return p.err
	})
	if err == nil {
		err = t.storeEvent(ctx, stored)
	}
	if err == nil {
		changed, err = t.setFlags(ctx, after)
	}
	if err != nil {
		e.failed(ctx, h.event, 1, err)
	} else {
		e.metrics.messages.WithLabelValues("done").Inc()
	}
	t.settle(ctx)
	return changed
}

// afterwards is what becomes of the message that is in the mailbox already.
type afterwards struct {
	keep  *sieve.Keep // nil: nothing
	waste bool        // it is not kept
}

// planEvent turns a result into what is to be done, as RFC 6785 section 3 says.
func (t *transaction) planEvent(ctx context.Context, p *plan, result *sieve.Result) (after afterwards) {
	kept := false
	for n, a := range result.Actions {
		var err error
		switch a := a.(type) {
		case *sieve.Keep:
			t.d.metrics.actions.WithLabelValues("keep").Inc()
			after.keep, kept = a, true
		case *sieve.FileInto: // section 3.3: always a new message
			t.d.metrics.actions.WithLabelValues("fileinto").Inc()
			r := p.rcpt.Plain()
			r.Flags, r.Keywords = flags(a.Flags)
			if err = t.aim(ctx, p, a, &r, destination{a.Mailbox, a.MailboxID, a.SpecialUse, a.Create}); err == nil {
				p.add(r, a.Message, a)
			}
		case *sieve.Redirect:
			t.d.metrics.actions.WithLabelValues("redirect").Inc()
			err = t.redirect(ctx, p, a, n)
		case *sieve.Discard:
			t.d.metrics.actions.WithLabelValues("discard").Inc()
		case *sieve.Notify:
			t.d.metrics.actions.WithLabelValues("notify").Inc()
			err = t.notify(ctx, p, a, n)
		}
		if err == nil {
			continue
		}
		if f := undoable(a, err); f != nil {
			t.d.fault(p, f)
			kept = true
			continue
		}
		p.err = err
		return afterwards{}
	}
	for _, m := range result.Duplicates {
		p.settle = append(p.settle, metadata.HandleUse{Handle: duplicateHandle(m.ID), TTL: m.For})
	}
	after.waste = !kept
	return after
}

// storeEvent stores the copies that fileinto makes.
func (t *transaction) storeEvent(ctx context.Context, m *storedMessage) error {
	p := &t.plans[0]
	whole := slices.ContainsFunc(p.copies, func(c storedCopy) bool { return c.message == nil })
	if whole {
		var err error
		if t.staged, err = t.d.cfg.Store.Stage(ctx, m.reader(), 0); err != nil {
			p.err = internal(err)
			return p.err
		}
	}
	if len(p.copies) > 0 {
		t.store(ctx)
	}
	return p.err
}

// setFlags gives the message the flags it is kept with, or \Deleted, and returns those that a script changed.
func (t *transaction) setFlags(ctx context.Context, after afterwards) ([]string, error) {
	h := t.event
	req := metadata.StoreFlags{Account: h.event.Account, Mailbox: h.event.Mailbox, UIDs: metadata.UIDSetOf(h.row.UID)}
	var set, cleared []string
	switch has := flagNames(&h.row); {
	case after.waste:
		set = []string{`\Deleted`}
	case after.keep != nil: // what others change meanwhile stays
		set, cleared = without(after.keep.Flags, has), without(has, after.keep.Flags)
	}
	for _, change := range []struct {
		op    metadata.FlagOp
		flags []string
	}{{metadata.FlagsAdd, set}, {metadata.FlagsRemove, cleared}} {
		if len(change.flags) == 0 {
			continue
		}
		req.Op = change.op
		req.Flags, req.Keywords = flags(change.flags)
		_, err := t.d.cfg.Store.StoreFlags(ctx, req)
		if mailerr.Is(err, mailerr.NotFound) { // the mailbox has gone
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
	}
	if after.waste {
		return nil, nil
	}
	return append(set, cleared...), nil
}

// flagNames returns a message's flags and keywords as scripts name them.
func flagNames(m *metadata.Message) (names []string) {
	for _, f := range systemFlagNames {
		if m.Flags&systemFlags[strings.ToLower(f)] != 0 {
			names = append(names, f)
		}
	}
	return append(names, strings.Fields(m.Keywords)...)
}

var systemFlagNames = []string{`\Answered`, `\Flagged`, `\Deleted`, `\Seen`, `\Draft`}

// without returns the flags of a that b has not.
func without(a, b []string) (names []string) {
	for _, f := range a {
		if !slices.ContainsFunc(b, func(other string) bool { return strings.EqualFold(f, other) }) {
			names = append(names, f)
		}
	}
	return names
}

// storedMessage is a message of a mailbox as scripts see it.
type storedMessage struct {
	ctx   context.Context //nolint:containedctx // it lives as long as one call of run
	store Store
	body  *mailstore.BodyReader
	head  []byte
}

// headBytes is how much of a stored message Head has.
const headBytes = 64 << 10

// read reads Head.
func (m *storedMessage) read() error {
	if m.head != nil {
		return nil
	}
	head := make([]byte, min(headBytes, m.body.Size()))
	if _, err := m.ReadAt(head, 0); err != nil && err != io.EOF { //nolint:errorlint // io.ReaderAt's io.EOF is never wrapped
		return err
	}
	m.head = head
	return nil
}

// ReadAt implements io.ReaderAt.
func (m *storedMessage) ReadAt(p []byte, off int64) (int, error) {
	return m.body.ReadAt(m.ctx, p, off)
}

func (m *storedMessage) reader() io.Reader { return io.NewSectionReader(m, 0, m.body.Size()) }
func (m *storedMessage) Head() []byte      { return m.head }
func (m *storedMessage) Hash() []byte      { return nil } // an event is never the same as another one
func (m *storedMessage) Size() int64       { return m.body.Size() }

func (m *storedMessage) Open(context.Context, metadata.AccountID) io.ReaderAt { return m }

// Outbound stages the message for the queue.
func (m *storedMessage) Outbound(ctx context.Context, owner metadata.AccountID) (metadata.OutboundBody, *metadata.Pack, error) {
	st, err := m.store.Stage(ctx, m.reader(), 0)
	if err != nil {
		return metadata.OutboundBody{}, nil, err
	}
	defer st.Discard() // what Outbound made durable stays
	return st.Outbound(ctx, owner)
}
