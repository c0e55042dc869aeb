package message

// Structure is what Scanner found out about a message. Encoded it is the summary stored beside the body (see Encode).
// All offsets are in bytes from the first byte of the message; a prefix put before it shifts them (see Decode).
type Structure struct {
	Size     int64 // raw bytes
	Root     Part  // the message as a part
	Envelope Envelope
	Fields   []Field // the kept fields of the top header, in the order of the message; see KeptField

	// Preview is what Preview returned, once somebody has asked it; nil: nobody did.
	Preview *string

	incomplete bool // a kept field was cut or left out
}

// Field is one header field as it stands in the message: Name without the colon, Raw with name, colon, folding and CRLF.
type Field struct {
	Name string
	Raw  []byte
}

// Part is a MIME part. For a message/rfc822 part Children holds one Part, the embedded message, and Envelope its envelope.
// A message that is not multipart is a Part with Type text (or what it says) and no Children; it is "1" in FETCH terms.
//
// It always holds, so that BODYSTRUCTURE can be written from it without further questions: Type is "multipart" if and only
// if the part has children of its own; it is message/rfc822 or message/global if and only if Envelope is set and there is
// exactly one child. A multipart without boundary or without any part is text/plain; an embedded message under a
// Content-Transfer-Encoding, or a part beyond the bounds of limits.go, is application/octet-stream.
// HeaderOffset <= BodyOffset <= End; the header and body of a child lie within the body of its parent, one child behind
// the other.
type Part struct {
	HeaderOffset int64 // of the part's header's first byte
	BodyOffset   int64 // of the first byte after the header's blank line
	End          int64 // of the first byte after the body (the CRLF before a boundary belongs to the boundary)
	HeaderLines  int64 // line ends in the header, the blank line included
	Lines        int64 // line ends in the body

	Type              string // "text", lower case; defaults as RFC 2045 section 5.2 and RFC 2046 section 5.1.5 say
	Subtype           string // "plain", lower case
	Params            []Param
	ID                string // Content-ID, "" for none
	Description       string
	Encoding          string // Content-Transfer-Encoding, lower case; "7bit" when absent
	MD5               string
	Disposition       string // lower case, "" for none
	DispositionParams []Param
	Language          []string
	Location          string

	Envelope *Envelope // message/rfc822 and message/global only
	Children []Part
}

// Param is a parameter of Content-Type or Content-Disposition; Name in lower case. RFC 2231 continuations are joined, as
// its section 6 asks of IMAP servers, and nothing is decoded: RFC 2047 words, 8-bit bytes and the extended form ("filename*"
// with value utf-8”na%C3%AFve) are for the client. DecodeParam decodes them.
type Param struct{ Name, Value string }

// Envelope is the ENVELOPE of RFC 9051 section 7.5.2. Strings are as the message has them (unfolded, RFC 2047 words not
// decoded, no CR, LF or NUL); nil means the field is not there.
type Envelope struct {
	Date      *string
	Subject   *string
	From      []Address
	Sender    []Address // From when absent or empty
	ReplyTo   []Address // From when absent or empty
	To        []Address
	Cc        []Address
	Bcc       []Address
	InReplyTo *string
	MessageID *string
}

// Address is an address of an ENVELOPE. A group begins with one whose Mailbox is the group's name and whose Host is nil, and
// ends with one that has neither. In every other address Mailbox and Host are set; a broken one has "" for what it lacks.
type Address struct {
	Name    *string
	Route   *string // at-domain-list
	Mailbox *string
	Host    *string
}
