package mailstore

import (
	"context"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/metadata"
)

// SeqNum is a message sequence number: 1 is the first message of the session's snapshot.
type SeqNum uint32

// Selected is one session's use of a mailbox. Its methods are for one goroutine at a time, but for Changed and Close.
type Selected struct{}

// Mailbox returns the row as of the last Sync (or Open).
func (sel *Selected) Mailbox() metadata.Mailbox { panic("stub") }

// Mode returns how it was opened.
func (sel *Selected) Mode() OpenMode { panic("stub") }

// NumMessages returns how many messages the session knows.
func (sel *Selected) NumMessages() uint32 { panic("stub") }

// NumRecent returns how many of them are \Recent in this session.
func (sel *Selected) NumRecent() uint32 { panic("stub") }

// IsRecent reports whether the message is \Recent in this session.
func (sel *Selected) IsRecent(uid metadata.UID) bool { panic("stub") }

// FirstUnseen returns the sequence number of the first message without \Seen, 0 for none.
func (sel *Selected) FirstUnseen() SeqNum { panic("stub") }

// Keywords returns the keywords in use in the mailbox, sorted; for FLAGS and PERMANENTFLAGS.
func (sel *Selected) Keywords() []string { panic("stub") }

// UID returns the UID of a sequence number; 0 when the session knows no such message.
func (sel *Selected) UID(seq SeqNum) metadata.UID { panic("stub") }

// Seq returns the sequence number of a UID; 0 when the session knows no such message.
func (sel *Selected) Seq(uid metadata.UID) SeqNum { panic("stub") }

// SeqRange is First to Last, inclusive; 0 stands for "*"; First may be greater than Last (RFC 9051: the order does not matter).
type SeqRange struct{ First, Last uint32 }

// ResolveSeqs returns the UIDs of sequence numbers in this session's snapshot. ok is false when a number is out of range (a
// protocol error); in an empty mailbox every number is.
func (sel *Selected) ResolveSeqs(ranges []SeqRange) (uids metadata.UIDSet, ok bool) { panic("stub") }

// ResolveUIDs returns the UIDs of the session's snapshot within the ranges. "*" is the last message's UID.
func (sel *Selected) ResolveUIDs(ranges []SeqRange) metadata.UIDSet { panic("stub") }

// AllUIDs returns the snapshot.
func (sel *Selected) AllUIDs() metadata.UIDSet { panic("stub") }

// Messages calls yield for each of the uids the session knows, ascending, with its sequence number and its present row,
// until yield returns false. A message that was expunged elsewhere and is no longer known has gone == true and only UID set. No lock is
// held during yield. It loads the view if that was dropped.
func (sel *Selected) Messages(ctx context.Context, uids metadata.UIDSet, yield func(seq SeqNum, m *metadata.Message, gone bool) bool) error {
	panic("stub")
}

// Bodies returns the body rows (summaries included) of messages, by body id; those expunged and purged are missing. In few
// statements; callers ask for windows of some hundred messages.
func (sel *Selected) Bodies(ctx context.Context, ids []metadata.BodyID) (map[metadata.BodyID]*metadata.Body, error) {
	panic("stub")
}

// OpenBody returns a reader of a body's raw bytes, prefix included.
func (sel *Selected) OpenBody(b *metadata.Body) *BodyReader { panic("stub") }

// Prefetch reads the bodies of messages that will be asked for soon, within the cache's bounds.
func (sel *Selected) Prefetch(ctx context.Context, bodies []*metadata.Body) { panic("stub") }

// StoreFlags changes flags of messages the session knows. The changes are not reported again by Sync to this session; the
// caller tells its client from the result. Permission when opened ReadOnly.
func (sel *Selected) StoreFlags(ctx context.Context, req StoreFlagsRequest) (*metadata.StoreResult, error) {
	panic("stub")
}

// StoreFlagsRequest is a STORE in this session's mailbox.
type StoreFlagsRequest struct {
	UIDs           metadata.UIDSet
	Op             metadata.FlagOp
	Flags          metadata.Flags
	Keywords       []string
	UnchangedSince *metadata.ModSeq
}

// Copy copies messages of the snapshot to the named mailbox. NotFound (the caller adds TRYCREATE), OverQuota.
func (sel *Selected) Copy(ctx context.Context, uids metadata.UIDSet, dest string) (*metadata.CopyResult, error) {
	panic("stub")
}

// Move is Copy, and expunges the source in the same transaction. The expunges come by Sync, like anybody's.
func (sel *Selected) Move(ctx context.Context, uids metadata.UIDSet, dest string) (*metadata.CopyResult, error) {
	panic("stub")
}

// Expunge removes the messages of uids (nil: all) that have \Deleted. The removals come by Sync.
func (sel *Selected) Expunge(ctx context.Context, uids metadata.UIDSet) (*metadata.ExpungeResult, error) {
	panic("stub")
}

// ExpungeAll removes the messages of uids whatever their flags; for POP3.
func (sel *Selected) ExpungeAll(ctx context.Context, uids metadata.UIDSet) (*metadata.ExpungeResult, error) {
	panic("stub")
}

// SyncOptions say what a Sync may do.
type SyncOptions struct {
	Fresh     bool // compare with the database first; otherwise with what this node knows
	NoExpunge bool // RFC 9051 section 7.5.1: during FETCH, STORE, SEARCH by sequence number
}

// Sync moves the session's snapshot to the present and returns what the client must be told, in the order it must be told:
// expunges (each Seq valid at its moment), then EXISTS, then flags. Without changes all fields are empty and it costs no
// look-up unless Fresh. Gone when the mailbox was deleted: the session must be ended or unselected.
func (sel *Selected) Sync(ctx context.Context, o SyncOptions) (*Updates, error) { panic("stub") }

// Updates are what a session must tell its client.
type Updates struct {
	Expunged      []Expunged         // in the order to be sent
	Exists        bool               // the number of messages or of recent ones grew
	NumMessages   uint32             // after everything here
	NumRecent     uint32             // after everything here
	Flags         []metadata.Message // flags changed by others, ascending
	HighestModSeq metadata.ModSeq
	Gone          bool
}

// Expunged is one removed message.
type Expunged struct {
	Seq SeqNum // for EXPUNGE
	UID metadata.UID
}

// Changed returns a channel that receives (at least) one value after something may have changed since the last Sync. For
// IDLE. May be waited on beside other things by another goroutine.
func (sel *Selected) Changed() <-chan struct{} { panic("stub") }

// Close gives the mailbox up.
func (sel *Selected) Close() { panic("stub") }

// BodyReader reads a body's raw bytes: io.ReaderAt with a context.
type BodyReader struct{}

// Size returns the bytes of BODY[].
func (r *BodyReader) Size() int64 { panic("stub") }

// ReadAt fills p from offset off; io.EOF with fewer bytes at the end. Errors: Unavailable, Internal.
func (r *BodyReader) ReadAt(ctx context.Context, p []byte, off int64) (int, error) { panic("stub") }

var _ = blobstore.FrameSize
