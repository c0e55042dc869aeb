package lmtpd

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"io"
	"time"

	"github.com/rookery-mail/rookery/directory"
	"github.com/rookery-mail/rookery/message"
	"github.com/rookery-mail/rookery/metadata"
)

// maxTrace is how much of a message's beginning is looked at for its first Received line.
const maxTrace = 4 << 10

// fingerprint sees a message pass by and gives its copies their ids: the same bytes from the same return path for the same
// address, account and mailbox have the same id, on every node and at every time. The store has a body once, so a copy that
// is there already is answered with its UID and not stored again.
//
// Only a message that another MTA has received has such ids: its Received line (RFC 5321 section 4.4) has a time and mostly an id in
// it, so that the same bytes are the same message sent again, and never two messages that happen to be alike.
type fingerprint struct {
	sum  hash.Hash
	head []byte // its first maxTrace bytes
}

func newFingerprint() *fingerprint { return &fingerprint{sum: sha256.New()} }

// Write implements io.Writer.
func (f *fingerprint) Write(p []byte) (int, error) {
	if room := maxTrace - len(f.head); room > 0 {
		f.head = append(f.head, p[:min(room, len(p))]...)
	}
	return f.sum.Write(p)
}

var _ io.Writer = (*fingerprint)(nil)

// id returns the id of the copy for t; the zero id, which means a new one, for a message that has no trace.
func (f *fingerprint) id(from string, t directory.Target) (id metadata.BodyID) {
	if f == nil {
		return id
	}
	received, ok := receivedAt(f.head)
	if !ok {
		return id
	}
	h := sha256.New()
	h.Write(f.sum.Sum(nil))
	h.Write(t.Account.ID[:])
	h.Write([]byte(from + "\x00" + t.Address + "\x00" + t.Mailbox))
	ms := uint64(received.UnixMilli())
	binary.BigEndian.PutUint32(id[0:4], uint32(ms>>16)) // ids are in the order of time
	binary.BigEndian.PutUint16(id[4:6], uint16(ms))
	copy(id[6:], h.Sum(nil))
	return id
}

// receivedAt returns the time of the first Received line of a message's header.
func receivedAt(head []byte) (time.Time, bool) {
	for len(head) > 0 {
		var line []byte
		// A field ends with a line end that no white space follows.
		for i := 0; ; {
			n := bytes.IndexByte(head[i:], '\n')
			if n < 0 {
				return time.Time{}, false // not whole
			}
			i += n + 1
			if i == len(head) || head[i] != ' ' && head[i] != '\t' {
				line, head = head[:i], head[i:]
				break
			}
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			return time.Time{}, false // the header's end
		}
		if !bytes.EqualFold(bytes.TrimRight(name, " \t"), []byte("Received")) {
			continue
		}
		_, date, _ := bytes.Cut(value[max(0, bytes.LastIndexByte(value, ';')):], []byte(";"))
		unix, _, ok := message.ParseDate(string(bytes.TrimSpace(date)))
		if !ok || unix < 0 || unix >= 1<<37 {
			return time.Time{}, false
		}
		return time.Unix(unix, 0), true
	}
	return time.Time{}, false
}
