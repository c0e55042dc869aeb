package message

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// reference is a slow and simple parser of whole messages by recursive descent over lines, to compare the Scanner's
// offsets with. It shares with the Scanner the reading of Content-Type alone.
type reference struct {
	raw   []byte
	lines [][2]int // begin and end of each line
}

// refPart is a part as the reference sees it.
type refPart struct {
	header, body, end int
	kind              string // "text", "multipart", "message" or "opaque"
	children          []*refPart
}

func parseReference(raw []byte) *refPart {
	r := &reference{raw: raw}
	for at := 0; at < len(raw); {
		end := len(raw)
		if n := bytes.IndexByte(raw[at:], '\n'); n >= 0 {
			end = at + n + 1
		}
		r.lines = append(r.lines, [2]int{at, end})
		at = end
	}
	p, _ := r.part(0, nil, false, true)
	return p
}

func (r *reference) text(i int) string { return string(r.raw[r.lines[i][0]:r.lines[i][1]]) }

func (r *reference) start(i int) int {
	if i < len(r.lines) {
		return r.lines[i][0]
	}
	return len(r.raw)
}

// delimiter returns which of the boundaries line i is a delimiter of, -1 for none.
func (r *reference) delimiter(i int, boundaries []string) (n int, closing bool) {
	if r.lines[i][1]-r.lines[i][0] > maxDelimiter {
		return -1, false
	}
	line := strings.TrimRight(r.text(i), " \t\r\n")
	for _, suffix := range []string{"", "--"} {
		for n := len(boundaries) - 1; n >= 0; n-- {
			if boundaries[n] != "" && line == "--"+boundaries[n]+suffix {
				return n, suffix != ""
			}
		}
	}
	return -1, false
}

// endBefore returns where something ends that line i follows, which began at from.
func (r *reference) endBefore(i, from int) int {
	end := r.start(i)
	if i < len(r.lines) { // a delimiter
		if n := len(r.raw[:end]); bytes.HasSuffix(r.raw[:n], []byte("\r\n")) {
			end -= 2
		} else if n > 0 {
			end--
		}
		if end < from {
			return r.start(i)
		}
	}
	return end
}

// part parses the part whose header begins at line i, until a delimiter of one of the boundaries, and returns its line.
func (r *reference) part(i int, boundaries []string, digest, root bool) (*refPart, int) {
	p := &refPart{header: r.start(i), body: -1}
	var fields []string
	first := true
	for ; i < len(r.lines) && p.body < 0; i++ {
		line := r.text(i)
		if n, _ := r.delimiter(i, boundaries); n >= 0 {
			break
		}
		name, _, colon := strings.Cut(line, ":")
		name = strings.TrimRight(name, " \t")
		isField := colon && name != "" && !strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c == 0x7f })
		switch {
		case line == "\n" || line == "\r\n":
			p.body = r.lines[i][1]
		case line[0] == ' ' || line[0] == '\t':
			if len(fields) > 0 && fields[len(fields)-1] != "" {
				fields[len(fields)-1] += line
			}
			first = false
		case !isField && first && !root && !strings.HasPrefix(strings.TrimPrefix(line, ">"), "From "):
			p.body = r.lines[i][0]
			i--
		case isField:
			fields = append(fields, line)
			first = false
		default:
			fields = append(fields, "") // what follows folded belongs to no field
			first = false
		}
	}
	over := p.body < 0 // a delimiter ended the header, or the message did: there is no body
	if over {
		p.body = r.endBefore(i, p.header)
	}
	var h header
	for _, f := range fields {
		h = h.appendField(f)
	}
	var d Part
	h.describe(&d, digest)
	boundary := d.boundary()
	switch {
	case d.isMessage() && encoded(d.Encoding):
		p.kind = "opaque"
	case d.isMessage():
		p.kind = "message"
		c := &refPart{header: p.body, body: p.body, end: p.body, kind: "text"}
		if !over {
			c, i = r.part(i, boundaries, false, false)
		}
		p.children = append(p.children, c)
	case d.Type == "multipart" && boundary != "" && !over:
		p.kind = "multipart"
		inner := append(append([]string(nil), boundaries...), boundary)
		for i < len(r.lines) {
			n, closing := r.delimiter(i, inner)
			if n >= 0 && n < len(boundaries) {
				break
			}
			switch {
			case n < 0:
				i++
			case closing:
				inner[n] = ""
				i++
			default:
				var c *refPart
				c, i = r.part(i+1, inner, d.Subtype == "digest", false)
				p.children = append(p.children, c)
			}
		}
		if len(p.children) == 0 {
			p.kind = "text"
		}
	default:
		p.kind = "text"
	}
	for i < len(r.lines) && !r.isDelimiter(i, boundaries) {
		i++
	}
	p.end = r.endBefore(i, p.body)
	if n := len(p.children); n > 0 {
		p.end = max(p.end, p.children[n-1].end)
	}
	return p, i
}

func (r *reference) isDelimiter(i int, boundaries []string) bool {
	if i >= len(r.lines) {
		return false
	}
	n, _ := r.delimiter(i, boundaries)
	return n >= 0
}

func compareReference(want *refPart, got *Part, path string) error {
	kind := "text"
	switch {
	case got.Type == "multipart":
		kind = "multipart"
	case got.isMessage():
		kind = "message"
	case want.kind == "opaque":
		kind = "opaque"
	}
	if int64(want.header) != got.HeaderOffset || int64(want.body) != got.BodyOffset || int64(want.end) != got.End ||
		want.kind != kind || len(want.children) != len(got.Children) {
		return fmt.Errorf("%s: got %s %d %d %d, %d children; want %s %d %d %d, %d children", path,
			kind, got.HeaderOffset, got.BodyOffset, got.End, len(got.Children),
			want.kind, want.header, want.body, want.end, len(want.children))
	}
	for i, c := range want.children {
		if err := compareReference(c, &got.Children[i], fmt.Sprintf("%s.%d", path, i+1)); err != nil {
			return err
		}
	}
	return nil
}

// randomMessage puts together lines that matter to the structure, in any order.
func randomMessage(rnd *rand.Rand) []byte {
	pieces := []string{
		"Content-Type: multipart/mixed; boundary=a", "Content-Type: multipart/alternative; boundary=\"ab\"",
		"Content-Type: multipart/digest;\r\n boundary=c", "Content-Type: message/rfc822", "Content-Type: text/plain",
		"Content-Type: multipart/mixed; boundary=a--", "Content-Type: multipart/mixed", "Content-Transfer-Encoding: base64",
		"Content-Type: message/global", "Subject: x", "Subject", " folded", "\t", "From x", ">From x", "From: a@b", ":", "a b: c", "--",
		"--a", "--a--", "--ab", "--ab--", "--c", "--c--", "--a ", "--ab-- \t", "--a----", "-", "--abc", "---a", "", "", "", "", "", "text",
		"\x00", "\xff: y", "\r",
	}
	var b bytes.Buffer
	for range rnd.IntN(30) {
		b.WriteString(pieces[rnd.IntN(len(pieces))])
		switch rnd.IntN(12) {
		case 0:
		case 1, 2:
			b.WriteString("\n")
		default:
			b.WriteString("\r\n")
		}
	}
	return b.Bytes()
}

// TestReference compares the Scanner with the reference on random messages, and checks all that holds for any bytes.
func TestReference(t *testing.T) {
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 1))
	count := 20_000
	if testing.Short() {
		count = 2_000
	}
	children := 0
	for i := range count {
		raw := randomMessage(rnd)
		s := Scan(raw)
		err := compareReference(parseReference(raw), &s.Root, "root")
		if err == nil && i%10 == 0 {
			err = checkMessage(raw, seed)
		}
		if err != nil {
			t.Fatalf("seed %d, message %d\n%q\n%v", seed, i, raw, err)
		}
		children += len(s.Root.Children)
	}
	if children == 0 {
		t.Error("no message had parts")
	}
}
