package sieve

import (
	"net/url"
	"time"
)

// Action is one thing that is to be done with a message: *Keep, *FileInto, *Redirect, *Reject, *Discard, *Vacation or
// *Notify. Actions are in the order in which they ran; the implicit keep is the last.
type Action interface {
	// Position returns the script and the place in it that the action comes from; the zero Pos for the implicit keep.
	Position() (script string, pos Pos)
}

// Origin says where an action comes from; every action embeds it.
type Origin struct {
	Script string // Options.Name
	Pos    Pos
}

// Position returns the origin's fields.
func (o Origin) Position() (string, Pos) { return o.Script, o.Pos }

// Keep stores the message in the user's INBOX with exactly the flags given. There is at most one in a Result. At an IMAP event
// the message is where it is already and gets these flags; without a Keep it gets \Deleted (RFC 6785 section 3).
type Keep struct {
	Origin
	Implicit bool // no keep command asked for it
	Message  *Message
	Flags    []string // system flags as `\Seen`, keywords; none twice
}

// FileInto stores the message in a mailbox. MailboxID and SpecialUse come first: Mailbox is where it goes when they name none
// (RFC 9042 section 4, RFC 8579 section 4). If that does not exist either and Create is not set, it goes to INBOX or the
// script fails, as the host likes; it must not be lost. No two of a Result go to the same mailbox by name.
type FileInto struct {
	Origin
	Mailbox    string // UTF-8
	MailboxID  string // "" for none
	SpecialUse string // as `\Archive`, "" for none
	Create     bool   // make the mailbox if it does not exist (RFC 5490 section 3.2); SpecialUse is then given to it
	Copy       bool
	Message    *Message
	Flags      []string
}

// Redirect sends the message on with the envelope sender that the host thinks right. The host adds its trace fields and
// detects loops: it should count Received fields and refuse what it redirected before.
type Redirect struct {
	Origin
	Address string // addr-spec, syntactically valid
	List    string // canonical name of the external list that the address is in (RFC 6134), "" for none
	Copy    bool
	Message *Message
}

// Reject refuses the message (RFC 5429). SMTPText is the text for an answer in the transaction; Outgoing builds the report to
// be sent where that is not possible.
type Reject struct {
	Origin
	Reason   string // UTF-8
	Extended bool   // ereject: rather refuse it in the SMTP or LMTP transaction than send a report
	Sender   string // whom a report goes to: the envelope sender; "" means to nobody
	To       string // the recipient who rejects
	Original Original
	Message  *Message
}

// Discard throws the message away: it stands in a Result only when nothing else stores or sends the message on.
type Discard struct{ Origin }

// Vacation answers the sender (RFC 5230). It stands in a Result only when the rules on whom not to answer (section 4.5, 4.6)
// allow an answer; Result.NoAnswer says why there is none. The host checks whether the same answer, by Key and Recipient, was
// sent within Interval. Outgoing builds the answer.
type Vacation struct {
	Origin
	Interval  time.Duration // 0, by ":seconds 0", means to answer each time
	Key       string        // names the answer for the memory of RFC 5230 section 4.2: 64 letters and digits
	Recipient string        // whom to answer: the envelope sender
	Subject   string        // UTF-8, never ""
	From      string        // RFC 5322 mailbox: ":from", or the address of the user that the message was for
	MIME      bool          // Reason is a MIME entity, header and body
	Reason    string
	FCC       *FCC // nil for no copy
	Original  Original
}

// Notify sends a notification (RFC 5435). For mailto Outgoing builds the message.
type Notify struct {
	Origin
	Method     *url.URL // its scheme is "mailto" or one that Host.NotifyMethod said yes to
	From       string   // RFC 5322 mailbox, "" for none
	Importance int      // 1 urgent, 2 normal, 3 low
	Options    []string // "name=value"
	Text       string   // the ":message"; "" for none: Original has what RFC 5435 section 3.6 recommends
	FCC        *FCC     // nil for no copy
	Sender     string   // envelope sender of the message; a notification of one without has none either (RFC 5436 section 2.7)
	To         string   // envelope recipient: whose notification it is
	Original   Original
}

// Original is what a generated message needs to know of the one that caused it: header values, unfolded, "" for none.
type Original struct {
	MessageID  string
	References string // or In-Reply-To when there are none
	From       string // UTF-8
	Subject    string // UTF-8
	Date       string
}

// FCC asks for a copy of the message that was generated (RFC 8580) in a mailbox of the user. Its other fields are as those of
// FileInto.
type FCC struct {
	Mailbox    string
	MailboxID  string
	SpecialUse string
	Create     bool
	Flags      []string
}

// Result is what a run came to.
type Result struct {
	Actions []Action

	// Message is the message with all edits; Actions refer to earlier states of it.
	Message *Message

	// Duplicates is what the host is to remember when, and only when, the actions have been carried out (RFC 7352 section 3.1).
	Duplicates []DuplicateMark

	// NoAnswer says why a vacation command that ran answers nobody, in a person's words; "" if none ran or there is an answer.
	NoAnswer string

	// Failure is why a script ended early; nil if none did. The actions of that script are not in Actions, a Keep is.
	Failure *Failure

	// Steps is what of Limits.Steps the run used.
	Steps int
}

// DuplicateMark is an id to remember for a time from now on.
type DuplicateMark struct {
	ID  DuplicateID
	For time.Duration
}
