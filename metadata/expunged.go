package metadata

import (
	"context"
	"time"
)

// ExpungedStore is what is left of expunged messages: the expunge log that QRESYNC (RFC 7162) asks, and what ends it.
type ExpungedStore interface {
	// VanishedSince returns the UIDs that were expunged from a mailbox after since, from one snapshot: ChangesSince without the
	// messages that are there. NotFound.
	VanishedSince(ctx context.Context, id MailboxID, since ModSeq) (*Vanished, error)
	// PurgeExpunged removes expunged rows for good and notes in the mailbox's ExpungedBefore up to which MODSEQ some may be
	// missing; HighestModSeq stays. A mailbox that was deleted has expunged rows too. Rows that are not there are no error.
	// Runs in several transactions that each leave a correct state.
	PurgeExpunged(ctx context.Context, req PurgeExpunged) (purged int, err error)
}

// Vanished is what was expunged from a mailbox after a MODSEQ.
type Vanished struct {
	Mailbox  Mailbox
	UIDs     UIDSet
	Complete bool // false: expunged rows of that age were purged; UIDs may lack some
}

// PurgeExpunged says which expunged rows of a mailbox go: those for which both bounds hold.
type PurgeExpunged struct {
	Account AccountID
	Mailbox MailboxID
	UpTo    ModSeq    // with a MODSEQ at or below this one
	Before  time.Time // expunged before this time
}
