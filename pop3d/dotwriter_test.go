package pop3d

import (
	"bufio"
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
)

// plainReply is a multi-line reply's lines said in the simplest way.
func plainReply(msg string) string {
	var b strings.Builder
	for line := range strings.Lines(msg) {
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if strings.HasPrefix(line, ".") {
			b.WriteByte('.')
		}
		b.WriteString(line + "\r\n")
	}
	return b.String() + ".\r\n"
}

// plainHead is the header, the blank line and n lines of the body.
func plainHead(msg string, n int) string {
	var b strings.Builder
	body := false
	for line := range strings.Lines(msg) {
		if body {
			if n == 0 {
				break
			}
			n--
		}
		b.WriteString(line)
		body = body || strings.Trim(line, "\r\n") == "" && strings.HasSuffix(line, "\n")
	}
	return b.String()
}

// written returns what is written for a message that comes in pieces.
func written(msg string, e extent, r *rand.Rand) string {
	var out bytes.Buffer
	w := dotWriter{w: bufio.NewWriterSize(&out, 16), lineStart: true}
	for len(msg) > 0 {
		piece := []byte(msg[:1+r.IntN(len(msg))])
		n, end := e.next(piece)
		w.write(piece[:n])
		if end {
			break
		}
		msg = msg[len(piece):]
	}
	w.end()
	_ = w.w.Flush()
	return out.String()
}

func TestDotWriter(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for msg, want := range map[string]string{
		"":                       ".\r\n",
		"a":                      "a\r\n.\r\n",
		"a\r\n":                  "a\r\n.\r\n",
		".\r\n..a\r\nb.\r\n":     "..\r\n...a\r\nb.\r\n.\r\n",
		"bare\n.\nLF\n":          "bare\r\n..\r\nLF\r\n.\r\n",
		"bare\r.\rCR\r\n":        "bare\r.\rCR\r\n.\r\n",
		"\x00\xff\r\n\r\n\r\n.x": "\x00\xff\r\n\r\n\r\n..x\r\n.\r\n",
	} {
		for range 20 {
			if got := written(msg, whole{}, r); got != want {
				t.Errorf("%q is written as %q, want %q", msg, got, want)
			}
		}
	}
}

func FuzzDotWriter(f *testing.F) {
	f.Add("a: b\r\n\r\nc\r\n.\r\n", uint64(1), 1)
	f.Add("a: b\n\nc\n..\nd", uint64(7), 2)
	f.Fuzz(func(t *testing.T, msg string, seed uint64, lines int) {
		r := rand.New(rand.NewPCG(seed, 0))
		if strings.HasSuffix(msg, "\r") {
			msg += "\n" // what the simple way says of such an end is another question
		}
		if got, want := written(msg, whole{}, r), plainReply(msg); got != want {
			t.Errorf("RETR of %q: %q, want %q", msg, got, want)
		}
		if lines < 0 {
			lines = -(lines + 1)
		}
		if got, want := written(msg, &head{lines: lines}, r), plainReply(plainHead(msg, lines)); got != want {
			t.Errorf("TOP %d of %q: %q, want %q", lines, msg, got, want)
		}
	})
}

func TestHeadMatchesModel(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for range 20_000 {
		b := make([]byte, r.IntN(40))
		for i := range b {
			b[i] = "a:\r\n\n\n."[r.IntN(7)]
		}
		msg := string(b) + "\n"
		n := r.IntN(4)
		if got, want := written(msg, &head{lines: n}, r), plainReply(plainHead(msg, n)); got != want {
			t.Fatalf("seed %d: TOP %d of %q: %q, want %q", seed, n, msg, got, want)
		}
	}
}
