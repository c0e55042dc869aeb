package imapd

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/message"
)

var malformedSeed = flag.Uint64("malformed.seed", 0, "the seed of TestMalformedAgrees; 0: any")

// brokenMessage makes a message out of pieces that MIME readers trip over.
func brokenMessage(random *rand.Rand) string {
	pieces := []string{
		"Content-Type: multipart/mixed; boundary=b\r\n", "Content-Type: multipart/mixed; boundary=\"b c\n", "Content-Type: message/rfc822\r\n",
		"Content-Type: text/plain; charset=\"\r\n", "Content-Type: multipart/digest;\r\n boundary=c\r\n", "Content-Transfer-Encoding: base64\r\n",
		"Content-Transfer-Encoding: quoted-printable\n", "Content-Transfer-Encoding: binary\r\n", "Content-Transfer-Encoding: 8-bit\r\n",
		"Subject: =?utf-8?q?x\r\n", "From: a@b, \"c\r\n", "To: <>;:,@\r\n", "no field\r\n", " folded\r\n", "\r\n", "\n", "\r", "--b\r\n", "--b--\r\n", "--c \t\r\n",
		"--c--\n", "aGVsbG8=\r\n", "aGVs=bG8\n", "=3D=\r\n", "=\n", "=4", "text\r\n", "\x00", "\xff\xfe\r\n", strings.Repeat("y", 600) + "\r\n",
	}
	var b strings.Builder
	for range 1 + random.IntN(40) {
		b.WriteString(pieces[random.IntN(len(pieces))])
	}
	return b.String()
}

// literalOf returns the bytes of the only literal of a response.
func literalOf(t *testing.T, response []byte) []byte {
	t.Helper()
	open, shut := bytes.IndexByte(response, '{'), bytes.Index(response, []byte("}\r\n"))
	if open < 0 || shut < open {
		t.Fatalf("no literal in %.200q", response)
	}
	n, err := strconv.Atoi(string(response[open+1 : shut]))
	if err != nil || len(response) < shut+3+n {
		t.Fatalf("%.200q: %v", response, err)
	}
	return response[shut+3:][:n]
}

// TestMalformedAgrees appends broken messages and compares every answer about them with their bytes.
func TestMalformedAgrees(t *testing.T) {
	seed := *malformedSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	b := newBed(t)
	var messages []string
	for range 150 {
		messages = append(messages, brokenMessage(random))
	}
	b.append(messages...)
	c := b.session("SELECT INBOX")
	for i, raw := range messages {
		a := &agreement{t: t, c: c, seq: i + 1, raw: raw}
		a.section("", raw)
		a.section("<3.50>", raw[min(3, len(raw)):min(53, len(raw))])
		if got := c.do(fmt.Sprintf("FETCH %d (RFC822.SIZE BINARY.SIZE[])", a.seq)); !strings.Contains(got, fmt.Sprintf("RFC822.SIZE %d BINARY.SIZE[] %d)", len(raw), len(raw))) {
			t.Fatalf("%q is %d bytes: %s", raw, len(raw), got)
		}
		st := message.Scan([]byte(raw))
		a.named("BODY.PEEK[HEADER]", raw[:st.Root.BodyOffset])
		a.named("BODY.PEEK[TEXT]", raw[st.Root.BodyOffset:])
		if got := c.do(fmt.Sprintf("FETCH %d (ENVELOPE BODYSTRUCTURE)", a.seq)); !strings.HasSuffix(got, "OK FETCH completed") {
			t.Fatalf("%q: %s", raw, got)
		}
		if len(st.Root.Children) == 0 || st.Root.Envelope != nil {
			a.part("1", &st.Root)
		}
		if st.Root.Envelope == nil {
			a.parts("", st.Root.Children)
		} else if embedded := &st.Root.Children[0]; embedded.Envelope == nil {
			a.parts("1.", embedded.Children)
		}
	}
}

type agreement struct {
	t   *testing.T
	c   *tester
	seq int
	raw string
}

func (a *agreement) named(item, want string) {
	a.t.Helper()
	if got := literalOf(a.t, a.c.doRaw(fmt.Sprintf("FETCH %d %s", a.seq, item))); string(got) != want {
		a.t.Fatalf("%q\n%s is %q, want %q", a.raw, item, got, want)
	}
}

func (a *agreement) section(partial, want string) {
	a.t.Helper()
	a.named("BODY.PEEK[]"+partial, want)
	a.named("BINARY.PEEK[]"+partial, want)
}

func (a *agreement) parts(prefix string, parts []message.Part) {
	for i := range parts {
		path := prefix + strconv.Itoa(i+1)
		p := &parts[i]
		a.part(path, p)
		a.named("BODY.PEEK["+path+".MIME]", a.raw[p.HeaderOffset:p.BodyOffset])
		if p.Envelope == nil {
			a.parts(path+".", p.Children)
		} else if embedded := &p.Children[0]; len(embedded.Children) > 0 && embedded.Envelope == nil {
			a.parts(path+".", embedded.Children)
		}
	}
}

// part compares BODY, BINARY and BINARY.SIZE of a part with its bytes, whole and in a range.
func (a *agreement) part(path string, p *message.Part) {
	a.t.Helper()
	body := a.raw[p.BodyOffset:p.End]
	a.named("BODY.PEEK["+path+"]", body)
	leaf := p.Type != "multipart" && p.Envelope == nil
	want := body
	if leaf {
		switch p.Encoding {
		case "7bit", "8bit", "binary":
		case "base64", "quoted-printable":
			decoded, err := io.ReadAll(message.DecodeTransfer(strings.NewReader(body), p.Encoding))
			if err != nil {
				a.t.Fatal(err)
			}
			want = string(decoded)
		default:
			for _, item := range []string{"BINARY.PEEK", "BINARY.SIZE"} {
				if got := a.c.do(fmt.Sprintf("FETCH %d %s[%s]", a.seq, item, path)); got != "NO [UNKNOWN-CTE] Unknown Content-Transfer-Encoding" {
					a.t.Fatalf("%q\n%s[%s]: %s", a.raw, item, path, got)
				}
			}
			return
		}
	}
	a.named("BINARY.PEEK["+path+"]", want)
	a.named("BINARY.PEEK["+path+"]<2.7>", want[min(2, len(want)):min(9, len(want))])
	if got := a.c.do(fmt.Sprintf("FETCH %d BINARY.SIZE[%s]", a.seq, path)); !strings.Contains(got, fmt.Sprintf("BINARY.SIZE[%s] %d)", path, len(want))) {
		a.t.Fatalf("%q\nBINARY.SIZE[%s] of %d bytes: %s", a.raw, path, len(want), got)
	}
}
