package bench

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strconv"
)

// words are what bench messages are made of: text compresses as mail does, not as noise or zeroes do.
var words = []string{"the", "of", "and", "to", "in", "that", "was", "with", "for", "it", "letter", "yesterday", "meeting", "invoice",
	"regards", "please", "find", "attached", "garden", "winter", "project", "number", "server", "question", "answer", "family"}

// Messages makes messages of about one size, cheaply: what is measured is the server. Each has its own header and one of
// some texts made beforehand.
type Messages struct {
	Replies float64 // the share of messages that answer one sent to the same recipient before

	rnd   *rand.Rand
	texts [][]byte
	last  map[string]*conversation // by recipient, as far as this goroutine has written to it
}

// conversation is what a reply to the last message of one needs.
type conversation struct {
	subject string
	ids     []string // Message-IDs without brackets, the newest last; as many as a References field of usual length
}

// maxReferences is how many Message-IDs a reply refers to.
const maxReferences = 6

// manyTexts is up to which size messages have different texts; above it one is enough, and memory.
const manyTexts = 256 << 10

// NewMessages prepares messages of about size bytes.
func NewMessages(rnd *rand.Rand, size int) *Messages {
	m := &Messages{rnd: rnd}
	n := 16
	if size > manyTexts {
		n = 1
	}
	for range n {
		_, text, _ := bytes.Cut(Message(rnd, "a", "b", size-64), []byte("\r\n\r\n"))
		m.texts = append(m.texts, text)
	}
	return m
}

// Share returns Messages with the same texts, for another goroutine.
func (m *Messages) Share(rnd *rand.Rand) *Messages { return &Messages{rnd: rnd, texts: m.texts} }

// Append appends a message's header to b, and returns it and the message's text.
func (m *Messages) Append(b []byte, from, to string) (header, text []byte) {
	b = append(b, "From: Bench Sender <"...)
	b = append(append(b, from...), ">\r\nTo: <"...)
	b = append(append(b, to...), ">\r\nSubject: "...)
	id := m.newID()
	c := m.last[to]
	if c != nil && m.rnd.Float64() < m.Replies {
		b = append(append(b, "Re: "...), c.subject...)
		b = append(append(b, "\r\nIn-Reply-To: <"...), c.ids[len(c.ids)-1]...)
		b = append(b, ">\r\nReferences:"...)
		for _, r := range c.ids {
			b = append(append(append(b, " <"...), r...), '>')
		}
		c.ids = append(c.ids[max(0, len(c.ids)+1-maxReferences):], id)
	} else {
		subject := words[m.rnd.IntN(len(words))] + " " + strconv.Itoa(m.rnd.IntN(1e6))
		b = append(b, subject...)
		if m.Replies > 0 {
			if m.last == nil {
				m.last = make(map[string]*conversation)
			}
			m.last[to] = &conversation{subject: subject, ids: []string{id}}
		}
	}
	b = append(b, "\r\nDate: Mon, 23 Nov 2026 10:00:00 +0100\r\nMessage-ID: <"...)
	b = append(append(b, id...), ">\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"...)
	return b, m.texts[m.rnd.IntN(len(m.texts))]
}

func (m *Messages) newID() string {
	var b [64]byte
	return string(append(strconv.AppendUint(strconv.AppendUint(b[:0], m.rnd.Uint64(), 36), m.rnd.Uint64(), 36), "@bench.example"...))
}

// Message returns a message of about size bytes that is unlike any other: an id, a few header fields, text.
func Message(rnd *rand.Rand, from, to string, size int) []byte {
	var b bytes.Buffer
	b.Grow(size + 256)
	fmt.Fprintf(&b, "From: Bench Sender <%s>\r\nTo: <%s>\r\nSubject: %s %s %d\r\nDate: Mon, 23 Nov 2026 10:00:00 +0100\r\n"+
		"Message-ID: <%016x%016x@bench.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n",
		from, to, words[rnd.IntN(len(words))], words[rnd.IntN(len(words))], rnd.IntN(1e6), rnd.Uint64(), rnd.Uint64())
	col := 0
	for b.Len() < size-2 {
		w := words[rnd.IntN(len(words))]
		if rnd.IntN(8) == 0 {
			w = fmt.Sprintf("%x", rnd.Uint32())
		}
		b.WriteString(w)
		col += len(w) + 1
		if col > 70 {
			b.WriteString("\r\n")
			col = 0
		} else {
			b.WriteByte(' ')
		}
	}
	b.WriteString("\r\n")
	return b.Bytes()
}
