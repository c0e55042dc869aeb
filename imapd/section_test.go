package imapd

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/message"
)

// nested is the message whose part numbers RFC 3501 section 6.4.5 explains, shortened.
var nested = raw(
	"Subject: top", "MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=a", "",
	"--a", "Content-Type: text/plain", "", "part 1",
	"--a", "Content-Type: message/rfc822", "",
	"Subject: inner", "From: in@side.example", "Content-Type: multipart/alternative; boundary=b", "",
	"--b", "Content-Type: text/plain", "X-Part: 2.1", "", "part 2.1",
	"--b", "Content-Type: text/html", "", "<p>part 2.2</p>",
	"--b--",
	"--a--")

func parseSection(t testing.TB, s string) *imap.FetchItemBodySection {
	t.Helper()
	section, err := wire.NewParser([]byte(s)).Section()
	if err != nil {
		t.Fatalf("section %s: %v", s, err)
	}
	return section
}

func TestSectionSpan(t *testing.T) {
	st := message.Scan([]byte(nested))
	const missing = "(none)"
	for _, c := range []struct{ section, want string }{
		{"[]", nested},
		{"[]<9.3>", "top"},
		{"[]<100000.3>", ""},
		{"[1]", "part 1"},
		{"[1]<5.100>", "1"},
		{"[1.MIME]", "Content-Type: text/plain\r\n\r\n"},
		{"[2.HEADER]", "Subject: inner\r\nFrom: in@side.example\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n"},
		{"[2.MIME]", "Content-Type: message/rfc822\r\n\r\n"},
		{"[2.1]", "part 2.1"},
		{"[2.1.MIME]", "Content-Type: text/plain\r\nX-Part: 2.1\r\n\r\n"},
		{"[2.2]", "<p>part 2.2</p>"},
		{"[2.2.TEXT]", missing},
		{"[1.HEADER]", missing},
		{"[3]", missing},
		{"[1.1]", missing},
		{"[2.3]", missing},
		{"[HEADER]", nested[:strings.Index(nested, "\r\n\r\n")+4]},
		{"[TEXT]", nested[strings.Index(nested, "\r\n\r\n")+4:]},
	} {
		s := parseSection(t, c.section)
		got := missing
		if at, ok := sectionSpan(st, s); ok {
			at = at.partial(s.Partial)
			got = nested[at.off:at.end]
		}
		if got != c.want {
			t.Errorf("BODY%s = %q, want %q", c.section, got, c.want)
		}
	}
}

func TestSectionName(t *testing.T) {
	for _, c := range []struct{ section, want string }{
		{"[]", "BODY[]"},
		{"[]<5.10>", "BODY[]<5>"},
		{"[1.2.3]", "BODY[1.2.3]"},
		{"[text]", "BODY[TEXT]"},
		{"[1.mime]", "BODY[1.MIME]"},
		{"[header.fields (From X-Label)]", "BODY[HEADER.FIELDS (From X-Label)]"},
		{`[2.Header.Fields.Not ("From" "a b" NIL)]<0.1>`, `BODY[2.HEADER.FIELDS.NOT (From "a b" "NIL")]<0>`},
	} {
		if got := sectionName(parseSection(t, c.section)); got != c.want {
			t.Errorf("name of %s = %s, want %s", c.section, got, c.want)
		}
	}
}

func TestHeaderFields(t *testing.T) {
	header := "Received: a\r\n\tb\r\nSubject : s\r\nno field\r\nX-Long: " + strings.Repeat("x", 3*headerLine) +
		"\r\n y\r\nsubject: t\r\nbare: lf\n\r\n"
	for _, c := range []struct{ section, want string }{
		{"[HEADER.FIELDS (SUBJECT)]", "Subject : s\r\nsubject: t\r\n\r\n"},
		{"[HEADER.FIELDS (received bare)]", "Received: a\r\n\tb\r\nbare: lf\n\r\n"},
		{"[HEADER.FIELDS (Other)]", "\r\n"},
		{"[HEADER.FIELDS.NOT (X-Long Received)]", "Subject : s\r\nno field\r\nsubject: t\r\nbare: lf\n\r\n"},
		{"[HEADER.FIELDS (X-Long)]", "X-Long: " + strings.Repeat("x", 3*headerLine) + "\r\n y\r\n\r\n"},
	} {
		var more strings.Builder
		for i := range manyNames {
			fmt.Fprintf(&more, " X-%d", i)
		}
		for _, names := range []string{"", more.String()} { // many are looked up in another way
			filter := newFieldFilter(parseSection(t, strings.TrimSuffix(c.section, ")]")+names+")]"))
			if (filter.set != nil) != (names != "") {
				t.Errorf("%d names in a set: %t", len(filter.names), filter.set != nil)
			}
			got, err := io.ReadAll(newFilterReader(strings.NewReader(header), filter))
			if err != nil || string(got) != c.want {
				t.Errorf("%s with %d names = %.200q, %v, want %.200q", c.section, len(filter.names), got, err, c.want)
			}
		}
	}
}

// What comes from the summary is what reading the header gives.
func TestHeaderFieldsOfSummary(t *testing.T) {
	text := "Subject: a\r\n b\r\nFrom : x@y.example\r\nDATE: now\nX-Other: z\r\nsubject: again\r\n\r\nbody"
	st := message.Scan([]byte(text))
	filter := fieldFilter{names: []string{"subject", "From", "date"}}
	if !filter.fromSummary() || !st.Complete() {
		t.Fatal("the usual fields are not kept")
	}
	read, err := io.ReadAll(newFilterReader(strings.NewReader(text[:st.Root.BodyOffset]), filter))
	if err != nil {
		t.Fatal(err)
	}
	if kept := filter.appendKept(nil, st.Fields); string(kept) != string(read) {
		t.Errorf("kept %q, read %q", kept, read)
	}
}
