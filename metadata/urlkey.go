package metadata

import "context"

// URLKeyStore is the secrets with which accounts vouch for URLs into mailboxes (RFC 4467 section 2.4.2): one for each account and
// mailbox, which may be another account's.
type URLKeyStore interface {
	// URLKey returns the key, which is made from fresh if there is none; with a nil fresh that is NotFound.
	URLKey(ctx context.Context, account AccountID, mailbox MailboxID, fresh []byte) ([]byte, error)
	// ResetURLKeys forgets the account's keys for some mailboxes, or all its keys if none is named. What they vouched for is
	// worth nothing from then on.
	ResetURLKeys(ctx context.Context, account AccountID, mailboxes ...MailboxID) error
}
