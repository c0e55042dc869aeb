package metadata

import "time"

// Mailbox is a mailbox's row.
type Mailbox struct {
	ID             MailboxID
	Account        AccountID
	Name           string // UTF-8, "/" between levels; INBOX is always exactly "INBOX"
	UIDValidity    UIDValidity
	UIDNext        UID    // the UID the next message gets
	HighestModSeq  ModSeq // at least 1, also when empty
	ExpungedBefore ModSeq // expunged rows with a MODSEQ at or below this one may have been purged; 0: none was
	Messages       uint32
	Unseen         uint32 // messages without \Seen
	Deleted        uint32 // messages with \Deleted
	Size           int64  // sum of the messages' sizes in bytes
	FirstRecent    UID    // messages from this UID on have not been announced to any session as \Recent
	SpecialUse     string // "\\Sent" and so on, RFC 6154; "" for none
	Created        time.Time
}

// NewMailbox is what CreateMailbox and CreateAccounts store.
type NewMailbox struct {
	ID         MailboxID
	Name       string
	Parent     string // CreateMailbox: the mailbox whose ACL it gets when there is none above it; "" for none
	SpecialUse string
	Subscribed bool
}
