package metadata

import "time"

// Flags are the system flags of RFC 9051 section 2.3.2 as bits. \Recent is not among them: it belongs to a session.
type Flags uint8

// The system flags. Their values are stored: never change one.
const (
	FlagSeen Flags = 1 << iota
	FlagAnswered
	FlagFlagged
	FlagDeleted
	FlagDraft
)

// Message is a message's row: everything that may change, and what commands need most.
type Message struct {
	UID          UID
	Flags        Flags
	Keywords     string // sorted case-insensitively, one space between; "" for none
	ModSeq       ModSeq
	InternalDate time.Time // UTC, to the microsecond
	SaveDate     time.Time // UTC, when it came into this mailbox
	Size         int64     // bytes of BODY[], prefix included
	Body         BodyID
}

// Body is a body's row: where its bytes are and what is known of them. Immutable but for Pack, Offset, Length and Frames,
// which compaction swaps.
type Body struct {
	Account AccountID
	ID      BodyID
	Pack    PackID
	Offset  int64  // of the first frame in the pack, bytes
	Length  int64  // of all frames in the pack, bytes
	Frames  []byte // how the frames lie (see blobstore.Location); opaque here
	Stored  int64  // raw bytes in the pack
	Prefix  []byte // raw header lines that come before the stored bytes, for this account only (Return-Path, Delivered-To)
	Hash    []byte // SHA-256 of the stored raw bytes
	Summary []byte // see message.Summary; opaque here
}

// Size returns the bytes of BODY[]: prefix and stored bytes.
func (b *Body) Size() int64 { return int64(len(b.Prefix)) + b.Stored }

// Pack is a pack's row.
type Pack struct {
	ID      PackID
	Size    int64 // bytes of the object
	Bodies  int
	Created time.Time
}

// AppendItem is one message that becomes visible in one mailbox.
type AppendItem struct {
	Account      AccountID
	Mailbox      MailboxID
	Body         Body         // Body.Account == Account
	Links        []ThreadLink // of the body, those that say most first; see ThreadStore
	Flags        Flags
	Keywords     string
	InternalDate time.Time
	SaveDate     time.Time
	IgnoreQuota  bool
	QuotaGrace   int64 // percent of the limits by which this message may exceed them
}

// AppendBatch is one transaction's worth of new messages, for any number of accounts.
type AppendBatch struct {
	Packs []Pack // rows for packs these bodies are in; a pack that is there already is left as it is
	Items []AppendItem
	// AllOrNone: when one item is refused nothing happens, and the others' Err is of the kind Invalid. UIDs of items for one
	// mailbox are consecutive.
	AllOrNone bool
}

// AppendResult says what became of the AppendItem with the same index. Err is nil, or an Error of kind NotFound (the mailbox
// or account is gone) or OverQuota; the other items are not touched by it.
type AppendResult struct {
	UID         UID
	UIDValidity UIDValidity
	ModSeq      ModSeq
	Use         Use // of the account, right after this message; not known of one that was there already
	Err         error
}

// FlagOp is how StoreFlags combines the given flags with those a message has.
type FlagOp uint8

// The three STORE operations of RFC 9051 section 6.4.6.
const (
	FlagsReplace FlagOp = iota
	FlagsAdd
	FlagsRemove
)

// StoreFlags is a STORE command.
type StoreFlags struct {
	Account        AccountID
	Mailbox        MailboxID
	UIDs           UIDSet
	Op             FlagOp
	Flags          Flags
	Keywords       []string // compared case-insensitively with those there; the first spelling stays
	UnchangedSince *ModSeq  // RFC 7162 section 3.1.3; nil: unconditional
	// KeepFlags and KeepKeywords are what stays as it is whatever Op, Flags and Keywords say: who stores has no right to it.
	KeepFlags    Flags
	KeepKeywords bool
}

// StoreResult is what a STORE did.
type StoreResult struct {
	ModSeq   ModSeq    // the mailbox's HIGHESTMODSEQ after it
	Changed  []Message // rows whose flags changed, ascending by UID, with the new MODSEQ
	Same     []Message // rows that had those flags already: not written, MODSEQ as it was
	Modified UIDSet    // failed UnchangedSince: untouched
	Missing  UIDSet    // no such message (any more)
}

// CopyRequest is a COPY or MOVE command. The mailboxes may belong to different accounts.
type CopyRequest struct {
	Account     AccountID
	Source      MailboxID
	UIDs        UIDSet
	DestAccount AccountID
	Dest        MailboxID
	SaveDate    time.Time
	IgnoreQuota bool
	// DropFlags and DropKeywords are what the copies do not get (RFC 4314 section 4).
	DropFlags    Flags
	DropKeywords bool
}

// CopyResult pairs Source[i] with Dest[i], ascending. UIDs that no longer existed are left out.
type CopyResult struct {
	UIDValidity  UIDValidity // of the destination
	Source, Dest []UID
	DestModSeq   ModSeq
	SourceModSeq ModSeq // MOVE only: the MODSEQ of the expunges in the source
	Use          Use    // of the destination's account, right after it; not known when it grew by nothing
	Bytes        int64  // by which it grew
}

// ExpungeRequest removes messages. With OnlyDeleted, those of UIDs (or all, if UIDs is nil) that have \Deleted.
type ExpungeRequest struct {
	Account     AccountID
	Mailbox     MailboxID
	UIDs        UIDSet // nil: every message
	OnlyDeleted bool
}

// ExpungeResult lists what was removed.
type ExpungeResult struct {
	ModSeq ModSeq // the mailbox's HIGHESTMODSEQ after it
	UIDs   UIDSet
}

// Changes is what happened in a mailbox after a MODSEQ, from one snapshot.
type Changes struct {
	Mailbox  Mailbox
	Changed  []Message // new or with changed flags, ascending by UID
	Vanished UIDSet    // expunged after the MODSEQ
	Complete bool      // false: expunged rows of that age were purged; Vanished may lack some
}
