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

	bodies    map[metadata.BodyID]*metadata.Body // of the window below
	window    [2]int                             // indexes of messages whose body rows were read: from, to (exclusive)
	lastRetr  int                                // index of the message sent last, -1 at first
	readAhead int                                // messages below this index were prefetched
}

// dropped is a message of a maildrop.
type dropped struct {
	uid     metadata.UID
	body    metadata.BodyID
	size    int64
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
		onLost: s.leaseLost,
	})
	if err != nil {
		return nil, err
	}
	d := &maildrop{cfg: &s.srv.cfg, lease: l, user: s.srv.cfg.Store.User(account), lastRetr: -1}
	if err := d.load(ctx); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func (d *maildrop) load(ctx context.Context) error {
	var err error
	if d.sel, err = d.user.Open(ctx, "INBOX", mailstore.ReadOnly); err != nil {
		return err
	}
	d.messages = make([]dropped, 0, d.sel.NumMessages())
	err = d.sel.Messages(ctx, d.sel.AllUIDs(), func(_ mailstore.SeqNum, m *metadata.Message, gone bool) bool {
		if !gone {
			d.messages = append(d.messages, dropped{uid: m.UID, body: m.Body, size: m.Size})
		}
		return true
	})
	d.unmark()
	return err
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
		d.octets += d.messages[i].size
	}
}

// update deletes the marked messages, all in one call, and returns how many there were.
func (d *maildrop) update(ctx context.Context) (int, error) {
	var uids []metadata.UID
	for _, m := range d.messages {
		if m.deleted {
			uids = append(uids, m.uid)
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

// present reports Expunged for a message that is known to be gone.
func (d *maildrop) present(ctx context.Context, m *dropped) error {
	there := false
	err := d.sel.Messages(ctx, metadata.UIDSetOf(m.uid), func(_ mailstore.SeqNum, _ *metadata.Message, gone bool) bool {
		there = !gone
		return true
	})
	if err == nil && !there {
		err = errExpunged
	}
	return err
}

var errExpunged = mailerr.New("pop3d.maildrop", mailerr.Expunged, "The message was deleted by another session")

// close gives mailbox and lease back.
func (d *maildrop) close() {
	if d.sel != nil {
		d.sel.Close()
		d.sel = nil
	}
	d.lease.release()
}
