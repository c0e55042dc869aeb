package metadata

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"
)

// AccountID names an account. Random, so that keys that begin with it spread over a cluster's ranges.
type AccountID [16]byte

// MailboxID names a mailbox for its whole life, across renames. Random. Its hexadecimal form is the MAILBOXID of RFC 8474.
type MailboxID [16]byte

// BodyID names a body within an account. Ordered by time. Its hexadecimal form is the EMAILID of RFC 8474.
type BodyID [16]byte

// PackID names a pack. Ordered by time.
type PackID [16]byte

// UID is a message's unique identifier in its mailbox (RFC 9051 section 2.3.1.1), 1 to 2^32-1.
type UID uint32

// UIDValidity is a mailbox's unique identifier validity value.
type UIDValidity uint32

// ModSeq is a modification sequence (RFC 7162), 1 to 2^63-1. All mailboxes of one account share one counter.
type ModSeq uint64

// NewAccountID returns a random id.
func NewAccountID() AccountID { return AccountID(randomID()) }

// NewMailboxID returns a random id.
func NewMailboxID() MailboxID { return MailboxID(randomID()) }

// NewBodyID returns an id that sorts by now, to the millisecond.
func NewBodyID(now time.Time) BodyID { return BodyID(timeID(now)) }

// NewPackID returns an id that sorts by now, to the millisecond.
func NewPackID(now time.Time) PackID { return PackID(timeID(now)) }

// String returns the id in hexadecimal.
func (id AccountID) String() string { return hex.EncodeToString(id[:]) }

// String returns the id in hexadecimal.
func (id MailboxID) String() string { return hex.EncodeToString(id[:]) }

// String returns the id in hexadecimal.
func (id BodyID) String() string { return hex.EncodeToString(id[:]) }

// String returns the id in hexadecimal.
func (id PackID) String() string { return hex.EncodeToString(id[:]) }

// Time returns the time a PackID was made at, to the millisecond.
func (id PackID) Time() time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint64(id[:8]) >> 16)).UTC()
}

// ParseAccountID reads the form String writes.
func ParseAccountID(s string) (AccountID, error) {
	id, err := parseID(s)
	return AccountID(id), err
}

// ParseMailboxID reads the form String writes.
func ParseMailboxID(s string) (MailboxID, error) {
	id, err := parseID(s)
	return MailboxID(id), err
}

func parseID(s string) (id [16]byte, err error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(id) {
		return id, fmt.Errorf("metadata: %q is not an id of 32 hexadecimal digits", s)
	}
	return [16]byte(b), nil
}

func randomID() (id [16]byte) {
	_, _ = rand.Read(id[:]) // never fails (crypto/rand)
	return id
}

// timeID is 48 bits of milliseconds and 80 random bits: time-ordered across nodes, no coordination.
func timeID(now time.Time) (id [16]byte) {
	_, _ = rand.Read(id[:])
	ms := uint64(now.UnixMilli())
	binary.BigEndian.PutUint32(id[0:4], uint32(ms>>16))
	binary.BigEndian.PutUint16(id[4:6], uint16(ms))
	return id
}
