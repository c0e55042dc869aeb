package imapd

import (
	"context"
	"encoding/hex"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// The object identifiers of RFC 8474 are 32 hexadecimal digits behind a letter that says of what, as its section 8.1 advises:
// so no EMAILID is a THREADID, and none looks like a number.
const (
	mailboxIDPrefix = "F"
	emailIDPrefix   = "M"
	threadIDPrefix  = "T"
)

// mailboxIDCode is the response code MAILBOXID.
func mailboxIDCode(id metadata.MailboxID) string {
	return "MAILBOXID (" + mailboxIDPrefix + id.String() + ")"
}

// objectID reads an identifier in a search key. One of another form than ours belongs to nothing: ok is false.
func (p *searchParser) objectID(prefix string) (id [16]byte, ok bool, err error) {
	s, err := p.AString()
	if err != nil {
		return id, false, err
	}
	if s == "" || len(s) > 255 {
		return id, false, &wire.SyntaxError{Text: "Not an object identifier"}
	}
	if len(s) != len(prefix)+2*len(id) || s[:len(prefix)] != prefix {
		return id, false, nil
	}
	if _, err := hex.Decode(id[:], []byte(s[len(prefix):])); err != nil {
		return id, false, nil //nolint:nilerr // well-formed, and nobody's
	}
	return id, hex.EncodeToString(id[:]) == s[len(prefix):], nil
}

func (p *searchParser) emailID() (searchKey, error) {
	id, ok, err := p.objectID(emailIDPrefix)
	if !ok {
		return notKey{allKey{}}, err
	}
	return emailIDKey(id), nil
}

func (p *searchParser) threadID() (searchKey, error) {
	id, ok, err := p.objectID(threadIDPrefix)
	if !ok {
		return notKey{allKey{}}, err
	}
	k := &threadKey{thread: id}
	p.program.threads = append(p.program.threads, k)
	return k, nil
}

// emailIDKey is EMAILID.
type emailIDKey metadata.BodyID

func (k emailIDKey) eval(c *candidate) verdict { return verdictOf(c.row.Body == metadata.BodyID(k)) }

// threadKey is THREADID.
type threadKey struct {
	thread metadata.ThreadID
	bodies map[metadata.BodyID]bool // after lookThreads
}

func (k *threadKey) eval(c *candidate) verdict { return verdictOf(k.bodies[c.row.Body]) }

// lookThreads finds out which messages the THREADID keys mean.
func (r *searchRun) lookThreads() error {
	for _, k := range r.program.threads {
		var bodies []metadata.BodyID
		err := r.away(func() (err error) {
			bodies, err = r.sel.ThreadBodies(r.ctx, k.thread)
			return err
		})
		if err != nil {
			return err
		}
		k.bodies = make(map[metadata.BodyID]bool, len(bodies))
		for _, b := range bodies {
			k.bodies[b] = true
		}
	}
	return nil
}

// lookThreads reads the threads of messages that are about to be answered for.
func (r *fetchRun) lookThreads(ctx context.Context, ids []metadata.BodyID) error {
	sel := r.s.sel
	return r.away(func() (err error) {
		r.threadOf, err = sel.Threads(ctx, ids)
		return err
	})
}

// rowsWithThreads is rows with THREADID among the items.
func (r *fetchRun) rowsWithThreads(ctx context.Context, uids metadata.UIDSet) error {
	if r.changedSince != nil {
		var err error
		if uids, err = r.changed(ctx, uids); err != nil {
			return err
		}
	}
	for window := range windows(uids, fetchWindow) {
		ids := make([]metadata.BodyID, 0, fetchWindow)
		err := r.s.sel.Messages(ctx, window, func(_ mailstore.SeqNum, m *metadata.Message, gone bool) bool {
			if !gone {
				ids = append(ids, m.Body)
			}
			return true
		})
		if err == nil {
			err = r.lookThreads(ctx, ids)
		}
		if err == nil {
			err = r.rows(ctx, window)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// writeThreadID writes the value of THREADID.
func (r *fetchRun) writeThreadID(m *metadata.Message) {
	id, ok := r.threadOf[m.Body]
	if !ok { // not looked up: better nothing than what is not so
		r.w.Raw("NIL")
		return
	}
	r.w.Raw("(" + threadIDPrefix).Raw(id.String()).Raw(")")
}
