package lmtpd

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
)

// testBody returns a body that reads what r brings.
func testBody(r io.Reader, ch *chunk) *body {
	c := &conn{srv: &Server{}, in: bufio.NewReaderSize(r, 16)}
	return newBody(c, ch)
}

// plainDots is readDots said in the simplest way: whole input, line by line. ok is false when the end is missing.
func plainDots(in string) (data, rest string, ok bool) {
	for {
		line, after, found := strings.Cut(in, "\r\n")
		if !found {
			return "", "", false
		}
		if line == "." {
			return data, after, true
		}
		data += strings.TrimPrefix(line, ".") + "\r\n"
		in = after
	}
}

func TestDots(t *testing.T) {
	for _, c := range []struct{ name, in, data, rest string }{
		{"empty", ".\r\n", "", ""},
		{"one line", "a\r\n.\r\n", "a\r\n", ""},
		{"stuffed", "..\r\n..a\r\n.b\r\n.\r\n", ".\r\n.a\r\nb\r\n", ""},
		{"dot within", "a.\r\n.\r\n", "a.\r\n", ""},
		{"bare LF", "a\n.\nb\n.\r\nc\r\n.\r\n", "a\n.\nb\n.\r\nc\r\n", ""},
		{"bare CR", "a\r.\rb\r\n.\r\n", "a\r.\rb\r\n", ""},
		{"dot and CR", ".\ra\r\n.\r\n", "\ra\r\n", ""},
		{"CR before CRLF", "a\r\r\n.\r\n", "a\r\r\n", ""},
		{"LF ends no line", "a\n.\r\n.\r\n", "a\n.\r\n", ""},
		{"dot and LF", "a\r\n.\n.\r\n.\r\n", "a\r\n\n.\r\n", ""},
		{"NUL", "\x00.\x00\r\n.\r\n", "\x00.\x00\r\n", ""},
		{"rest", "a\r\n.\r\nQUIT\r\n", "a\r\n", "QUIT\r\n"},
	} {
		b := testBody(strings.NewReader(c.in), nil)
		data, err := io.ReadAll(b)
		rest, _ := io.ReadAll(b.c.in)
		if err != nil || string(data) != c.data || string(rest) != c.rest {
			t.Errorf("%s: got %q, rest %q, %v; want %q, rest %q", c.name, data, rest, err, c.data, c.rest)
		}
		if data, rest, ok := plainDots(c.in); !ok || data != c.data || rest != c.rest {
			t.Errorf("%s: the model says %q, rest %q", c.name, data, rest)
		}
	}
}

func TestDotsMatchModel(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for range 20_000 {
		in := make([]byte, r.IntN(60))
		for i := range in {
			in[i] = "...\r\r\n\n\r\na"[r.IntN(10)]
		}
		checkDots(t, string(in), seed)
		checkDots(t, string(in)+"\r\n.\r\nNOOP\r\n", seed)
	}
}

func checkDots(t *testing.T, in string, seed uint64) {
	t.Helper()
	want, wantRest, complete := plainDots(in)
	for _, pieces := range []func(io.Reader) io.Reader{
		func(r io.Reader) io.Reader { return r }, iotest.OneByteReader, iotest.HalfReader, iotest.DataErrReader,
	} {
		for _, size := range []int{1, 2, 3, 7, 100} {
			reader := pieces(strings.NewReader(in))
			b := testBody(reader, nil)
			var got bytes.Buffer
			_, err := io.CopyBuffer(struct{ io.Writer }{&got}, struct{ io.Reader }{b}, make([]byte, size))
			if !complete {
				if !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Fatalf("seed %d: %q is not complete, but got %q, %v", seed, in, got.String(), err)
				}
				continue
			}
			rest, _ := io.ReadAll(b.c.in)
			if err != nil || got.String() != want || string(rest) != wantRest {
				t.Fatalf("seed %d: %q in pieces of %d: got %q, rest %q, %v; want %q, rest %q", seed, in, size, got.String(), rest, err, want, wantRest)
			}
		}
	}
}

func FuzzDots(f *testing.F) {
	f.Add([]byte("a\r\n.\r\n"))
	f.Add([]byte("..\r\n.\ra\r\r\n.\r\nrest"))
	f.Fuzz(func(t *testing.T, in []byte) { checkDots(t, string(in), 0) })
}
