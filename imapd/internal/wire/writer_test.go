package wire

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func written(t *testing.T, f func(w *Writer)) string {
	t.Helper()
	var b bytes.Buffer
	w := NewWriter(&b, 256)
	f(w)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWriterString(t *testing.T) {
	for in, want := range map[string]string{
		"":               `""`,
		"a b":            `"a b"`,
		`a"b\c`:          `"a\"b\\c"`,
		"a\r\nb":         "{4}\r\na\r\nb",
		"ü":              "{2}\r\nü",
		"\x00a\x00":      `"a"`,
		"\x00ü\x00":      "{2}\r\nü",
		"tab\tand\x7f":   "\"tab\tand\x7f\"",
		"\x00":           `""`,
		`"`:              `"\""`,
		"trailing\\":     `"trailing\\"`,
		"\\\\\\":         `"\\\\\\"`,
		"a\x00\"b\x00\"": `"a\"b\""`,
	} {
		if got := written(t, func(w *Writer) { w.String(in) }); got != want {
			t.Errorf("String(%q) = %q, want %q", in, got, want)
		}
	}
	long := strings.Repeat("x", maxQuoted+1)
	if got := written(t, func(w *Writer) { w.String(long) }); got != "{4097}\r\n"+long {
		t.Errorf("a long string begins with %.20q", got)
	}
	if got := written(t, func(w *Writer) { w.UTF8(true); w.String("ü").SP().String("\xff") }); got != "\"ü\" {1}\r\n\xff" {
		t.Errorf("UTF-8: %q", got)
	}
}

func TestWriterMailbox(t *testing.T) {
	for in, want := range map[string]string{
		"INBOX": "INBOX", "a b": `"a b"`, "nil": `"nil"`, "": `""`, "ü": "&APw-", "a]": `"a]"`, "R&D": "R&-D", "a*": `"a*"`,
	} {
		if got := written(t, func(w *Writer) { w.Mailbox(in) }); got != want {
			t.Errorf("Mailbox(%q) = %q, want %q", in, got, want)
		}
	}
	if got := written(t, func(w *Writer) { w.UTF8(true); w.Mailbox("R&D ü") }); got != `"R&D ü"` {
		t.Errorf("UTF-8: %q", got)
	}
}

func TestWriterLiteral(t *testing.T) {
	body := strings.Repeat("0123456789", 100)
	got := written(t, func(w *Writer) {
		if err := w.Raw("x ").Literal(1000, iotest.HalfReader(strings.NewReader(body))); err != nil {
			t.Fatal(err)
		}
		w.Raw(")")
	})
	if got != "x {1000}\r\n"+body+")" {
		t.Errorf("%.40q... of %d bytes", got, len(got))
	}
	// A longer source gives no more than was announced.
	if got := written(t, func(w *Writer) { _ = w.Literal8(3, strings.NewReader(body)) }); got != "~{3}\r\n012" {
		t.Errorf("%q", got)
	}
}

func TestWriterLiteralCut(t *testing.T) {
	w := NewWriter(io.Discard, 256)
	if err := w.Literal(10, strings.NewReader("short")); err == nil || w.Err() == nil || !w.InLiteral() {
		t.Errorf("err %v, Err %v, InLiteral %v", err, w.Err(), w.InLiteral())
	}
	w = NewWriter(io.Discard, 256)
	cause := errors.New("storage")
	if err := w.Literal(10, iotest.ErrReader(cause)); !errors.Is(err, cause) || !w.InLiteral() {
		t.Errorf("err %v, InLiteral %v", err, w.InLiteral())
	}
}

func TestWriterOther(t *testing.T) {
	got := written(t, func(w *Writer) {
		s := "x"
		w.Number(0).SP().Number(1<<64 - 1).SP().NString(nil).SP().NString(&s).SP()
		w.DateTime(time.Date(2021, 2, 3, 10, 11, 12, 0, time.FixedZone("", 3600))).CRLF()
	})
	if want := "0 18446744073709551615 NIL \"x\" \" 3-Feb-2021 10:11:12 +0100\"\r\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestWriterErrorSticks(t *testing.T) {
	cause := errors.New("gone")
	pr, pw := io.Pipe()
	_ = pr.CloseWithError(cause)
	w := NewWriter(pw, 256)
	for range 1000 {
		w.Raw("0123456789")
	}
	if w.Buffered() > 256 {
		t.Errorf("%d bytes buffered", w.Buffered())
	}
	if err := w.Flush(); !errors.Is(err, cause) {
		t.Errorf("Flush: %v", err)
	}
}

func TestWriterAllocatesNothing(t *testing.T) {
	w := NewWriter(io.Discard, 16<<10)
	now := time.Now()
	n := testing.AllocsPerRun(1000, func() {
		w.Raw("* ").Number(12345).Raw(" FETCH (UID ").Number(99).SP().String("a \"quoted\" string").SP().DateTime(now).Raw(")\r\n")
	})
	if n != 0 {
		t.Errorf("%v allocations for a line", n)
	}
}
