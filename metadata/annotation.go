package metadata

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"strings"
)

// Limits of annotations.
const (
	MaxAnnotationName  = 255      // bytes of an entry's name
	MaxAnnotationValue = 32 << 10 // bytes
	// MaxAnnotations is how many a mailbox or the server has, those that are shared and each account's private ones counted apart.
	MaxAnnotations = 1000
	// MaxAnnotationBytes bounds the names and values of what one account pays for: its private ones, and the shared ones of its
	// mailboxes.
	MaxAnnotationBytes = 8 << 20
	// MaxAnnotationsRead bounds the values that one look-up returns, in bytes.
	MaxAnnotationsRead = 32 << 20
	// MaxAnnotationsCompared is how many annotations one AnnotationDigests returns.
	MaxAnnotationsCompared = 20_000
)

// The first levels of entry names: whose an annotation is (RFC 5464 section 3.2).
const (
	PrivateAnnotations = "/private"
	SharedAnnotations  = "/shared"
)

// ServerAnnotations stands for the mailbox of annotations that are the server's.
var ServerAnnotations MailboxID

// Annotation is an entry of a mailbox or of the server, and its value (RFC 5464).
type Annotation struct {
	Mailbox MailboxID // ServerAnnotations: the server's
	Entry   string    // its whole name, in lower case: begins with PrivateAnnotations or SharedAnnotations and a slash
	Size    int64     // bytes of the value
	Value   []byte    // nil when Size is above what was asked for; never nil otherwise
}

// IsPrivateAnnotation reports whether each account has an annotation of this name of its own.
func IsPrivateAnnotation(entry string) bool {
	return entry == PrivateAnnotations || strings.HasPrefix(entry, PrivateAnnotations+"/")
}

// AnnotationDigest tells values of an annotation apart: equal values have equal ones, others with all likelihood not. 0 is that of
// none.
type AnnotationDigest int64

// DigestAnnotation returns the digest of a value; nil is none.
func DigestAnnotation(value []byte) AnnotationDigest {
	if value == nil {
		return 0
	}
	sum := sha256.Sum256(value)
	return AnnotationDigest(binary.BigEndian.Uint64(sum[:])>>1 | 1<<62)
}

// AnnotationState is an annotation without its value.
type AnnotationState struct {
	Mailbox MailboxID
	Entry   string
	Digest  AnnotationDigest
}

// AnnotationQuery names annotations. Names are in lower case and valid.
type AnnotationQuery struct {
	Account   AccountID // whose private ones
	Mailboxes []MailboxID
	Entries   []string // these
	Below     []string // all below these, which themselves are not among them
	MaxSize   int64    // values of more bytes are left out; see Annotation.Value
}

// SetAnnotations says what annotations of one mailbox, or of the server, become.
type SetAnnotations struct {
	Account AccountID // whose private ones
	Mailbox MailboxID
	Owner   AccountID // of the mailbox; nothing for the server's
	Changes []AnnotationChange
}

// AnnotationChange is an entry's new value. Of several for one entry the last counts.
type AnnotationChange struct {
	Entry string // in lower case and valid
	Value []byte // nil: the entry is removed
}

// AnnotationStore is the annotations of mailboxes and of the server. Those of a mailbox go with it, wherever it is renamed to, and
// are removed with it; an account's private ones are removed with the account.
type AnnotationStore interface {
	// Annotations returns what there is of what is asked for, in the order of mailboxes' ids and names of entries. One look-up.
	// Limit when that is more than MaxAnnotationsRead.
	Annotations(ctx context.Context, q AnnotationQuery) ([]Annotation, error)
	// AnnotationDigests returns an account's private annotations, the shared ones of its mailboxes and those of others' that are
	// named, or of the server, in the order of mailboxes' ids and names of entries. One look-up. Limit when there are more than
	// MaxAnnotationsCompared.
	AnnotationDigests(ctx context.Context, account AccountID, others []MailboxID) ([]AnnotationState, error)
	// SetAnnotations makes all changes or none. NotFound: the account or the mailbox is gone. TooBig: a value is above
	// MaxAnnotationValue. Limit: there would be more than MaxAnnotations, or an account would pay for more than MaxAnnotationBytes;
	// not when nothing is added. Invalid: a name that may not be stored.
	SetAnnotations(ctx context.Context, req SetAnnotations) error
	// CopyAnnotations copies the shared annotations and the account's private ones from one of its mailboxes to another, which
	// has none. NotFound, Limit.
	CopyAnnotations(ctx context.Context, account AccountID, from, to MailboxID) error
}
