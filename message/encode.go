package message

import (
	"github.com/fxamacker/cbor/v2"
)

// storedVersion is the version of the stored form that Encode writes and the only one that Decode reads.
const storedVersion = 1

// stored is the stored form of a Structure, a CBOR array of three.
//
// Text has the kept fields as they stand in the message, one behind the other, and then all other strings. Numbers says
// where they are and has all else: size, flags, the number of kept fields and the length of each, and the parts, each
// before its children, the message first, and last, if there is one, the preview. What follows from the kept fields (the message's envelope, type, parameters and
// so on) is not stored but read from them again.
//
// A part is: bytes from the end of the sibling before it, or from the parent's BodyOffset, to HeaderOffset; bytes of header;
// bytes of body; HeaderLines; Lines; number of children; and, unless it is the message itself, Type, Subtype, Encoding,
// Params, and bits that say which of the rarer strings follow. A string is its length, or -1-i for commonTokens[i]. One
// that may be nil is a length plus one, 0 for nil. A list is a number and its items.
type stored struct {
	_       struct{} `cbor:",toarray"`
	Version uint
	Text    []byte
	Numbers []int64
}

// Bits of the flags of a message.
const (
	flagIncomplete = 1 << iota
	flagPlain      // the message is a leaf by Part.plain
	flagOpaque     // the message is a leaf by Part.opaque
	flagEnvelope   // the message embeds another, whose envelope follows the part
	flagPreview    // the preview follows the parts
	knownFlags     = 1<<iota - 1
)

// Bits for what a part has.
const (
	hasDisposition = 1 << iota
	hasID
	hasDescription
	hasMD5
	hasLanguage
	hasLocation
	hasEnvelope
	knownParts = 1<<iota - 1
)

// Encode returns the stored form of what a Scanner or Decode returned: versioned, compact CBOR.
func (s *Structure) Encode() []byte {
	size := 0
	for _, f := range s.Fields {
		size += len(f.Raw)
	}
	e := encoder{text: make([]byte, 0, size+64), numbers: make([]int64, 0, 64)}

	h := make(header, 0, len(s.Fields))
	for _, f := range s.Fields {
		e.text = append(e.text, f.Raw...)
		h = h.appendField(string(f.Raw))
	}
	var declared Part
	h.describe(&declared, false)
	flags := 0
	switch {
	case declared.Type == s.Root.Type:
	case s.Root.Type == "text":
		flags |= flagPlain
	default:
		flags |= flagOpaque
	}
	if s.Root.Envelope != nil {
		flags |= flagEnvelope
	}
	if s.incomplete {
		flags |= flagIncomplete
	}
	if s.Preview != nil {
		flags |= flagPreview
	}
	e.add(s.Size, int64(flags), int64(len(s.Fields)))
	for _, f := range s.Fields {
		e.add(int64(len(f.Raw)))
	}
	e.part(&s.Root, 0, true)
	if s.Preview != nil {
		e.add(int64(len(*s.Preview)))
		e.text = append(e.text, *s.Preview...)
	}

	out, err := encMode.Marshal(stored{Version: storedVersion, Text: e.text, Numbers: e.numbers})
	if err != nil {
		panic("message: encoding bytes and integers: " + err.Error())
	}
	return out
}

var encMode = func() cbor.EncMode {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		panic(err)
	}
	return mode
}()

type encoder struct {
	text    []byte
	numbers []int64
}

func (e *encoder) add(n ...int64) { e.numbers = append(e.numbers, n...) }

func (e *encoder) string(s string) {
	if i, ok := tokenIndex[s]; ok {
		e.add(int64(-1 - i))
		return
	}
	e.add(int64(len(s)))
	e.text = append(e.text, s...)
}

func (e *encoder) pointer(s *string) {
	if s == nil {
		e.add(0)
		return
	}
	e.add(int64(len(*s)) + 1)
	e.text = append(e.text, *s...)
}

func (e *encoder) params(params []Param) {
	e.add(int64(len(params)))
	for _, p := range params {
		e.string(p.Name)
		e.string(p.Value)
	}
}

// part writes a part whose header may begin at the offset from.
func (e *encoder) part(p *Part, from int64, root bool) {
	e.add(p.HeaderOffset-from, p.BodyOffset-p.HeaderOffset, p.End-p.BodyOffset, p.HeaderLines, p.Lines, int64(len(p.Children)))
	switch {
	case !root:
		e.media(p)
	case p.Envelope != nil:
		e.envelope(p.Envelope)
	}
	from = p.BodyOffset
	for i := range p.Children {
		e.part(&p.Children[i], from, false)
		from = p.Children[i].End
	}
}

func (e *encoder) media(p *Part) {
	e.string(p.Type)
	e.string(p.Subtype)
	e.string(p.Encoding)
	e.params(p.Params)
	bits := 0
	for i, has := range [...]bool{
		p.Disposition != "", p.ID != "", p.Description != "", p.MD5 != "", len(p.Language) > 0, p.Location != "", p.Envelope != nil,
	} {
		if has {
			bits |= 1 << i
		}
	}
	e.add(int64(bits))
	if bits&hasDisposition != 0 {
		e.string(p.Disposition)
		e.params(p.DispositionParams)
	}
	for _, s := range []string{p.ID, p.Description, p.MD5, p.Location} {
		if s != "" {
			e.string(s)
		}
	}
	if bits&hasLanguage != 0 {
		e.add(int64(len(p.Language)))
		for _, tag := range p.Language {
			e.string(tag)
		}
	}
	if bits&hasEnvelope != 0 {
		e.envelope(p.Envelope)
	}
}

func (e *encoder) envelope(env *Envelope) {
	e.pointer(env.Date)
	e.pointer(env.Subject)
	e.pointer(env.InReplyTo)
	e.pointer(env.MessageID)
	for i, list := range [...][]Address{env.From, env.Sender, env.ReplyTo, env.To, env.Cc, env.Bcc} {
		if (i == 1 || i == 2) && sameAddresses(list, env.From) {
			list = nil // by default
		}
		e.add(int64(len(list)))
		for _, a := range list {
			e.pointer(a.Name)
			e.pointer(a.Route)
			e.pointer(a.Mailbox)
			e.pointer(a.Host)
		}
	}
}

// sameAddresses reports whether two lists are one and the same array.
func sameAddresses(a, b []Address) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}
