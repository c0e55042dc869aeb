package imapd

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// packets is a connection that delivers one packet a Read, and then waits for ever: it fails with errWaits.
type packets struct{ left [][]byte }

var errWaits = errors.New("nothing comes")

func (c *packets) Read(p []byte) (int, error) {
	if len(c.left) == 0 {
		return 0, errWaits
	}
	n := copy(p, c.left[0])
	if c.left[0] = c.left[0][n:]; len(c.left[0]) == 0 {
		c.left = c.left[1:]
	}
	return n, nil
}

// Whatever the client's level, however it cuts its stream, and whether or not it refers to what it said long ago.
func TestInflaterParks(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, level := range []int{flate.NoCompression, flate.BestSpeed, flate.DefaultCompression, flate.HuffmanOnly} {
		for _, cut := range []int{1, 7, 100, 5000, 1 << 20} {
			var sent, plain bytes.Buffer
			w, err := flate.NewWriter(&sent, level)
			if err != nil {
				t.Fatal(err)
			}
			conn := &packets{}
			in := newInflater(conn, nil)
			var got bytes.Buffer
			for i := range 60 {
				line := strings.Repeat("a"+string(rune('0'+i%10))+" UID FETCH 1:* FLAGS ", rnd.IntN(200)) + "\r\n"
				if i%7 == 0 { // what cannot be compressed
					b := make([]byte, rnd.IntN(5000))
					for j := range b {
						b[j] = byte(rnd.Uint32())
					}
					line += string(b)
				}
				plain.WriteString(line)
				sent.Reset()
				_, _ = io.WriteString(w, line)
				if err := w.Flush(); err != nil {
					t.Fatal(err)
				}
				for b := bytes.Clone(sent.Bytes()); len(b) > 0; {
					n := min(cut, len(b))
					conn.left = append(conn.left, b[:n])
					b = b[n:]
				}
				if _, err := io.Copy(&got, in); !errors.Is(err, errWaits) {
					t.Fatalf("level %d cut %d: %v", level, cut, err)
				}
				if in.codes != nil || in.box != nil {
					t.Fatalf("level %d cut %d: a waiting inflater holds its decoder", level, cut)
				}
				if len(in.window) > 32<<10 {
					t.Fatalf("a window of %d bytes", len(in.window))
				}
			}
			if !bytes.Equal(got.Bytes(), plain.Bytes()) {
				t.Fatalf("level %d cut %d: %d bytes differ from the %d sent", level, cut, got.Len(), plain.Len())
			}
		}
	}
}

// A flush that ends within a byte, as zlib's Z_PARTIAL_FLUSH does, holds nothing back: what is missing of the last byte is the
// beginning of what comes later.
func TestInflaterPartialFlush(t *testing.T) {
	var stream bitWriter
	conn := &packets{}
	in := newInflater(conn, nil)
	for i := range 100 {
		line := strings.Repeat("x", i%9) + " NOOP\r\n"
		stream.bits(0, 1) // not the last block
		stream.bits(1, 2) // with the fixed codes
		for _, c := range []byte(line) {
			stream.code(0x30+int(c), 8)
		}
		stream.code(0, 7)
		stream.bits(2, 3) // an empty block, fixed codes: BFINAL 0, BTYPE 01
		stream.code(0, 7)
		conn.left = append(conn.left, stream.whole())
		got := make([]byte, 100)
		n, err := io.ReadAtLeast(in, got, len(line))
		if err != nil || string(got[:n]) != line {
			t.Fatalf("round %d: %q, %v, want %q", i, got[:n], err, line)
		}
	}
}

// bitWriter writes DEFLATE's bits.
type bitWriter struct {
	out  []byte
	hold uint64
	held int
}

// bits writes a number, its lowest bit first.
func (w *bitWriter) bits(v, n int) {
	w.hold |= uint64(v) << w.held
	for w.held += n; w.held >= 8; w.held -= 8 {
		w.out = append(w.out, byte(w.hold))
		w.hold >>= 8
	}
}

// code writes a code, its highest bit first.
func (w *bitWriter) code(v, n int) {
	for n--; n >= 0; n-- {
		w.bits(v>>n&1, 1)
	}
}

// whole returns the bytes that are full.
func (w *bitWriter) whole() []byte {
	b := w.out
	w.out = nil
	return b
}

// What waits in the middle of a block keeps its decoder, and goes on.
func TestInflaterWithinBlock(t *testing.T) {
	var sent bytes.Buffer
	w, _ := flate.NewWriter(&sent, flate.BestCompression)
	text := strings.Repeat("a NOOP\r\n", 1000)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	conn := &packets{}
	in := newInflater(conn, sent.Bytes()[:3])
	var got bytes.Buffer
	half := sent.Len() / 2
	conn.left = [][]byte{sent.Bytes()[3:half], sent.Bytes()[half:]}
	if _, err := io.Copy(&got, in); err != nil || got.String() != text {
		t.Fatalf("%d bytes, %v", got.Len(), err)
	}
}

// The inflater and the decoder of the standard library agree on everything, however it is cut.
func FuzzInflater(f *testing.F) {
	for _, level := range []int{0, 1, 6, 9, -2} {
		var sent bytes.Buffer
		w, _ := flate.NewWriter(&sent, level)
		for range 5 {
			_, _ = io.WriteString(w, "a UID FETCH 1:* (FLAGS)\r\nb NOOP\r\n")
			_ = w.Flush()
		}
		f.Add(sent.Bytes(), byte(10))
		_ = w.Close()
		f.Add(sent.Bytes(), byte(1))
	}
	f.Add([]byte("\x00\x00\x00\xff\xff\x00\x00\x00\xff\xff\x03\x00"), byte(5))
	f.Fuzz(func(t *testing.T, in []byte, cut byte) {
		const most = 1 << 20
		want, wantErr := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(in)), most))
		conn := &packets{}
		for b := in; len(b) > 0; {
			n := min(int(cut)+1, len(b))
			conn.left = append(conn.left, b[:n])
			b = b[n:]
		}
		got, err := io.ReadAll(io.LimitReader(newInflater(conn, nil), most))
		if !bytes.Equal(got, want) {
			t.Fatalf("%d bytes, want %d (%v, %v)", len(got), len(want), err, wantErr)
		}
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%v, want %v", err, wantErr)
		}
	})
}

func BenchmarkInflater(b *testing.B) {
	var sent bytes.Buffer
	w, _ := flate.NewWriter(&sent, flate.DefaultCompression)
	var text strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&text, "Received: from mx%d.example.org by example.net; %x some words of text that repeat\r\n", i*7919%1000, i*104729)
	}
	_, _ = io.WriteString(w, text.String())
	_ = w.Close()
	b.SetBytes(int64(text.Len()))
	buf := make([]byte, 16<<10)
	for b.Loop() {
		in := newInflater(bytes.NewReader(sent.Bytes()), nil)
		for {
			if _, err := in.Read(buf); err != nil {
				if !errors.Is(err, io.EOF) {
					b.Fatal(err)
				}
				break
			}
		}
	}
}
