package metadata

import "context"

// ReplaceStore puts one message in the place of another.
type ReplaceStore interface {
	// Replace is Append of one message and Expunge of another in one transaction (RFC 8508): nobody sees both or neither, and
	// the quota is asked whether the new one fits when the old one is gone. NotFound when a mailbox or account is gone
	// (ClientText says which), Expunged when the old message is, OverQuota; nothing has happened then.
	Replace(ctx context.Context, req ReplaceRequest) (*ReplaceResult, error)
}

// ReplaceRequest is a REPLACE command. The mailboxes may belong to different accounts.
type ReplaceRequest struct {
	Account AccountID // of the old message
	Mailbox MailboxID
	UID     UID

	Pack Pack // that Item's body is in
	Item AppendItem
}

// ReplaceResult is what Replace did.
type ReplaceResult struct {
	UID          UID // of the new message
	UIDValidity  UIDValidity
	ModSeq       ModSeq
	SourceModSeq ModSeq // of the expunge; may be the same
}

// MessageFinder finds single messages of mailboxes that are not open.
type MessageFinder interface {
	// MessagesByUID returns the messages there are of some UIDs, ascending. Few statements; for hundreds, not for a mailbox.
	MessagesByUID(ctx context.Context, id MailboxID, uids []UID) ([]Message, error)
}
