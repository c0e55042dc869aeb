package bench

import (
	"bytes"
	"fmt"
	"math/rand/v2"
)

// words are what bench messages are made of: text compresses as mail does, not as noise or zeroes do.
var words = []string{"the", "of", "and", "to", "in", "that", "was", "with", "for", "it", "letter", "yesterday", "meeting", "invoice",
	"regards", "please", "find", "attached", "garden", "winter", "project", "number", "server", "question", "answer", "family"}

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
