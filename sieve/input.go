package sieve

import (
	"io"

	"github.com/rookery-mail/rookery/message"
)

// Input is the message a script runs on and what is known of its delivery.
type Input struct {
	Message   io.ReaderAt        // the raw message
	Size      int64              // its bytes
	Structure *message.Structure // what message.Scan says of it; nil: it is scanned when a test needs it

	Envelope Envelope

	// Flags are the flags and keywords the message has already: nil at delivery, those of the stored message at an IMAP event.
	Flags []string

	// Environment has the items of RFC 5183 by name, in lower case: "domain", "host", "location" ("MDA"), "name", "phase"
	// ("during"), "remote-host", "remote-ip", "version". Items of Event need not be in it.
	Environment map[string]string

	// Event is the IMAP event that started the script (RFC 6785), nil at delivery.
	Event *Event

	// Addresses are the user's own: vacation answers only what was sent to one of them, or to the envelope's recipient.
	Addresses []string

	// Spam is the message's spam score as percentage, 0 to 100; nil when it was not tested (RFC 5235 section 2).
	Spam *float64
	// Virus is 1 (no virus) to 5 (certainly one), 0 when the message was not tested (RFC 5235 section 3.1).
	Virus int

	// Delimiter separates the user from the detail of an address (RFC 5233): the first character of it that occurs does. ""
	// is "+"; with NoDelimiter no address has a detail.
	Delimiter string
}

// NoDelimiter is the Input.Delimiter of hosts whose addresses have no details.
const NoDelimiter = "\x00"

// Envelope is the SMTP envelope of a delivery, addresses without angle brackets.
type Envelope struct {
	From   string // the reverse path, "" for the null one
	To     string // the recipient this delivery is for, as it was given in RCPT TO
	Auth   string // user name of the submitter, "" if unknown; the part "auth" of the envelope test
	Absent bool   // there is none, as at an IMAP event: every envelope test is a Failure
}

// Event is the IMAP event of RFC 6785 section 4; its items are those of the environment test.
type Event struct {
	Cause        string   // "imap.cause": "APPEND", "COPY", or "FLAG"
	Mailbox      string   // "imap.mailbox": where the message is now, UTF-8
	User         string   // "imap.user"
	Email        string   // "imap.email"
	ChangedFlags []string // "imap.changedflags"
}
