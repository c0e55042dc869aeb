package mailstore

import (
	"context"
	"io"
	"time"

	"github.com/rookery-mail/rookery/metadata"
)

// Staged is a message read to its end. Exactly one of Deliver, Append and Discard ends it; all may be called once.
type Staged struct{}

// Stage reads a message from r to io.EOF. Small ones stay in memory, compressed; large ones (over 4 MiB raw) are streamed
// into a pack of their own. TooBig when there are more than maxSize bytes (0: no limit); r is then read no further. An error of r is
// returned wrapped, so that errors.Is finds it. NUL bytes and bare LF are kept as they are.
func (s *Store) Stage(ctx context.Context, r io.Reader, maxSize int64) (*Staged, error) {
	panic("stub")
}

// Size returns the raw bytes.
func (st *Staged) Size() int64 { panic("stub") }

// Discard throws the message away.
func (st *Staged) Discard() { panic("stub") }

// Recipient is one mailbox a message is delivered to.
type Recipient struct {
	Account      metadata.AccountID
	Mailbox      string // "": INBOX. One that does not exist: INBOX (mail is never bounced for a missing mailbox)
	Prefix       []byte // header lines with CRLF put before the message for this recipient
	Flags        metadata.Flags
	Keywords     []string
	InternalDate time.Time // zero: now
}

// Delivered is what became of one Recipient. Err: NotFound (account gone), OverQuota, Unavailable, Internal.
type Delivered struct {
	UID         metadata.UID
	UIDValidity metadata.UIDValidity
	Err         error
}

// Deliver stores the message once for all recipients and answers for each by index. It returns when the message is durable
// or has failed, for each recipient. It waits for its lanes however long storage takes, bounded by ctx; a context that ends
// gives Unavailable, and the message may then have been delivered.
func (s *Store) Deliver(ctx context.Context, st *Staged, rcpts []Recipient) []Delivered {
	panic("stub")
}
