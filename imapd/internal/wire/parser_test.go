package wire

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
)

// parsed runs one of Parser's methods on text and describes what came out, and what is left.
func parsed[T any](text string, f func(p *Parser) (T, error)) string {
	p := NewParser([]byte(text))
	v, err := f(p)
	if err != nil {
		var syn *SyntaxError
		if !errors.As(err, &syn) {
			return "not a SyntaxError: " + err.Error()
		}
		return "error"
	}
	return fmt.Sprintf("%v|%s", v, p.Rest())
}

func literal8(p *Parser) (string, error) {
	b, err := p.Literal8()
	return string(b), err
}

func TestParserStrings(t *testing.T) {
	quoted := func(s string) string { return strings.ReplaceAll(s, "~", "\r\n") }
	for _, c := range []struct {
		f        func(p *Parser) (string, error)
		in, want string
	}{
		{(*Parser).Atom, "abc def", "ABC| def"},
		{(*Parser).Atom, "a]", "A|]"},
		{(*Parser).Atom, "", "error"},
		{(*Parser).Atom, "(x", "error"},
		{(*Parser).Atom, "\xc3\xa4", "error"},
		{(*Parser).Keyword, "body.peek[text]", "BODY.PEEK|[text]"},
		{(*Parser).Tag, "a+b x", "a|+b x"},
		{(*Parser).AString, "a]b x", "a]b| x"},
		{(*Parser).AString, `"a b" x`, "a b| x"},
		{(*Parser).AString, `"a \"b\\" x`, `a "b\| x`},
		{(*Parser).AString, `"a \b"`, "error"},
		{(*Parser).AString, `"a`, "error"},
		{(*Parser).AString, `"a\`, "error"},
		{(*Parser).AString, `"`, "error"},
		{(*Parser).AString, "\"a\r\"", "error"},
		{(*Parser).AString, "\"a\x00\"", "error"},
		{(*Parser).AString, "\"\xc3\xa4\"", "\xc3\xa4|"},
		{(*Parser).AString, `"" x`, "| x"},
		{(*Parser).AString, quoted("{3}~abc x"), "abc| x"},
		{(*Parser).AString, quoted("{3+}~abc x"), "abc| x"},
		{(*Parser).AString, "{3+}\nabc x", "abc| x"},
		{(*Parser).AString, quoted("~{3+}~abc x"), "error"}, // "~" stands for CRLF here
		{(*Parser).AString, "~{3+}\r\nabc x", "error"},
		{(*Parser).AString, "~user x", "~user| x"},
		{literal8, "~{3+}\r\na\x00c x", "a\x00c| x"},
		{literal8, "{3+}\r\nabc x", "error"},
		{literal8, "~x", "error"},
		{(*Parser).AString, "{3+}\r\na\x00c x", "error"},
		{(*Parser).AString, quoted("{4}~abc"), "error"},
		{(*Parser).AString, "{3}abc", "error"},
		{(*Parser).AString, quoted("{3 }~abc"), "error"},
		{(*Parser).AString, quoted("{}~abc"), "error"},
		{(*Parser).AString, quoted("{99999999999999999999}~abc"), "error"},
		{(*Parser).Mailbox, "inBox x", "INBOX| x"},
		{(*Parser).Mailbox, "INBOX/x", "INBOX/x|"},
		{(*Parser).Mailbox, `"Entw&APw-rfe"`, "Entwürfe|"},
		{(*Parser).Mailbox, `"R&-D"`, "R&D|"},
		{(*Parser).Mailbox, `"R&D"`, "error"},
		{(*Parser).Mailbox, "\"Entw\xc3\xbcrfe & co\"", "Entwürfe & co|"},
		{(*Parser).Mailbox, "\"\xff\"", "error"},
		{(*Parser).ListMailbox, "%/*] x", "%/*]| x"},
		{(*Parser).ListMailbox, "&APw-* x", "ü*| x"},
		{(*Parser).ListMailbox, "&APw* x", "&APw*| x"},
		{(*Parser).ListMailbox, `"" x`, "| x"},
	} {
		if got := parsed(c.in, c.f); got != c.want {
			t.Errorf("%q: got %q, want %q", c.in, got, c.want)
		}
	}
}

func TestParserNString(t *testing.T) {
	for in, want := range map[string]string{`nil x`: "false", `"nil"`: "truenil", `nilly`: "error", `x`: "error"} {
		got := parsed(in, func(p *Parser) (string, error) {
			s, ok, err := p.NString()
			return fmt.Sprint(ok, s)[:len(fmt.Sprint(ok, s))], err
		})
		got, _, _ = strings.Cut(got, "|")
		if got = strings.ReplaceAll(got, " ", ""); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestParserNumbers(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0|", "4294967295 x": "4294967295| x", "4294967296": "error", "": "error", "-1": "error", "99999999999999999999": "error",
		"007": "7|",
	} {
		if got := parsed(in, (*Parser).Number); got != want {
			t.Errorf("Number %q: got %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"9223372036854775807": "9223372036854775807|", "9223372036854775808": "error", "18446744073709551616": "error",
	} {
		if got := parsed(in, (*Parser).Number64); got != want {
			t.Errorf("Number64 %q: got %q, want %q", in, got, want)
		}
	}
}

func TestParserSequenceSet(t *testing.T) {
	set := func(p *Parser) (string, error) {
		ranges, saved, err := p.SequenceSet()
		return fmt.Sprint(ranges, saved), err
	}
	for in, want := range map[string]string{
		"1":              "[{1 1}] false|",
		"*":              "[{0 0}] false|",
		"1:*,7,9:3 x":    "[{1 0} {7 7} {9 3}] false| x",
		"*:5":            "[{0 5}] false|",
		"4294967295":     "[{4294967295 4294967295}] false|",
		"$ x":            "[] true| x",
		"0":              "error",
		"1:0":            "error",
		"1:":             "error",
		"1,":             "error",
		",1":             "error",
		"1:2:3":          "[{1 2}] false|:3",
		"4294967296":     "error",
		"1:99999999999":  "error",
		"":               "error",
		"1 ,2":           "[{1 1}] false| ,2",
		"01":             "[{1 1}] false|",
		"1,$":            "error",
		"a":              "error",
		"1:*,2:*,3:*,*:": "error",
	} {
		if got := parsed(in, set); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestParserFlags(t *testing.T) {
	for in, want := range map[string]string{
		`(\seen \ANSWERED $Label1 \Recent)`: `[\Seen \Answered $Label1 \Recent]|`,
		`()`:                                `[]|`,
		`( )`:                               `error`,
		`(\Seen )`:                          `[\Seen]|`,
		`(\Seen`:                            `error`,
		`(\Nonsense)`:                       `[\Nonsense]|`,
		`(\*)`:                              `error`,
		`(a]b)`:                             `error`,
		`\Seen`:                             `error`,
	} {
		if got := parsed(in, (*Parser).FlagList); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestParserDates(t *testing.T) {
	dateTime := func(p *Parser) (string, error) {
		d, err := p.DateTime()
		return d.Format(time.RFC3339), err
	}
	for in, want := range map[string]string{
		`"17-Jul-1996 02:44:25 -0700"`: "1996-07-17T02:44:25-07:00|",
		`" 3-Feb-2021 10:11:12 +0100"`: "2021-02-03T10:11:12+01:00|",
		`"3-feb-2021 10:11:12 +0100"`:  "2021-02-03T10:11:12+01:00|",
		`"03-Feb-2021 10:11:12 +0000"`: "2021-02-03T10:11:12Z|",
		`"31-Feb-2021 10:11:12 +0100"`: "error",
		`"29-Feb-2021 10:11:12 +0100"`: "error",
		`"0-Feb-2021 10:11:12 +0100"`:  "error",
		`"1-Xxx-2021 10:11:12 +0100"`:  "error",
		`"1-Feb-2021 24:11:12 +0100"`:  "error",
		`"1-Feb-2021 10:11:12 0100"`:   "error",
		`"1-Feb-2021 10:11:12 +9900"`:  "error",
		`"1-Feb-2021 10:11:12 +0100`:   "error",
		`1-Feb-2021`:                   "error",
	} {
		if got := parsed(in, dateTime); got != want {
			t.Errorf("DateTime %q: got %q, want %q", in, got, want)
		}
	}
	date := func(p *Parser) (string, error) {
		d, err := p.Date()
		return d.Format(time.DateOnly), err
	}
	for in, want := range map[string]string{
		`1-Feb-1994 x`:   "1994-02-01| x",
		`"1-Feb-1994" x`: "1994-02-01| x",
		`01-FEB-1994`:    "1994-02-01|",
		`1-Feb-94`:       "error",
		`1-Feb`:          "error",
		`"1-Feb-1994`:    "error",
		`30-Feb-1994`:    "error",
		``:               "error",
	} {
		if got := parsed(in, date); got != want {
			t.Errorf("Date %q: got %q, want %q", in, got, want)
		}
	}
}

func TestParserSection(t *testing.T) {
	for _, c := range []struct {
		in   string
		want *imap.FetchItemBodySection // nil: an error
	}{
		{"[]", &imap.FetchItemBodySection{}},
		{"[TEXT]", &imap.FetchItemBodySection{Specifier: imap.PartSpecifierText}},
		{"[1.2.header]", &imap.FetchItemBodySection{Specifier: imap.PartSpecifierHeader, Part: []int{1, 2}}},
		{"[3]<0.65536>", &imap.FetchItemBodySection{Part: []int{3}, Partial: &imap.SectionPartial{Size: 65536}}},
		{"[1.MIME]", &imap.FetchItemBodySection{Specifier: imap.PartSpecifierMIME, Part: []int{1}}},
		{"[HEADER.FIELDS (From X-Y)]", &imap.FetchItemBodySection{Specifier: imap.PartSpecifierHeader, HeaderFields: []string{"From", "X-Y"}}},
		{`[HEADER.FIELDS.NOT ("From")]<5.1>`, &imap.FetchItemBodySection{Specifier: imap.PartSpecifierHeader,
			HeaderFieldsNot: []string{"From"}, Partial: &imap.SectionPartial{Offset: 5, Size: 1}}},
		{"[MIME]", nil},
		{"[0]", nil},
		{"[1.]", nil},
		{"[1.0]", nil},
		{"[.1]", nil},
		{"[1HEADER]", nil},
		{"[HEADER", nil},
		{"[HEADER.FIELDS]", nil},
		{"[HEADER.FIELDS ()]", nil},
		{"[NONSENSE]", nil},
		{"[1]<1>", nil},
		{"[1]<1.0>", nil},
		{"[1]<-1.1>", nil},
		{"[1]<9223372036854775808.1>", nil},
		{"[99999999999]", nil},
		{"[" + strings.Repeat("1.", 300) + "1]", nil},
		{"", nil},
	} {
		p := NewParser([]byte(c.in))
		got, err := p.Section()
		if c.want == nil {
			if err == nil {
				t.Errorf("%q: no error", c.in)
			}
			continue
		}
		if err != nil || !p.EOF() || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q: got %+v, %v", c.in, got, err)
		}
	}
}

func TestParserDepth(t *testing.T) {
	var nest func(p *Parser) error
	nest = func(p *Parser) error { return p.List(func() error { return nest(p) }) }
	if err := nest(NewParser([]byte(strings.Repeat("(", 100_000)))); err == nil || err.Error() != "Nested too deep" {
		t.Errorf("100,000 deep: %v", err)
	}
	if err := nest(NewParser([]byte(strings.Repeat("(", MaxDepth) + strings.Repeat(")", MaxDepth)))); err != nil {
		t.Errorf("%d deep: %v", MaxDepth, err)
	}
}

func FuzzParser(f *testing.F) {
	for _, s := range []string{
		"a LOGIN {3+}\r\nabc \"x\\\"y\"", "(\\Seen $x) \" 3-Feb-2021 10:11:12 +0100\" ~{2}\r\nab", "1:*,3,$ [1.HEADER.FIELDS (a b)]<0.5>",
		"&APw-* NIL 1-Feb-1994 99999999999", "((((((", "{4294967296}\r\n", "{99999999999999999999+}\r\n", "\"{3+}\r\n",
	} {
		f.Add([]byte(s), uint64(0x123456789))
	}
	f.Fuzz(func(t *testing.T, in []byte, choices uint64) {
		p := NewParser(in)
		for !p.EOF() {
			before := p.pos
			var err error
			switch choices & 15 {
			case 0:
				_, err = p.Atom()
			case 1:
				_, err = p.AString()
			case 2:
				_, _, err = p.NString()
			case 3:
				_, err = p.Number64()
			case 4:
				var name string
				if name, err = p.Mailbox(); err == nil {
					// What was understood can be said, and is understood the same.
					var b strings.Builder
					w := NewWriter(&b, 512)
					if w.Mailbox(name).Flush() != nil {
						t.Fatal("no error can happen")
					}
					again, err := NewParser([]byte(b.String())).Mailbox()
					if err != nil && !strings.Contains(name, "\x00") || err == nil && again != name && !strings.Contains(name, "\x00") {
						t.Fatalf("%q written as %q, read as %q, %v", name, b.String(), again, err)
					}
				}
			case 5:
				_, err = p.ListMailbox()
			case 6:
				_, _, err = p.SequenceSet()
			case 7:
				_, err = p.FlagList()
			case 8:
				_, err = p.DateTime()
			case 9:
				_, err = p.Date()
			case 10:
				_, err = p.Section()
			case 11:
				_, _, err = p.LiteralHeader()
			case 12:
				_, err = p.Tag()
			case 13:
				_, err = p.Keyword()
			default:
				err = p.SP()
			}
			var syn *SyntaxError
			if err != nil && !errors.As(err, &syn) {
				t.Fatalf("%v is no SyntaxError", err)
			}
			if p.pos < before || p.pos > len(in) {
				t.Fatalf("position %d of %d", p.pos, len(in))
			}
			if p.pos == before {
				p.pos++
			}
			choices = choices>>4 | choices<<60
		}
	})
}
