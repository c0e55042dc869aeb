package message

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"math/rand/v2"
	"mime/quotedprintable"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"
)

func TestDecodeHeader(t *testing.T) {
	for _, test := range []struct{ raw, want string }{
		{"plain", "plain"},
		{"", ""},
		// RFC 2047 section 8
		{"(=?ISO-8859-1?Q?a?=)", "(a)"},
		{"(=?ISO-8859-1?Q?a?= b)", "(a b)"},
		{"(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)"},
		{"(=?ISO-8859-1?Q?a?=  \t =?ISO-8859-1?Q?b?=)", "(ab)"},
		{"(=?ISO-8859-1?Q?a_b?=)", "(a b)"},
		{"(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)"},
		{"=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>", "Keith Moore <moore@cs.utk.edu>"},
		{"=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?= =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",
			"If you can read this you understand the example."},
		// a character cut in two
		{"=?utf-8?q?=C3?= =?UTF-8?q?=A4?=", "ä"},
		{"=?utf-8?b?w6Q?= =?utf-8?b?w7Y=?=", "äö"},
		{"=?iso-2022-jp?b?GyRCRnxLXBsoQg==?=", "日本"},
		{"=?utf-7?q?+AOQ-?=", "ä"},
		{"=?gb2312?b?1tDOxA==?=", "中文"},
		{"=?windows-1252?q?=80?=", "€"},
		{"=?iso-8859-1*de?q?=E4?=", "ä"},
		// careless
		{"=?utf-8?q?two words?=", "two words"},
		{"=?utf-8?q?what?_yes?=", "what? yes"},
		{"a=?utf-8?q?b?=c", "abc"},
		{"=?utf-8?q?a?==?utf-8?q?b?=", "ab"},
		{"=?unknown-charset?q?=C3=A4?=", "ä"},
		{"=?utf-8?q?=ZZ=4?=", "=ZZ=4"},
		{"=?utf-8?b?w6QK!?=", "ä\n"},
		{"\"=?utf-8?q?quoted?=\"", "\"quoted\""},
		// broken
		{"=?", "=?"}, {"=?=", "=?="}, {"=?utf-8", "=?utf-8"}, {"=?utf-8?", "=?utf-8?"}, {"=?utf-8?q", "=?utf-8?q"},
		{"=?utf-8?q?", "=?utf-8?q?"}, {"=?utf-8?q?abc", "=?utf-8?q?abc"}, {"=?utf-8?x?abc?=", "=?utf-8?x?abc?="},
		{"=??q?abc?=", "=??q?abc?="}, {"=?utf-8?q?a =?utf-8?q?b?=", "=?utf-8?q?a b"},
		{"=?utf-8?q?a?= =?utf-8?x?b?=", "a =?utf-8?x?b?="},
		// raw 8-bit
		{"\xe4", "ä"}, {"\xc3\xa4", "ä"}, {"\xe4 =?utf-8?q?=C3=B6?=", "ä ö"}, {"=?utf-8?q?=E4?=", "\ufffd"},
	} {
		if got := DecodeHeader(test.raw); got != test.want {
			t.Errorf("%q: got %q, want %q", test.raw, got, test.want)
		}
	}
}

// readers returns readers of s that deliver it in several ways.
func readers(s string) map[string]io.Reader {
	return map[string]io.Reader{
		"whole":        strings.NewReader(s),
		"byte by byte": iotest.OneByteReader(strings.NewReader(s)),
		"with the end": iotest.DataErrReader(strings.NewReader(s)),
		"half by half": iotest.HalfReader(strings.NewReader(s)),
	}
}

func TestDecodeTransfer(t *testing.T) {
	long := strings.Repeat("0123456789 äöü \r\n", 5000)
	var qp bytes.Buffer
	w := quotedprintable.NewWriter(&qp)
	_, _ = w.Write([]byte(long))
	_ = w.Close()
	for _, test := range []struct{ encoding, in, want string }{
		{"base64", "SGVsbG8=", "Hello"},
		{"BASE64 ", "SGVs\r\nbG8=\r\n", "Hello"},
		{"base64", "SGVsbG8", "Hello"},
		{"base64", "SGVsbG", "Hell"},
		{"base64", "S", ""},
		{"base64", "-- SGVs!!bG8= --\r\nlist footer", "Hello" + "\x96\x2b\x2d\x7e\x8a\x2d\x7a"},
		{"base64", "SGVsbG8=SGVsbG8=", "HelloHello"},
		{"base64", "", ""},
		{"base64", base64.StdEncoding.EncodeToString([]byte(long)), long},
		{"quoted-printable", "a=3Db=\r\nc=20\r\nd", "a=bc \r\nd"},
		{"Quoted-Printable", "=c3=A4 \t\r\nx  \ny", "ä\r\nx\ny"},
		{"quoted-printable", "soft= \t\r\nbreak=\nlf", "softbreaklf"},
		{"quoted-printable", "=", ""}, {"quoted-printable", "a=\r", "a"}, {"quoted-printable", "a  ", "a"},
		{"quoted-printable", "=ZZ =4", "=ZZ =4"}, {"quoted-printable", "==3D=4=3D", "===4="}, {"quoted-printable", "=4\r\n", "=4\r\n"},
		{"quoted-printable", "a b\rc\t=\r\nd", "a b\rc\td"},
		{"quoted-printable", qp.String(), long},
		{"8bit", "=3D\xe4", "=3D\xe4"}, {"", "x", "x"}, {"x-unknown", "x", "x"},
	} {
		for name, r := range readers(test.in) {
			got, err := io.ReadAll(DecodeTransfer(r, test.encoding))
			if err != nil || string(got) != test.want {
				t.Errorf("%s %.40q, %s: got %.40q, %v; want %.40q", test.encoding, test.in, name, got, err, test.want)
			}
		}
	}
}

func TestDecodeTransferReportsErrors(t *testing.T) {
	broken := errors.New("broken")
	for _, encoding := range []string{"base64", "quoted-printable", "7bit"} {
		r := io.MultiReader(strings.NewReader("SGVsbG8="), iotest.ErrReader(broken))
		got, err := io.ReadAll(DecodeTransfer(r, encoding))
		if !errors.Is(err, broken) || len(got) < 5 {
			t.Errorf("%s: got %q, %v", encoding, got, err)
		}
	}
}

func TestDecodeCharset(t *testing.T) {
	for _, test := range []struct{ charset, in, want string }{
		{"utf-8", "\xc3\xa4\xff", "ä\ufffd"},
		{"iso-8859-1", "\xe4\x80", "ä€"},
		{"ISO-8859-15", "\xa4", "€"},
		{"us-ascii", "\xc3\xa4 \xe4 \xe2\x82", "ä ä â‚"},
		{"", "\x80\xe2\x82\xac", "€€"},
		{"\"koi8-r\"", "\xd4", "т"},
		{"shift_jis", "\x93\xfa", "日"}, {"big5", "\xa4\xa4", "中"}, {"euc-kr", "\xb0\xa1", "가"}, {"gb18030", "\xd6\xd0", "中"},
		{"hz-gb-2312", "~{VP~}", "中"}, {"utf-16le", "a\x00", "a"}, {"utf-16be", "\x00a", "a"},
		{"utf-7", "1 +- 1 +AOQ +2D3eAA-!", "1 + 1 ä 😀!"}, {"utf-7", "+2D0-\xe4", "\ufffd\ufffd"},
		{"cp437", "\x84", "ä"}, {"cp850", "\x84", "ä"},
		{"no-such-charset", "a\xc3\xa4\xff", "aä\ufffd"}, {"replacement", "a", "a"},
	} {
		for name, r := range readers(test.in) {
			got, err := io.ReadAll(DecodeCharset(r, test.charset))
			if err != nil || string(got) != test.want {
				t.Errorf("%s %q, %s: got %q, %v; want %q", test.charset, test.in, name, got, err, test.want)
			}
		}
	}
}

func TestStripHTML(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"<p>a <b>bo</b>ld &amp; &eacute;&#228;&nbsp;x</p>", "a bold & éä\u00a0x"},
		{"<html><head><title>T</title><style>p{}</style><script>if (a<b) x()</script></head><body>b<br>c<!-- no --><td>d</td><td>e", "T b c d e"},
		{"<script>x</scr<b>y</script>z", "z"},
		{"plain < text & more", "plain < text & more"},
		{"<img src=\"data:" + strings.Repeat("x", 2*maxHTMLToken) + "\">after", "after"},
		{"<p>" + strings.Repeat("word ", maxHTMLToken) + "</p>", strings.TrimSpace(strings.Repeat("word ", maxHTMLToken))},
		{"<style>" + strings.Repeat("x", 3*maxHTMLToken) + "</style>end", "end"},
		{"<!--" + strings.Repeat("x", 3*maxHTMLToken), ""},
		{"", ""},
	} {
		got, err := io.ReadAll(StripHTML(iotest.HalfReader(strings.NewReader(test.in))))
		text := strings.Join(strings.FieldsFunc(string(got), func(r rune) bool { return r == ' ' || r == '\n' }), " ")
		if strings.Contains(test.in, "data:") || strings.HasPrefix(test.in, "<!--x") {
			text = strings.TrimLeft(text, "x\">") // what is left of a tag that was cut
		}
		if err != nil || text != test.want {
			t.Errorf("%.60q: got %.60q (%d bytes), %v", test.in, text, len(text), err)
		}
	}
}

func TestTextOf(t *testing.T) {
	raw := []byte("Content-Type: text/html; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>Gr=FC=\r\n=DFe</p>")
	s := Scan(raw)
	got, err := io.ReadAll(TextOf(&s.Root, bytes.NewReader(raw[s.Root.BodyOffset:s.Root.End])))
	if err != nil || strings.TrimSpace(string(got)) != "Grüße" || !s.Root.IsText() {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestParseDate(t *testing.T) {
	for _, test := range []struct{ value, want string }{
		{"Mon, 23 Nov 2026 19:00:00 +0100", "2026-11-23T19:00:00+01:00"},
		{"Mon, 7 Feb 1994 21:52:25 -0800 (PST)", "1994-02-07T21:52:25-08:00"},
		{"23 Nov 2026 19:00 GMT", "2026-11-23T19:00:00Z"},
		{"Fri, 21 Nov 97 09:55:06 -0600", "1997-11-21T09:55:06-06:00"},
		{"21 Nov 03 09:55:06 EST", "2003-11-21T09:55:06-05:00"},
		{"21 Nov 103 09:55:06 PDT", "2003-11-21T09:55:06-07:00"},
		{"Thu,\t13\tFeb 1969 23:32 -0330 (Newfoundland Time)", "1969-02-13T23:32:00-03:30"},
		{"Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", "1997-11-21T09:55:06-06:00"},
		{"Mon Nov 23 19:00:00 2026", "2026-11-23T19:00:00Z"},
		{"Mon Nov 23 19:00:00 CET 2026", "2026-11-23T19:00:00+01:00"},
		{"2026-11-23T19:00:00Z", "2026-11-23T19:00:00Z"},
		{"2026-11-23T19:00:00.123+02:00", "2026-11-23T19:00:00+02:00"},
		{"2026-11-23 19:00:00 -0500", "2026-11-23T19:00:00-05:00"},
		{"Monday, 23-Nov-26 19:00:00 GMT", "2026-11-23T19:00:00Z"},
		{"November 23, 2026 7:05 PM", "2026-11-23T19:05:00Z"},
		{"11/23/2026 12:05 AM", "2026-11-23T00:05:00Z"},
		{"Mon, 23 Nov 2026 19:00:00 GMT+0100", "2026-11-23T19:00:00+01:00"},
		{"Mon, 23 Nov 2026 19:00:00 \"GMT\"", "2026-11-23T19:00:00Z"},
		{"Mon, 23 Nov 2026", "2026-11-23T00:00:00Z"},
		{"Mon, 23 Nov 2026 23:59:60 +0000", "2026-11-24T00:00:00Z"},
		{"Mon, 23 Nov 2026 19:00:00 X", "2026-11-23T19:00:00Z"},
		{"", ""}, {"yesterday", ""}, {"Mon, 99 Nov 2026", ""}, {"23 2026", ""}, {"(23 Nov 2026", ""},
	} {
		unix, offset, ok := ParseDate(test.value)
		got := ""
		if ok {
			got = time.Unix(unix, 0).In(time.FixedZone("", offset)).Format(time.RFC3339)
		}
		if got != test.want {
			t.Errorf("%q: got %q, want %q", test.value, got, test.want)
		}
	}
}

// TestParseDateAgrees compares with net/mail, which is strict: whatever it reads must be read the same.
func TestParseDateAgrees(t *testing.T) {
	start := time.Date(1975, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 20_000 {
		want := start.Add(time.Duration(i) * 25 * time.Hour).Add(time.Duration(i) * 37 * time.Second).
			In(time.FixedZone("", (i%27-13)*3600+i%2*1800))
		for _, layout := range []string{"Mon, 2 Jan 2006 15:04:05 -0700", "02 Jan 2006 15:04:05 -0700", "2 Jan 2006 15:04:05 -0700 (MST)"} {
			value := want.Format(layout)
			reference, err := mail.ParseDate(value)
			unix, offset, ok := ParseDate(value)
			_, wantOffset := want.Zone()
			if err != nil || !ok || unix != reference.Unix() || offset != wantOffset {
				t.Fatalf("%q: got %d %d %t, want %d %d, %v", value, unix, offset, ok, reference.Unix(), wantOffset, err)
			}
		}
	}
}

// FuzzText checks that what is decoded does not depend on how it is read and is UTF-8, whatever the bytes.
func FuzzText(f *testing.F) {
	f.Add("=?utf-8?q?=C3?= =?utf-8?b?pA==?=", "utf-8", "base64")
	f.Add("a=3D =\r\n<p>&amp;</p>", "iso-2022-jp", "quoted-printable")
	f.Add("+AOQ-", "utf-7", "7bit")
	f.Add("Mon, 23 Nov 2026 19:00:00 +0100", "hz-gb-2312", "8bit")
	f.Fuzz(func(t *testing.T, text, charset, encoding string) {
		if s := DecodeHeader(text); !utf8.ValidString(s) {
			t.Errorf("header %q", s)
		}
		ParseDate(text)
		p := Part{Type: "text", Subtype: "plain", Encoding: encoding, Params: []Param{{"charset", charset}}}
		for _, subtype := range []string{"plain", "html"} {
			p.Subtype = subtype
			var want []byte
			for name, r := range readers(text) {
				got, err := io.ReadAll(TextOf(&p, r))
				if err != nil || !utf8.Valid(got) {
					t.Fatalf("%s: %q, %v", name, got, err)
				}
				if want == nil {
					want = append([]byte{}, got...)
				} else if subtype == "plain" && !bytes.Equal(got, want) {
					t.Fatalf("%s: %q, before %q", name, got, want)
				}
			}
		}
	})
}

// TestTransferReaderResume reads some, goes on elsewhere from where Resume says, and gets the same bytes.
func TestTransferReaderResume(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	raw := make([]byte, 40_000)
	for i := range raw {
		raw[i] = byte(random.IntN(256))
	}
	var lines strings.Builder
	for chunk := range slices.Chunk([]byte(base64.StdEncoding.EncodeToString(raw)), 76) {
		lines.Write(chunk)
		lines.WriteString("\r\n")
	}
	broken := []byte(lines.String())
	for range 500 {
		broken[random.IntN(len(broken))] = "=\r !x"[random.IntN(5)]
	}
	quoted := make([]byte, 40_000)
	for i := range quoted {
		quoted[i] = "=3D4 \t\r\nabc"[random.IntN(11)]
	}
	for _, test := range []struct {
		encoding string
		in       []byte
	}{{"base64", []byte(lines.String())}, {"base64", broken}, {"quoted-printable", quoted}} {
		want, err := io.ReadAll(DecodeTransfer(bytes.NewReader(test.in), test.encoding))
		if err != nil {
			t.Fatal(err)
		}
		for range 50 {
			r := NewTransferReader(bytes.NewReader(test.in), test.encoding)
			n := random.Int64N(int64(len(want)))
			if _, err := io.CopyN(io.Discard, r, n); err != nil {
				t.Fatal(err)
			}
			encoded, decoded := r.Resume()
			if decoded > n || encoded > int64(len(test.in)) || n > 9000 && decoded < n-9000 {
				t.Fatalf("%s: after %d of %d bytes resume at %d, %d", test.encoding, n, len(want), encoded, decoded)
			}
			got, err := io.ReadAll(NewTransferReader(bytes.NewReader(test.in[encoded:]), test.encoding))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want[decoded:]) {
				t.Fatalf("%s: after %d bytes from %d, %d: other bytes", test.encoding, n, encoded, decoded)
			}
		}
	}
}
