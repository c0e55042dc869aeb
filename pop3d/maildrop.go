package pop3d

import (
	"context"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// maildrop is an INBOX as it was at login.
type maildrop struct {
	cfg      *Config
	lease    *lease
	user     *mailstore.User
	sel      *mailstore.Selected
	messages []dropped
	count    int   // messages not marked as deleted
	octets   int64 // of those
	ahead    *readAhead
	unique   *uniqueIDs // nil until they are asked for
}

// dropped is a message of a maildrop.
type dropped struct {
	mailstore.Outline
	deleted bool
}

// open takes the account's maildrop for this session. InUse, Unavailable.
func (s *session) open(ctx context.Context, account metadata.AccountID) (*maildrop, error) {
	l, err := acquireLease(ctx, lease{
		store:  s.srv.cfg.Store.Metadata(),
		name:   "pop3:" + account.String(),
		holder: s.id,
		ttl:    s.srv.cfg.LeaseTTL,
		log:    s.log,
		onLost: func() { s.Fail(errLost) },
	})
	if err != nil {
		return nil, err
	}
	d := &maildrop{cfg: &s.srv.cfg, lease: l, user: s.srv.cfg.Store.User(account)}
	if err := d.load(ctx); err != nil {
		d.close()
		return nil, err
	}
	d.ahead = newReadAhead(d.sel, d.messages, s.srv, s.log)
	return d, nil
}

func (d *maildrop) load(ctx context.Context) error {
	var err error
	if d.sel, err = d.user.Open(ctx, "INBOX", mailstore.ReadOnly); err != nil {
		return err
	}
	outlines, err := d.sel.Outlines(ctx)
	if err != nil {
		return err
	}
	d.messages = make([]dropped, len(outlines))
	for i := range outlines {
		d.messages[i].Outline = outlines[i]
	}
	d.unmark()
	return nil
}

// message finds a message by its number. Marked ones are not found (RFC 1939 section 5).
func (d *maildrop) message(arg string) (n int, m *dropped, err error) {
	if n, err = number(arg); err != nil {
		return 0, nil, err
	}
	if n < 1 || n > len(d.messages) {
		return 0, nil, refusal{"", "No such message"}
	}
	m = &d.messages[n-1]
	if m.deleted {
		return 0, nil, refusal{"", "That message is marked as deleted"}
	}
	return n, m, nil
}

// unmark takes all marks back.
func (d *maildrop) unmark() {
	d.count, d.octets = len(d.messages), 0
	for i := range d.messages {
		d.messages[i].deleted = false
		d.octets += d.messages[i].Size
	}
}

// update deletes the marked messages, all in one call, and returns how many there were.
func (d *maildrop) update(ctx context.Context) (int, error) {
	var uids []metadata.UID
	for _, m := range d.messages {
		if m.deleted {
			uids = append(uids, m.UID)
		}
	}
	if len(uids) == 0 {
		return 0, nil
	}
	ctx, cancel := context.WithTimeout(ctx, d.cfg.DeleteTimeout)
	defer cancel()
	if err := d.lease.confirm(ctx); err != nil {
		return 0, err
	}
	// Opened for writing only now, so that \Recent is IMAP's for as long as possible, and is when nothing is deleted.
	sel, err := d.user.Open(ctx, "INBOX", mailstore.ReadWrite)
	if err != nil {
		return 0, err
	}
	defer sel.Close()
	if was, is := d.sel.Mailbox(), sel.Mailbox(); was.ID != is.ID || was.UIDValidity != is.UIDValidity {
		return 0, mailerr.New("pop3d.maildrop", mailerr.Expunged, "INBOX is another mailbox now")
	}
	if _, err := sel.ExpungeAll(ctx, metadata.UIDSetOf(uids...)); err != nil {
		return 0, err
	}
	return len(uids), nil
}

// body returns the body row of the message at an index and, if they were read ahead, its stored bytes. Expunged.
func (d *maildrop) body(ctx context.Context, i int) (*metadata.Body, []byte, error) {
	if !d.sel.Present(d.messages[i].UID) {
		return nil, nil, errExpunged
	}
	b, raw, err := d.ahead.body(ctx, i)
	if err == nil && b == nil {
		err = errExpunged
	}
	return b, raw, err
}

var errExpunged = mailerr.New("pop3d.maildrop", mailerr.Expunged, "The message was deleted by another session")

// close gives mailbox and lease back.
func (d *maildrop) close() {
	if d.ahead != nil {
		d.ahead.close()
		d.ahead = nil
	}
	if d.sel != nil {
		d.sel.Close()
		d.sel = nil
	}
	d.lease.release()
}
