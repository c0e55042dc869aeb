package message

import (
	"fmt"
	"strings"
	"testing"
)

func TestContentType(t *testing.T) {
	for _, test := range []struct{ value, want string }{
		{`text/plain; charset=us-ascii (Plain text)`, `text/plain [{"charset" "us-ascii"}]`},
		{`text/plain; charset="us-ascii"`, `text/plain [{"charset" "us-ascii"}]`},
		{`TEXT/HTML;Charset = "UTF-8" ; Format=Flowed;`, `text/html [{"charset" "UTF-8"} {"format" "Flowed"}]`},
		{"multipart/mixed;\r\n\tboundary=\"a\r\n b\"", `multipart/mixed [{"boundary" "a b"}]`},
		{`multipart/mixed; boundary=----=_NextPart_000_0001?x/y:z`, `multipart/mixed [{"boundary" "----=_NextPart_000_0001?x/y:z"}]`},
		{`(c) text (c) / (c) plain (c) ; (c) a (c) = (c) b (c) ; c=d`, `text/plain [{"a" "b"} {"c" "d"}]`},
		{`text/plain; name="a\"b\\c"; x="unclosed; y=z`, `text/plain [{"name" "a\"b\\c"} {"x" "unclosed; y=z"}]`},
		{`text/plain; name=a b.txt; charset=x y=z`, `text/plain [{"name" "a b.txt"} {"charset" "x"} {"y" "z"}]`},
		{`text/plain charset="a" b=c`, `text/plain [{"charset" "a"} {"b" "c"}]`},
		{`text/plain; charset="a" junk; b=c`, `text/plain [{"charset" "a"} {"b" "c"}]`},
		{`text/plain; ; =x; "q"; novalue; a=; b="" ; c=d`, `text/plain [{"a" ""} {"b" ""} {"c" "d"}]`},
		{`text/plain; a=1; A=2; a*=3`, `text/plain [{"a" "1"} {"a*" "3"}]`},
		{``, `text/plain [{"charset" "us-ascii"}]`},
		{`text`, `text/plain [{"charset" "us-ascii"}]`},
		{`text/; name=x`, `text/plain [{"name" "x"}]`},
		{`/plain`, `text/plain [{"charset" "us-ascii"}]`},
		{`"text/plain"`, `text/plain [{"charset" "us-ascii"}]`},
		{strings.Repeat("x", 200) + `/plain`, `text/plain [{"charset" "us-ascii"}]`},
		// RFC 2231
		{`message/external-body; access-type=URL; URL*0="ftp://"; URL*1="cs.utk.edu/x"`,
			`message/external-body [{"access-type" "URL"} {"url" "ftp://cs.utk.edu/x"}]`},
		{`application/x-stuff; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A`,
			`application/x-stuff [{"title*" "us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A"}]`},
		{`application/x-stuff; title*0*=us-ascii'en'This%20is%20even%20more%20; title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*2="isn't it!"`,
			`application/x-stuff [{"title*" "us-ascii'en'This%20is%20even%20more%20%2A%2A%2Afun%2A%2A%2A%20isn%27t%20it!"}]`},
		{`a/b; x*1=b; x*0=a; x*3=d; y*z=1`, `a/b [{"x" "ab"} {"y*z" "1"}]`},
		{`a/b; x*0="100%"; x*1*=%41`, `a/b [{"x*" "''100%25%41"}]`},
		{`a/b; x=plain; x*0=a; x*1=b`, `a/b [{"x" "plain"}]`},
	} {
		s := Scan([]byte("Content-Type: " + test.value + "\r\n\r\n--a\r\n\r\n--a--\r\n"))
		p := s.Root
		if p.Type == "text" && strings.Contains(test.want, "multipart/mixed") { // no such boundary in the body
			p.Type, p.Subtype = "", ""
			header{{fieldContentType, test.value}}.describe(&p, false)
		}
		if got := fmt.Sprintf("%s/%s %q", p.Type, p.Subtype, p.Params); got != test.want {
			t.Errorf("%s\n got %s\nwant %s", test.value, got, test.want)
		}
	}
}

func TestParamsAreBounded(t *testing.T) {
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, "; p%d=%d", i, i)
	}
	if n := len(parseParams(b.String())); n != maxParams {
		t.Errorf("%d parameters", n)
	}
}

func TestDecodeParam(t *testing.T) {
	for _, test := range []struct{ header, want string }{
		{`filename="plain.txt"`, "plain.txt"},
		{`filename="=?utf-8?b?w6QudHh0?="`, "ä.txt"},
		{`filename*=utf-8''na%C3%AFve.txt; filename="naive.txt"`, "naïve.txt"},
		{`filename="naive.txt"; filename*=iso-8859-1'fr'na%EFve.txt`, "naïve.txt"},
		{`filename*0*=utf-8''%C3; filename*1*=%A4; filename*2=.txt`, "ä.txt"},
		{`filename*=na%C3%AFve.txt`, "naïve.txt"},
		{"filename=\xe4.txt", "ä.txt"},
		{`name=x`, ""},
	} {
		if got := DecodeParam(parseParams(";"+test.header), "filename"); got != test.want {
			t.Errorf("%s: got %q, want %q", test.header, got, test.want)
		}
	}
}
