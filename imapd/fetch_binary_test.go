package imapd

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// binaryParts is a message with a part of each encoding.
func binaryParts(data []byte) string {
	var b strings.Builder
	b.WriteString("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n")
	part := func(encoding, body string) {
		fmt.Fprintf(&b, "--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: %s\r\n\r\n%s\r\n", encoding, body)
	}
	part("base64", base64Lines(data))
	part("quoted-printable", "caf=C3=A9=00=\r\n!")
	part("8bit", "caf\xc3\xa9")
	part("x-uuencode", "begin 644 x")
	b.WriteString("--b--\r\n")
	return b.String()
}

func base64Lines(data []byte) string {
	var b strings.Builder
	s := base64.StdEncoding.EncodeToString(data)
	for len(s) > 76 {
		b.WriteString(s[:76] + "\r\n")
		s = s[76:]
	}
	return b.String() + s
}

func TestFetchBinary(t *testing.T) {
	b := newBed(t)
	b.append(binaryParts([]byte("Hello\x00, world")), "Subject: plain\r\nContent-Transfer-Encoding: BASE64\r\n\r\naGk=\r\n")
	c := b.session("SELECT INBOX")
	c.expect("FETCH 1 (BINARY.SIZE[1] BINARY.SIZE[2] BINARY.SIZE[3] BINARY.SIZE[9])",
		"* 1 FETCH (BINARY.SIZE[1] 13 BINARY.SIZE[2] 7 BINARY.SIZE[3] 5 BINARY.SIZE[9] 0)\nOK FETCH completed")
	c.expect("FETCH 1 BINARY.PEEK[1]", "* 1 FETCH (BINARY[1] ~{13}\nHello\x00, world)\nOK FETCH completed")
	c.expect("FETCH 1 BINARY.PEEK[1]<4.5>", "* 1 FETCH (BINARY[1]<4> ~{5}\no\x00, w)\nOK FETCH completed")
	c.expect("FETCH 1 BINARY.PEEK[1]<7.100>", "* 1 FETCH (BINARY[1]<7> {6}\n world)\nOK FETCH completed")
	c.expect("FETCH 1 BINARY.PEEK[1]<70.100>", "* 1 FETCH (BINARY[1]<70> {0}\n)\nOK FETCH completed")
	c.expect("FETCH 1 (BINARY.PEEK[2] BINARY.PEEK[3] BINARY.PEEK[7])",
		"* 1 FETCH (BINARY[2] ~{7}\ncaf\xc3\xa9\x00! BINARY[3] {5}\ncaf\xc3\xa9 BINARY[7] NIL)\nOK FETCH completed")
	c.expect("FETCH 2 (BINARY.PEEK[] BINARY.SIZE[] BINARY.SIZE[1])",
		"* 2 FETCH (BINARY[] {59}\nSubject: plain\nContent-Transfer-Encoding: BASE64\n\naGk=\n BINARY.SIZE[] 59 BINARY.SIZE[1] 2)\nOK FETCH completed")
	// A part of unknown encoding fails the command, and the other message is answered.
	c.expect("FETCH 1:2 BINARY.PEEK[4]", "* 2 FETCH (BINARY[4] NIL)\nNO [UNKNOWN-CTE] Unknown Content-Transfer-Encoding")
	c.expect("FETCH 1 BINARY.SIZE[4]", "NO [UNKNOWN-CTE] Unknown Content-Transfer-Encoding")
	c.expect("FETCH 2 BINARY[1]", "* 2 FETCH (FLAGS (\\Seen \\Recent) BINARY[1] {2}\nhi)\nOK FETCH completed")
	c.expect("FETCH 2 BINARY[1.MIME]", "BAD Invalid section")
	c.expect("FETCH 2 BINARY[TEXT]", "BAD Invalid section")
	c.expect("FETCH 2 BINARY.SIZE[1]<0.1>", "BAD Expected a space")
	c.expect("FETCH 2 BINARY", "BAD Expected [")
}

// TestFetchBinaryRanges reads a large part in ranges of any order, and whole.
func TestFetchBinaryRanges(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	data := make([]byte, 700_000)
	for i := range data {
		data[i] = byte(random.IntN(256))
	}
	b := newBed(t)
	b.append(binaryParts(data))
	c := b.session("SELECT INBOX")
	fetch := func(item string) []byte {
		got := c.doRaw("FETCH 1 BINARY.PEEK[1]" + item)
		open := bytes.IndexByte(got, '{')
		shut := bytes.Index(got, []byte("}\r\n"))
		if open < 0 || shut < open {
			t.Fatalf("%s: %.100q", item, got)
		}
		n, err := strconv.Atoi(string(got[open+1 : shut]))
		if err != nil || len(got) < shut+3+n {
			t.Fatalf("%s: %d bytes announced: %v", item, n, err)
		}
		return got[shut+3:][:n]
	}
	for range 40 {
		off, n := random.IntN(len(data)+10), 1+random.IntN(400_000)
		want := data[min(off, len(data)):min(off+n, len(data))]
		if got := fetch(fmt.Sprintf("<%d.%d>", off, n)); !bytes.Equal(got, want) {
			t.Fatalf("<%d.%d>: %d bytes, want %d", off, n, len(got), len(want))
		}
	}
	if got := fetch(""); !bytes.Equal(got, data) {
		t.Fatalf("%d bytes, want %d", len(got), len(data))
	}
	c.expect("FETCH 1 BINARY.SIZE[1]", "* 1 FETCH (BINARY.SIZE[1] 700000)\nOK FETCH completed")
	if got := fetch(""); !bytes.Equal(got, data) {
		t.Fatal("after BINARY.SIZE other bytes")
	}
	for off := 0; off < len(data); off += 65536 {
		if got := fetch(fmt.Sprintf("<%d.65536>", off)); !bytes.Equal(got, data[off:min(off+65536, len(data))]) {
			t.Fatalf("one after another: at %d other bytes", off)
		}
		if d := c.s.decoded.last.decoded; int64(off) > 20_000 && d < int64(off)-20_000 {
			t.Fatalf("at %d the decoder would begin at %d again", off, d)
		}
	}
}

// TestAppendBinary appends what only a literal8 can hold, and reads the same bytes.
func TestAppendBinary(t *testing.T) {
	b := newBed(t)
	c := b.session("SELECT INBOX")
	appendBinary := func(message string) string {
		return c.do(fmt.Sprintf("APPEND INBOX ~{%d+}\r\n%s", len(message), message))
	}
	data := "PNG\x00\x01\r\n\x00\n"
	message := "Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: binary\r\n\r\n--b\r\nContent-Type: image/png\r\n" +
		"Content-Transfer-Encoding: binary\r\n\r\n" + data + "\r\n--b--\r\n"
	if got := appendBinary(message); !strings.Contains(got, "OK [APPENDUID") {
		t.Fatal(got)
	}
	c.expect("FETCH 1 BODYSTRUCTURE", `* 1 FETCH (BODYSTRUCTURE (("image" "png" NIL NIL NIL "base64" 12 NIL NIL NIL NIL) "mixed" ("boundary" "b") NIL NIL NIL))`+
		"\nOK FETCH completed")
	c.expect("FETCH 1 (BODY.PEEK[1] BINARY.SIZE[1])", "* 1 FETCH (BODY[1] {12}\nUE5HAAENCgAK BINARY.SIZE[1] 9)\nOK FETCH completed")
	if got := string(c.doRaw("FETCH 1 BINARY.PEEK[1]")); !strings.Contains(got, "BINARY[1] ~{9}\r\n"+data+")\r\n") {
		t.Errorf("%q", got)
	}
	for _, message := range []string{"Subject: \x00\r\n\r\n", "Subject: x\r\n\r\n\x00"} {
		if got := appendBinary(message); got != "NO [UNKNOWN-CTE] Unknown Content-Transfer-Encoding" {
			t.Errorf("%q: %s", message, got)
		}
	}
	plain := "Subject: x\r\n\r\nplain\r\n"
	if got := appendBinary(plain); !strings.Contains(got, "OK [APPENDUID") {
		t.Fatal(got)
	}
	if got := string(c.doRaw("FETCH 2 BODY.PEEK[]")); !strings.Contains(got, plain) {
		t.Errorf("%q", got)
	}
}
