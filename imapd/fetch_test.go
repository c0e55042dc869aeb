package imapd

import (
	"fmt"
	"strings"
	"testing"
)

func TestFetch(t *testing.T) {
	b := newBed(t)
	simple := raw("Date: Mon, 7 Feb 1994 21:52:25 -0800", "From: a@b.example", "Subject: one", "X-Other: x", "", "Hello", "you")
	b.append(simple, nested)
	c := b.session("SELECT INBOX")

	c.expect("FETCH 1 FAST", `* 1 FETCH (FLAGS (\Recent) INTERNALDATE " 2-Jan-2026 03:04:05 +0000" RFC822.SIZE `+fmt.Sprint(len(simple))+")\nOK FETCH completed")
	c.expect("UID FETCH 1:* FLAGS", "* 1 FETCH (UID 1 FLAGS (\\Recent))\n* 2 FETCH (UID 2 FLAGS (\\Recent))\nOK UID FETCH completed")
	c.expect("FETCH 1 BODY.PEEK[TEXT]", "* 1 FETCH (BODY[TEXT] {12}\nHello\nyou\n)\nOK FETCH completed")
	c.expect("FETCH 2 (BODY.PEEK[2.1] BODY.PEEK[9])", "* 2 FETCH (BODY[2.1] {8}\npart 2.1 BODY[9] NIL)\nOK FETCH completed")
	c.expect("FETCH 1 BODY.PEEK[]<0.4>", "* 1 FETCH (BODY[]<0> {4}\nDate)\nOK FETCH completed")
	c.expect("FETCH 1 BODY.PEEK[]<9999.4>", "* 1 FETCH (BODY[]<9999> {0}\n)\nOK FETCH completed")
	c.expect("FETCH 1 BODY.PEEK[HEADER.FIELDS (subject x-other)]",
		"* 1 FETCH (BODY[HEADER.FIELDS (subject x-other)] {28}\nSubject: one\nX-Other: x\n\n)\nOK FETCH completed")
	c.expect("FETCH 1 BODY.PEEK[HEADER.FIELDS (SUBJECT)]<0.7>",
		"* 1 FETCH (BODY[HEADER.FIELDS (SUBJECT)]<0> {7}\nSubject)\nOK FETCH completed")
	c.expect("FETCH 1 RFC822.HEADER", "* 1 FETCH (RFC822.HEADER {"+fmt.Sprint(strings.Index(simple, "\r\n\r\n")+4)+"}\n"+
		strings.ReplaceAll(simple[:strings.Index(simple, "\r\n\r\n")+4], "\r\n", "\n")+")\nOK FETCH completed")
	c.expect("FETCH 1 (ENVELOPE)", `* 1 FETCH (ENVELOPE ("Mon, 7 Feb 1994 21:52:25 -0800" "one" ((NIL NIL "a" "b.example")) `+
		`((NIL NIL "a" "b.example")) ((NIL NIL "a" "b.example")) NIL NIL NIL NIL NIL))`+"\nOK FETCH completed")

	c.expect("FETCH 3 FLAGS", "BAD No message has that sequence number")
	c.expect("UID FETCH 77 FLAGS", "OK UID FETCH completed")
	c.expect("UID FETCH 77:* UID", "* 2 FETCH (UID 2)\nOK UID FETCH completed")

	// Only what was not seen is changed, and only that is told.
	c.expect("FETCH 1:2 (BODY[1]<0.2> UID)",
		"* 1 FETCH (FLAGS (\\Seen \\Recent) BODY[1]<0> {2}\nHe UID 1)\n* 2 FETCH (FLAGS (\\Seen \\Recent) BODY[1]<0> {2}\npa UID 2)\nOK FETCH completed")
	c.expect("FETCH 1 BODY[1]<0.2>", "* 1 FETCH (BODY[1]<0> {2}\nHe)\nOK FETCH completed")
	c.expect("STORE 1 -FLAGS.SILENT (\\Seen)", "OK STORE completed")
	c.expect("FETCH 1 (FLAGS BODY[1]<0.2>)", "* 1 FETCH (FLAGS (\\Seen \\Recent) BODY[1]<0> {2}\nHe)\nOK FETCH completed")
	c.expect("NOOP", "OK NOOP completed")

	// EXAMINE changes nothing.
	c.do("STORE 1 -FLAGS.SILENT (\\Seen)")
	e := b.session("EXAMINE INBOX")
	e.expect("FETCH 1 (FLAGS BODY[1]<0.2>)", "* 1 FETCH (FLAGS () BODY[1]<0> {2}\nHe)\nOK FETCH completed")
	e.expect("FETCH 1 FLAGS", "* 1 FETCH (FLAGS ())\nOK FETCH completed")
}

// RFC822.SIZE is the size of BODY[], and the parts of a message together are the message, for bodies of all sizes.
func TestFetchLong(t *testing.T) {
	b := newBed(t)
	for _, size := range []int{0, 1, headBytes - 1, headBytes, headBytes + 1, 300 << 10, 1 << 20} {
		header := "Subject: long\r\nX-Filler: " + strings.Repeat("f", size/3) + "\r\n\r\n"
		text := header + strings.Repeat("0123456789abcde\n", size/16+1)[:size]
		b.append(text)
		c := b.session("SELECT INBOX")
		literal := func(command string) string {
			t.Helper()
			c.n++
			c.conn.in.WriteString("x " + command + "\r\n")
			c.conn.out.Reset()
			if err := c.s.step(); err != nil {
				t.Fatal(err)
			}
			c.flush()
			out := c.conn.out.String()
			var n int
			_, rest, _ := strings.Cut(out, "{")
			if _, err := fmt.Sscanf(rest, "%d}", &n); err != nil {
				t.Fatalf("%s: %.200s", command, out)
			}
			_, rest, _ = strings.Cut(rest, "}\r\n")
			return rest[:n]
		}
		if got := literal("FETCH * BODY.PEEK[]"); got != text {
			t.Errorf("BODY[] of %d bytes differs from what was appended", len(text))
		}
		want := fmt.Sprintf("RFC822.SIZE %d)", len(text))
		if got := c.do("FETCH * RFC822.SIZE"); !strings.Contains(got, want) {
			t.Errorf("%s, want %s", got, want)
		}
		if got := literal("FETCH * BODY.PEEK[HEADER]") + literal("FETCH * BODY.PEEK[TEXT]"); got != text {
			t.Errorf("header and text of %d bytes are not the message", len(text))
		}
		from, n := len(text)/3, len(text)/2
		if got := literal(fmt.Sprintf("FETCH * BODY.PEEK[]<%d.%d>", from, n+1)); got != text[from:min(from+n+1, len(text))] {
			t.Errorf("partial of %d bytes differs", len(text))
		}
		if got := literal("FETCH * BODY.PEEK[HEADER.FIELDS.NOT (Subject)]"); got != header[len("Subject: long\r\n"):] {
			t.Errorf("HEADER.FIELDS.NOT of %d bytes differs: %d bytes", len(text), len(got))
		}
		if got := literal("FETCH * BODY.PEEK[HEADER.FIELDS.NOT (Subject)]<5.8>"); got != header[len("Subject: long\r\n"):][5:13] {
			t.Errorf("partial of HEADER.FIELDS.NOT of %d bytes: %q", len(text), got)
		}
	}
}

func TestFetchCondstore(t *testing.T) {
	b := newBed(t)
	b.append(raw("Subject: a", "", "a"), raw("Subject: b", "", "b"))
	c := b.session("SELECT INBOX")
	got := c.do("FETCH 1 (MODSEQ)")
	var highest, modseq int
	if _, err := fmt.Sscanf(got, "* OK [HIGHESTMODSEQ %d] Highest\n* 1 FETCH (MODSEQ (%d))\nOK", &highest, &modseq); err != nil {
		t.Fatalf("%s: %v", got, err)
	}
	if got := c.do(fmt.Sprintf("UID FETCH 1:* (FLAGS) (CHANGEDSINCE %d)", modseq)); !strings.HasPrefix(got, "* 2 FETCH (UID 2 MODSEQ (") {
		t.Error(got)
	}
	c.expect(fmt.Sprintf("FETCH 1:* UID (CHANGEDSINCE %d)", highest), "OK FETCH completed")
	// The client knows CONDSTORE now: a change of \Seen comes with UID and MODSEQ.
	got = c.do("FETCH 2 BODY[TEXT]")
	var flags string
	if _, err := fmt.Sscanf(got, "* 2 FETCH (FLAGS (%s \\Recent) UID 2 MODSEQ (%d) BODY[TEXT] {3}", &flags, &modseq); err != nil || modseq <= highest {
		t.Errorf("%s: %v", got, err)
	}
}

// A message that another session expunged keeps its sequence number, and is answered from what is known of it.
func TestFetchExpunged(t *testing.T) {
	b := newBed(t)
	b.append(raw("Subject: a", "", "a"), raw("Subject: b", "", "b"), raw("Subject: c", "", "c"))
	c := b.session("SELECT INBOX")
	other := b.session("SELECT INBOX", "STORE 2 +FLAGS.SILENT (\\Deleted)", "EXPUNGE")

	if got := c.do("FETCH 3 BODY.PEEK[TEXT]"); !strings.HasPrefix(got, "* 3 FETCH (BODY[TEXT] {3}\nc\n)\n") {
		t.Errorf("message 3 after message 2 was expunged: %s", got)
	}
	got := c.do("FETCH 2 (UID BODY.PEEK[TEXT])")
	if !strings.HasPrefix(got, "* 2 FETCH (UID 2 BODY[TEXT] {3}\nb\n)\nOK") && got != "NO [EXPUNGEISSUED] Some of the messages no longer exist" {
		t.Errorf("the expunged message: %s", got)
	}
	if got := c.do("STORE 2 +FLAGS (\\Seen)"); got != "NO [EXPUNGEISSUED] Some of the messages no longer exist" {
		t.Errorf("STORE of the expunged message: %s", got)
	}
	if got := c.do("UID STORE 2 +FLAGS (\\Seen)"); !strings.HasSuffix(got, "OK [EXPUNGEISSUED] Some of the messages no longer exist") || !strings.Contains(got, "* 2 EXPUNGE\n") {
		t.Errorf("UID STORE of the expunged message: %s", got)
	}
	c.expect("FETCH 2 BODY.PEEK[TEXT]", "* 2 FETCH (BODY[TEXT] {3}\nc\n)\nOK FETCH completed")
	other.expect("FETCH 2 UID", "* 2 FETCH (UID 3)\nOK FETCH completed")
}
