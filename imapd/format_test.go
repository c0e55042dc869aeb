package imapd

import (
	"bytes"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/message"
)

// written returns what write writes.
func written(write func(w *wire.Writer)) string {
	var b bytes.Buffer
	w := wire.NewWriter(&b, 4096)
	write(w)
	if err := w.Flush(); err != nil {
		panic(err) // a bytes.Buffer takes everything
	}
	return b.String()
}

// raw makes a message of lines.
func raw(lines ...string) string { return strings.Join(lines, "\r\n") + "\r\n" }

func TestEnvelope(t *testing.T) {
	for _, c := range []struct{ name, raw, want string }{
		{
			// RFC 3501 section 8.
			"RFC 3501", raw(
				"Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)",
				"From: Terry Gray <gray@cac.washington.edu>",
				"Subject: IMAP4rev1 WG mtg summary and minutes",
				"To: imap@cac.washington.edu",
				"cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>",
				"Message-Id: <B27397-0100000@cac.washington.edu>", ""),
			`("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev1 WG mtg summary and minutes"` +
				` (("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu"))` +
				` (("Terry Gray" NIL "gray" "cac.washington.edu")) ((NIL NIL "imap" "cac.washington.edu"))` +
				` ((NIL NIL "minutes" "CNRI.Reston.VA.US")("John Klensin" NIL "KLENSIN" "MIT.EDU")) NIL NIL` +
				` "<B27397-0100000@cac.washington.edu>")`,
		},
		{"empty", "\r\n", `(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)`},
		{
			"group, quotes and 8-bit", raw(`To: friends: a@b.example, "x \"y\"" <c@d.example>;`, "Subject: caf\xe9", ""),
			"(NIL {4}\r\ncaf\xe9 NIL NIL NIL " +
				`((NIL NIL "friends" NIL)(NIL NIL "a" "b.example")("x \"y\"" NIL "c" "d.example")(NIL NIL NIL NIL)) NIL NIL NIL NIL)`,
		},
	} {
		got := written(func(w *wire.Writer) { writeEnvelope(w, &message.Scan([]byte(c.raw)).Envelope) })
		if got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestBodyStructure(t *testing.T) {
	for _, c := range []struct{ name, raw, body, extended string }{
		{
			"plain", raw("Content-Type: text/plain; charset=us-ascii", "", "one", "two"),
			`("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 10 2)`,
			`("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 10 2 NIL NIL NIL NIL)`,
		},
		{
			"mixed with an attachment", raw(
				"Content-Type: multipart/mixed; boundary=b", "", "--b", "", "hello", "--b",
				"Content-Type: application/pdf; name=\"a b.pdf\"", "Content-Transfer-Encoding: BASE64", "Content-ID: <i@x>",
				"Content-Description: a file", "Content-MD5: Q2hlY2s=", "Content-Language: en, de",
				"Content-Location: http://x.example/", "Content-Disposition: attachment; filename=a.pdf", "", "AAAA", "--b--"),
			`(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 5 0)` +
				`("application" "pdf" ("name" "a b.pdf") "<i@x>" "a file" "base64" 4) "mixed")`,
			`(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 5 0 NIL NIL NIL NIL)` +
				`("application" "pdf" ("name" "a b.pdf") "<i@x>" "a file" "base64" 4 "Q2hlY2s=" ("attachment" ("filename" "a.pdf"))` +
				` ("en" "de") "http://x.example/") "mixed" ("boundary" "b") NIL NIL NIL)`,
		},
		{
			"embedded message", raw(
				"Content-Type: multipart/digest; boundary=b", "", "--b", "", "Subject: inner", "", "text", "--b--"),
			`(("message" "rfc822" NIL NIL NIL "7bit" 22 (NIL "inner" NIL NIL NIL NIL NIL NIL NIL NIL)` +
				` ("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 4 0) 2) "digest")`, "",
		},
		{
			"multipart without parts", raw("Content-Type: multipart/mixed; boundary=b", "", "no part"),
			`("text" "plain" NIL NIL NIL "7bit" 9 1)`, "",
		},
	} {
		root := &message.Scan([]byte(c.raw)).Root
		if got := written(func(w *wire.Writer) { writeBodyStructure(w, root, false) }); got != c.body {
			t.Errorf("%s: BODY\n got %s\nwant %s", c.name, got, c.body)
		}
		if c.extended == "" {
			continue
		}
		if got := written(func(w *wire.Writer) { writeBodyStructure(w, root, true) }); got != c.extended {
			t.Errorf("%s: BODYSTRUCTURE\n got %s\nwant %s", c.name, got, c.extended)
		}
	}
}
