package message

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

// previewIn returns the preview of a message and how many bytes of it were read.
func previewIn(t testing.TB, raw string) (text string, read int) {
	t.Helper()
	s := Scan([]byte(raw))
	text, err := Preview(&s.Root, func(p *Part) io.Reader {
		return countReader{strings.NewReader(raw[p.BodyOffset:p.End]), &read}
	})
	if err != nil {
		t.Fatal(err)
	}
	return text, read
}

type countReader struct {
	r io.Reader
	n *int
}

func (c countReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	*c.n += n
	return n, err
}

func TestPreview(t *testing.T) {
	long := strings.Repeat("wörd ", 100)
	for _, c := range []struct{ name, raw, want string }{
		{"plain", "\r\nPreview\r\n\r\n  text!\t\r\n", "Preview text!"},
		{"nothing", "Subject: x\r\n\r\n", ""},
		{"white space", "\r\n \r\n\t\r\n", ""},
		{"200 characters", "Content-Type: text/plain; charset=utf-8\r\n\r\n" + long, strings.TrimSpace(long[:240])},
		{"no space at the end", "\r\n" + strings.Repeat("x", 199) + " yy", strings.Repeat("x", 199)},
		{"quotes", "\r\n> old\r\n> words\r\nNew\r\n>x\r\nones > all", "New ones > all"},
		{"nothing but quotes", "\r\n> old\r\n> words\r\n", "> old > words"},
		{"quoted-printable", "Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe=\r\n!", "Grüße!"},
		{"base64", "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nR3LDvMOfZQ==\r\n", "Grüße"},
		{"HTML", "Content-Type: text/html\r\n\r\n<head><style>p { color: red }</style></head><p>Hello&nbsp;<b>wor</b>ld</p><script>x</script><p>More", "Hello world More"},
		{"filler", "Content-Type: text/html; charset=utf-8\r\n\r\nOffer&#847;&zwnj;&nbsp;&#847;&zwnj;&nbsp;&#65279;&shy;<p>Hello", "Offer\u200c Hello"},
		{"the first text", "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nplain\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>html\r\n--b--\r\n", "plain"},
		{"an empty first text", "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\n \r\n--b\r\nContent-Type: text/html\r\n\r\n<p>html\r\n--b--\r\n", "html"},
		{"attachments", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Disposition: attachment\r\n\r\nno\r\n--b\r\nContent-Type: text/calendar\r\n\r\nBEGIN\r\n--b\r\n\r\nyes\r\n--b--\r\n", "yes"},
		{"an embedded message", "Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nforwarded", "forwarded"},
		{"an image", "Content-Type: image/png\r\n\r\nabc", ""},
		{"controls", "\r\na\x00b\x07c", "a b c"},
	} {
		if got, _ := previewIn(t, c.raw); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestPreviewBounds(t *testing.T) {
	for name, raw := range map[string]string{
		"plain": "\r\n" + strings.Repeat(" \r\n", 1<<20),
		"html":  "Content-Type: text/html\r\n\r\n<style>" + strings.Repeat("p {} ", 1<<20) + "</style>x",
	} {
		if got, read := previewIn(t, raw); got != "" || read > PreviewBytes {
			t.Errorf("%s: %q, %d bytes read", name, got, read)
		}
	}
	var parts strings.Builder
	for range 100 {
		fmt.Fprintf(&parts, "--b\r\n\r\n%s\r\n", strings.Repeat(" ", PreviewBytes))
	}
	if _, read := previewIn(t, "Content-Type: multipart/mixed; boundary=b\r\n\r\n"+parts.String()); read > previewParts*PreviewBytes {
		t.Errorf("many parts: %d bytes read", read)
	}
}

func TestPreviewError(t *testing.T) {
	broken := errors.New("broken")
	s := Scan([]byte("\r\ntext"))
	if _, err := Preview(&s.Root, func(*Part) io.Reader { return iotest.ErrReader(broken) }); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

func TestPreviewStored(t *testing.T) {
	s := Scan([]byte("Subject: x\r\n\r\ntext"))
	for _, text := range []string{"", "text", "Grüße"} {
		s.Preview = &text
		got, err := Decode(s.Encode(), []byte("Return-Path: <>\r\n"))
		if err != nil || got.Preview == nil || *got.Preview != text {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	s.Preview = nil
	if got, err := Decode(s.Encode(), nil); err != nil || got.Preview != nil {
		t.Errorf("without: %+v, %v", got, err)
	}
}

func FuzzPreview(f *testing.F) {
	for _, raw := range samples(f) {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		s := Scan(raw)
		text, err := Preview(&s.Root, func(p *Part) io.Reader { return bytes.NewReader(raw[p.BodyOffset:p.End]) })
		if err != nil || utf8.RuneCountInString(text) > previewLength || !utf8.ValidString(text) || strings.TrimSpace(text) != text {
			t.Errorf("%q, %v", text, err)
		}
	})
}

func BenchmarkPreview(b *testing.B) {
	for name, raw := range map[string]string{
		"plain": "\r\n" + strings.Repeat("Some words of a message.\r\n", 100),
		"html":  "Content-Type: text/html\r\n\r\n<style>" + strings.Repeat("p { color: red }\r\n", 1000) + "</style>" + strings.Repeat("<p>words", 1000),
	} {
		s := Scan([]byte(raw))
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = Preview(&s.Root, func(p *Part) io.Reader { return strings.NewReader(raw[p.BodyOffset:p.End]) })
			}
		})
	}
}
