package imapurl

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	const token = "91354a473744909de610943775f92038"
	for _, test := range []struct {
		in   string
		want *URL
	}{
		{"imap://fred@example.com/INBOX/;uid=20", &URL{Server: "example.com", User: "fred", Mailbox: "INBOX", Rooted: true, UID: 20}},
		{"IMAP://minbari.example.org:7143/gray-council;UIDVALIDITY=385759045/;UID=20/;PARTIAL=0.1024",
			&URL{Server: "minbari.example.org:7143", Mailbox: "gray-council", Rooted: true, UIDValidity: 385759045, UID: 20, Partial: &Partial{0, 1024}}},
		{"imap://psicorp.example.org/~peter/%E6%97%A5%E6%9C%AC%E8%AA%9E/%E5%8F%B0%E5%8C%97/;UID=1",
			&URL{Server: "psicorp.example.org", Mailbox: "~peter/日本語/台北", Rooted: true, UID: 1}},
		{"imap://;AUTH=GSSAPI@minbari.example.org/gray-council/;uid=20/;section=1.2",
			&URL{Server: "minbari.example.org", Auth: "GSSAPI", Mailbox: "gray-council", Rooted: true, UID: 20, Section: "1.2"}},
		{"/Drafts/;UID=3002", &URL{Mailbox: "Drafts", Rooted: true, UID: 3002}},
		{"/Sent;UIDVALIDITY=785799047/;UID=113330;section=1.5.9", nil},
		{"/a/b;UIDVALIDITY=3/;UID=4/;SECTION=HEADER.FIELDS%20(DATE)/;PARTIAL=7",
			&URL{Mailbox: "a/b", Rooted: true, UIDValidity: 3, UID: 4, Section: "HEADER.FIELDS (DATE)", Partial: &Partial{7, 0}}},
		{"/a/;UID=4/;SECTION=HEADER.FIELDS%20(X/Y)/;PARTIAL=7",
			&URL{Mailbox: "a", Rooted: true, UID: 4, Section: "HEADER.FIELDS (X/Y)", Partial: &Partial{7, 0}}},
		{"/a/;UID=4/;SECTION=1/;URLAUTH=anonymous", nil},
		{"/a/;UID=4/;SECTION=/;PARTIAL=7", nil},
		{"/foo/;UID=20/..", nil}, // RFC 5092 section 9.1: a mailbox
		{"..;UIDVALIDITY=385759045/;UID=20", &URL{Mailbox: "..", UIDValidity: 385759045, UID: 20}},
		{"imap://@example.com/INBOX/;uid=20", nil},
		{"imap://joe;@example.com/INBOX/;uid=20", nil},
		{"imap://joe;AUTH=@example.com/INBOX/;uid=20", nil},
		{";UID=7/;SECTION=2", &URL{UID: 7, Section: "2"}},
		{"INBOX/;UID=7", &URL{Mailbox: "INBOX", UID: 7}},
		{"imap://joe@example.com/INBOX/;uid=20/;section=1.2;urlauth=submit+fred:internal:" + token, &URL{
			Server: "example.com", User: "joe", Mailbox: "INBOX", Rooted: true, UID: 20, Section: "1.2",
			Access: Access{Submit, "fred"}, Mechanism: "INTERNAL", Token: token,
			Rump: "imap://joe@example.com/INBOX/;uid=20/;section=1.2;urlauth=submit+fred"}},
		{"imap://joe@example.com/INBOX/;uid=20;expire=2026-11-23T15:30:00z;urlauth=user+a%40b.org", &URL{
			Server: "example.com", User: "joe", Mailbox: "INBOX", Rooted: true, UID: 20,
			Expire: time.Date(2026, 11, 23, 15, 30, 0, 0, time.UTC), Access: Access{User, "a@b.org"},
			Rump: "imap://joe@example.com/INBOX/;uid=20;expire=2026-11-23T15:30:00z;urlauth=user+a%40b.org"}},
		{"imap://example.com/INBOX/;uid=20;urlauth=anonymous", &URL{Server: "example.com", Mailbox: "INBOX", Rooted: true, UID: 20,
			Access: Access{Kind: Anonymous}, Rump: "imap://example.com/INBOX/;uid=20;urlauth=anonymous"}},
		{"imap://example.com/INBOX/;uid=20;urlauth=anonymouse", nil},
		{"imap://example.com/INBOX/;uid=20;urlauth=anonymous:internal:123", nil},
		{"imap://example.com/INBOX/;uid=20;urlauth=anonymous:internal:" + strings.Repeat("g", 32), nil},
		{"imap://example.com/INBOX/;uid=20;urlauth=stream+x", nil},
		{"imap://example.com/INBOX/;uid=20;expire=2026-11-23T15:30:00Z", nil},
		{"imap://example.com/INBOX/;uid=20;expire=tomorrow;urlauth=anonymous", nil},
		{"imap://example.com/INBOX", nil},
		{"imap://example.com/INBOX/;uid=0", nil},
		{"imap://example.com/INBOX/;uid=4294967296", nil},
		{"imap://example.com/INBOX/;uid=1/;partial=0.0", nil},
		{"imap://example.com/INBOX/;uid=1/;section=", nil},
		{"imap://example.com/;uid=1", nil},
		{"imap:///INBOX/;uid=1", nil},
		{"imap://example.com", nil},
		{"//example.com/INBOX/;uid=1", nil},
		{"/%ff/;uid=1", nil},
		{"/a%0Db/;uid=1", nil},
		{"/a%2/;uid=1", nil},
		{"/a b/;uid=1", nil},
		{"/é/;uid=1", nil},
		{"/INBOX?SUBJECT%20x", nil},
		{"http://example.com/INBOX/;uid=1", nil},
		{"imaps://example.com/INBOX/;uid=1", nil},
		{"", nil},
		{strings.Repeat("a", maxLength) + "/;uid=1", nil},
	} {
		got, err := Parse(test.in)
		if (err == nil) != (test.want != nil) || err == nil && !reflect.DeepEqual(got, test.want) {
			t.Errorf("Parse(%.100q):\n got %+v, %v\nwant %+v", test.in, got, err, test.want)
		}
	}
}

// Hosts as RFC 3986 section 3.2.2 has them.
func TestParseHost(t *testing.T) {
	for _, test := range []struct {
		host string
		ok   bool
	}{
		{"mail_store.example.org", true},
		{"~a!$&'()*+,;=-._b", true},
		{"b%C3%BCcher.example", true},
		{"192.0.2.1:143", true},
		{"[2001:db8::7]", true},
		{"[2001:db8::7]:143", true},
		{"[v1.fe80::a+en1]", true},
		{"example.org:", true},
		{"", false},
		{":143", false},
		{"example.org:imap", false},
		{"example.org:143:143", false},
		{"b%ff.example", false},
		{"b%2.example", false},
		{"[2001:db8::7", false},
		{"[2001:db8::7]x", false},
		{"[192.0.2.1]", false},
		{"[fe80::1%25en1]", false},
		{"[v.x]", false},
		{"[v1.]", false},
		{"[]", false},
		{"a[b]", false},
	} {
		for _, user := range []string{"", "joe@", "joe;AUTH=*@"} {
			u, err := Parse("imap://" + user + test.host + "/INBOX/;uid=1")
			if (err == nil) != test.ok || err == nil && u.Server != test.host {
				t.Errorf("%q: %+v, %v", user+test.host, u, err)
			}
		}
	}
}

func TestEncode(t *testing.T) {
	for _, s := range []string{"", "INBOX", "a/b c", "日本語", "100%", "a;b?c#d", "x@example.org"} {
		e := Encode(s)
		if got, ok := decode(e); !ok || got != s {
			t.Errorf("Encode(%q) is %q, which is %q", s, e, got)
		}
		if u, err := Parse("/x" + e + "/;UID=1"); err != nil || u.Mailbox != "x"+s {
			t.Errorf("in an URL: %q, %v", e, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"imap://joe@example.com:143/INBOX;UIDVALIDITY=7/;uid=20/;section=1.2/;partial=1.2;expire=2026-11-23T15:30:00Z;urlauth=submit+fred:internal:91354a473744909de610943775f92038",
		"/a%20b/;UID=1", ";UID=1/;SECTION=TEXT", "imap://;AUTH=*@h/x/;UID=1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := Parse(s)
		if err != nil {
			return
		}
		if u.UID == 0 || u.Rump != "" && !strings.HasPrefix(s, u.Rump) || (u.Rump == "") != (u.Access.Kind == NoAccess) {
			t.Fatalf("%q: %+v", s, u)
		}
		if u.Mechanism != "" && !strings.EqualFold(s, u.Rump+":"+u.Mechanism+":"+u.Token) {
			t.Fatalf("%q: %+v", s, u)
		}
		if u.Mailbox != "" && !u.Absolute() && u.Rooted {
			again, err := Parse("/" + Encode(u.Mailbox) + "/;UID=1")
			if err != nil || again.Mailbox != u.Mailbox {
				t.Fatalf("%q: mailbox %q written again is %+v, %v", s, u.Mailbox, again, err)
			}
		}
	})
}
