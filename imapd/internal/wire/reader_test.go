package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// readAll reads every command of in and describes what came out, one line each.
func readAll(t testing.TB, src io.Reader, opts ReaderOptions) string {
	t.Helper()
	var out strings.Builder
	opts.Continue = func() error { out.WriteString("+\n"); return nil }
	r := NewReader(src, opts)
	for range 1 << 15 {
		cmd, err := r.Next()
		var syn *SyntaxError
		switch {
		case err == nil:
			fmt.Fprintf(&out, "%q\n", cmd)
			if lit := r.Literal(); lit != nil {
				b, err := io.ReadAll(io.LimitReader(lit, 3))
				fmt.Fprintf(&out, "stream %d %q %v\n", lit.Size, b, err)
			}
		case errors.As(err, &syn):
			head := cmd[:min(len(cmd), 5)]
			fmt.Fprintf(&out, "%q BAD %s\n", head, syn.Text)
		default:
			fmt.Fprintf(&out, "%v\n", err)
			return out.String()
		}
	}
	t.Fatal("no end")
	return ""
}

var readerCases = []struct{ name, in, want string }{
	{"lines", "a NOOP\r\nb NOOP\nc \r\n", "\"a NOOP\"\n\"b NOOP\"\n\"c \"\nEOF\n"},
	{"a literal's CR is no line end's", "a X {1+}\r\n\r\nb\r\n", "\"a X {1+}\\r\\n\\r\"\n\"b\"\nEOF\n"},
	{"synchronizing", "a LOGIN {4}\r\nuser {4}\r\npass\r\nb\r\n",
		"+\n+\n\"a LOGIN {4}\\r\\nuser {4}\\r\\npass\"\n\"b\"\nEOF\n"},
	{"non-synchronizing", "a LOGIN {4+}\r\nuser {4+}\r\npass\r\n", "\"a LOGIN {4+}\\r\\nuser {4+}\\r\\npass\"\nEOF\n"},
	{"literal8", "a X ~{2+}\r\n\x00\x01\r\n", "\"a X ~{2+}\\r\\n\\x00\\x01\"\nEOF\n"},
	{"a literal holds lines", "a X {6+}\r\nb NO\r\n\r\nc\r\n", "\"a X {6+}\\r\\nb NO\\r\\n\"\n\"c\"\nEOF\n"},
	{"over the limit, asked for", "a X {101}\r\nb NOOP\r\n", "\"a X {\" BAD Literal too large\n\"b NOOP\"\nEOF\n"},
	{"over the limit, sent", "a X {101+}\r\n" + strings.Repeat("b EVIL\r\n", 13)[:101] + " {7+}\r\nc EVIL\n\r\nd\r\n",
		"\"a X {\" BAD Literal too large\n\"d\"\nEOF\n"},
	{"the sum is over the limit", "a X {60+}\r\n" + strings.Repeat("x", 60) + " {60}\r\nb\r\n",
		"\"a X {\" BAD Literal too large\n\"b\"\nEOF\n"},
	{"too large by any measure", "a X {4294967296}\r\nb\r\n", "\"a X {\" BAD Invalid literal size\n\"b\"\nEOF\n"},
	{"too large to read past", "a X {4294967296+}\r\nb\r\n", "wire: endless command\n"},
	{"overflow", "a X {99999999999999999999999+}\r\nb\r\n", "wire: endless command\n"},
	{"too many to read past", "a X {900+}\r\n" + strings.Repeat("x", 900) + "{900+}\r\n" + strings.Repeat("x", 900) + "{900+}\r\n" +
		strings.Repeat("x", 900), "wire: endless command\n"},
	{"no literals", "a {}\r\nb {-1}\r\nc {+}\r\nd { 1}\r\ne {1 }\r\nf {1++}\r\ng 1}\r\n",
		"\"a {}\"\n\"b {-1}\"\n\"c {+}\"\n\"d { 1}\"\n\"e {1 }\"\n\"f {1++}\"\n\"g 1}\"\nEOF\n"},
	{"within a quoted string, asked for", "a X \"y {5}\r\nb\r\n", "\"a X \\\"\" BAD Missing closing quote\n\"b\"\nEOF\n"},
	{"within a quoted string, sent", "a X \"y {3+}\r\nb\r\n\r\nc\r\n", "\"a X \\\"\" BAD Missing closing quote\n\"c\"\nEOF\n"},
	{"after an escaped quote", "a X \"y\\\"\" {1+}\r\nz\r\n", "\"a X \\\"y\\\\\\\"\\\" {1+}\\r\\nz\"\nEOF\n"},
	{"NUL", "a X\x00\r\nb\r\n", "\"a X\\x00\" BAD NUL in a command\n\"b\"\nEOF\n"},
	{"NUL before a literal", "a\x00 {1+}\r\nx\r\nb\r\n", "\"a\\x00 {1\" BAD NUL in a command\n\"b\"\nEOF\n"},
	{"bare CR", "a X\rb Y\r\n", "\"a X\\rb Y\"\nEOF\n"},
	{"long line", "a " + strings.Repeat("x", 5000) + "\r\nb\r\n", "\"a xxx\" BAD Command too long\n\"b\"\nEOF\n"},
	{"long line that ends in a literal", "a " + strings.Repeat("x", 600) + " {3+}\r\nb\r\n\r\nc\r\n", "\"a xxx\" BAD Command too long\n\"c\"\nEOF\n"},
	{"as long as may be", "a " + strings.Repeat("x", 98) + "\r\n", fmt.Sprintf("%q\nEOF\n", "a "+strings.Repeat("x", 98))},
	{"an endless line", "a " + strings.Repeat("x", 2<<20), "wire: endless command\n"},
	{"streamed", "a S {5+}\r\nhello x\r\nb\r\n", "\"a S {5+}\\r\\n\"\nstream 5 \"hel\" <nil>\n\"b\"\nEOF\n"},
	{"streamed with more", "a S {5+}\r\nhello {3+}\r\nb\r\n (x)\r\nc\r\n", "\"a S {5+}\\r\\n\"\nstream 5 \"hel\" <nil>\n\"c\"\nEOF\n"},
	{"streamed, asked for", "a S {5}\r\nhello\r\nb\r\n", "\"a S {5}\\r\\n\"\n+\nstream 5 \"hel\" <nil>\n\"b\"\nEOF\n"},
	{"streamed and cut", "a S {5}\r\nhe", "\"a S {5}\\r\\n\"\n+\nstream 5 \"he\" unexpected EOF\nEOF\n"},
	{"streamed and empty", "a S {0+}\r\n\r\nb\r\n", "\"a S {0+}\\r\\n\"\nstream 0 \"\" <nil>\n\"b\"\nEOF\n"},
	{"cut in a literal", "a X {5+}\r\nhe", "EOF\n"},
	{"cut in a line", "a NOOP", "EOF\n"},
}

func caseOptions() ReaderOptions {
	return ReaderOptions{
		MaxCommand: 100,
		MaxDiscard: 2000,
		Stream:     func(cmd []byte) bool { return bytes.HasPrefix(cmd, []byte("a S ")) },
	}
}

func TestReader(t *testing.T) {
	for _, c := range readerCases {
		t.Run(c.name, func(t *testing.T) {
			opts := caseOptions()
			if len(c.in) > 4000 && len(c.in) < 1<<20 {
				opts.MaxDiscard = 1 << 20
			} else if len(c.in) >= 1<<20 {
				opts.MaxDiscard = 16 << 20
			}
			if got := readAll(t, strings.NewReader(c.in), opts); got != c.want {
				t.Errorf("at once:\n%s\nwant:\n%s", got, c.want)
			}
			if len(c.in) > 1<<20 {
				return
			}
			if got := readAll(t, iotest.OneByteReader(strings.NewReader(c.in)), opts); got != c.want {
				t.Errorf("byte by byte:\n%s\nwant:\n%s", got, c.want)
			}
		})
	}
}

func TestReaderMore(t *testing.T) {
	r := NewReader(strings.NewReader("a S {5+}\r\nhello (x {1+}\r\ny)\r\nb\r\n"), caseOptions())
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(r.Literal()); string(b) != "hello" || err != nil {
		t.Fatalf("%q, %v", b, err)
	}
	more, err := r.More()
	if want := " (x {1+}\r\ny)"; string(more) != want || err != nil {
		t.Fatalf("More = %q, %v; want %q", more, err, want)
	}
	if cmd, err := r.Next(); string(cmd) != "b" || err != nil {
		t.Fatalf("Next = %q, %v", cmd, err)
	}
}

// A command that refuses a synchronizing literal has not asked for it: the client's next bytes are a command.
func TestReaderRefusedStream(t *testing.T) {
	opts := caseOptions()
	opts.Continue = func() error { t.Error("asked"); return nil }
	r := NewReader(strings.NewReader("a S {5}\r\nb\r\n"), opts)
	if _, err := r.Next(); err != nil || r.Literal() == nil {
		t.Fatal(err)
	}
	if cmd, err := r.Next(); string(cmd) != "b" || err != nil {
		t.Fatalf("Next = %q, %v", cmd, err)
	}
}

func TestReaderDropBuffered(t *testing.T) {
	src := io.MultiReader(strings.NewReader("a STARTTLS\r\nb EVIL\r\n"), strings.NewReader("c\r\n"))
	r := NewReader(src, ReaderOptions{})
	if cmd, _ := r.Next(); string(cmd) != "a STARTTLS" {
		t.Fatalf("%q", cmd)
	}
	if r.Buffered() == 0 {
		t.Fatal("nothing buffered")
	}
	r.DropBuffered()
	if cmd, err := r.Next(); string(cmd) != "c" || err != nil {
		t.Fatalf("Next = %q, %v", cmd, err)
	}
}

// What was written must be flushed before a read that may wait, and only then.
func TestReaderBeforeRead(t *testing.T) {
	calls := 0
	r := NewReader(strings.NewReader("a\r\nb\r\nc\r\n"), ReaderOptions{BeforeRead: func() error { calls++; return nil }})
	for range 3 {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if calls != 1 {
		t.Errorf("%d calls for three commands received at once, want 1", calls)
	}
}

func TestReaderIdleHoldsLittle(t *testing.T) {
	r := NewReader(strings.NewReader("a X {30000+}\r\n"+strings.Repeat("x", 30000)+"\r\nb\r\n"), ReaderOptions{})
	for range 2 {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if r.box != nil || cap(r.cmd) > keepCommand {
		t.Errorf("an idle reader holds %d bytes of command, big buffer %v", cap(r.cmd), r.box != nil)
	}
}

func FuzzReader(f *testing.F) {
	for _, c := range readerCases {
		if len(c.in) < 4000 {
			f.Add([]byte(c.in))
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > 16<<10 {
			return
		}
		// How the bytes are cut into reads must not matter.
		whole := readAll(t, bytes.NewReader(in), caseOptions())
		if pieces := readAll(t, iotest.OneByteReader(bytes.NewReader(in)), caseOptions()); whole != pieces {
			t.Fatalf("%q:\n%s\nbyte by byte:\n%s", in, whole, pieces)
		}
	})
}
