package imapd

import (
	"strings"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/message"
	"github.com/rookery-mail/rookery/metadata"
)

// searchFor parses the arguments of a SEARCH.
func searchFor(args string) (*search, error) {
	run, err := parseSearch(wire.NewParser([]byte(" "+args)), false)
	if err != nil {
		return nil, err
	}
	return run.(*search), nil
}

// A message that says nothing in its row that its header says.
func searched() *candidate {
	return &candidate{
		row: &metadata.Message{
			UID: 7, Flags: metadata.FlagSeen | metadata.FlagFlagged, Keywords: "$Forwarded Work", ModSeq: 100,
			InternalDate: time.Date(2024, 2, 29, 23, 30, 0, 0, time.UTC), Size: 1000,
		},
		recent: true,
	}
}

var searchedHeader = raw(
	"Date: Sat, 2 Mar 2024 00:30:00 +0300",
	"From: =?utf-8?Q?J=C3=BCrgen?= <juergen@example.org>",
	"To: list@example.net,",
	"\tother@example.net",
	"Subject: =?iso-8859-1?Q?Gr=FC=DFe?= from Berlin",
	"X-Own: not kept", "")

func TestSearchKeys(t *testing.T) {
	c := searched()
	c.structure = message.Scan([]byte(searchedHeader))
	for _, k := range []struct {
		args string
		want verdict
	}{
		{"ALL", matches},
		{"SEEN", matches},
		{"UNSEEN", misses},
		{"ANSWERED", misses},
		{"UNANSWERED UNDELETED UNDRAFT", matches},
		{"FLAGGED DELETED", misses},
		{"OR DELETED FLAGGED", matches},
		{"OR (DELETED SEEN) DRAFT", misses},
		{"NOT (SEEN FLAGGED)", misses},
		{"not not seen", matches},
		{"RECENT", matches},
		{"NEW", misses}, // recent, but seen
		{"OLD", misses},
		{"KEYWORD work", matches},
		{"KEYWORD wor", misses},
		{"UNKEYWORD $forwarded", misses},
		{`KEYWORD \Seen`, matches},
		{"LARGER 999", matches},
		{"LARGER 1000", misses},
		{"SMALLER 1001", matches},
		{"SMALLER 1000", misses},
		{"ON 29-Feb-2024", matches},
		{"BEFORE 29-Feb-2024", misses},
		{"BEFORE 1-Mar-2024", matches},
		{"SINCE 29-Feb-2024", matches},
		{`SINCE "1-Mar-2024"`, misses},
		{"SENTON 2-Mar-2024", matches}, // the day where it was sent, not the UTC day
		{"SENTBEFORE 2-Mar-2024", misses},
		{"SENTSINCE 3-Mar-2024", misses},
		{"MODSEQ 100", matches},
		{`MODSEQ "/flags/\\draft" all 101`, misses},
		{"FROM juergen", matches},
		{"FROM {7}\r\nJÜRGEN", matches},
		{`TO "other@"`, matches},
		{`TO "net, other"`, matches}, // unfolded
		{"CC list", misses},
		{`SUBJECT "GRÜßE FROM"`, matches},
		{`CHARSET ISO-8859-1 SUBJECT "gr` + "\xfc\xdf" + `e"`, matches},
		{`SUBJECT "gr` + "\xfc\xdf" + `e"`, matches}, // without CHARSET: still understood
		{`HEADER Subject ""`, matches},
		{`HEADER Bcc ""`, misses},
		{`HEADER X-Own "not"`, unsure},
		{`BODY ""`, matches},
		{"BODY x", unsure},
		{"TEXT x", unsure},
		{"UNSEEN BODY x", misses},
		{"OR SEEN BODY x", matches},
		{"NOT BODY x", unsure},
	} {
		s, err := searchFor(k.args)
		if err != nil {
			t.Errorf("SEARCH %s: %v", k.args, err)
			continue
		}
		if got := s.program.root.eval(c); got != k.want {
			t.Errorf("SEARCH %s: %d, want %d", k.args, got, k.want)
		}
		var pending []*contentKey
		if got := pendingKeys(s.program.root, c, &pending); got != k.want || (got == unsure) != (len(pending) > 0) {
			t.Errorf("SEARCH %s: pending %d keys, %d", k.args, len(pending), got)
		}
	}
}

// Without the summary, keys about the header are undecided and do not hide what others decide.
func TestSearchKeysOfRow(t *testing.T) {
	c := searched()
	for args, want := range map[string]verdict{
		"FROM x":                   unsure,
		"SENTON 1-Jan-2024":        unsure,
		"FROM x UNSEEN":            misses,
		"UNSEEN FROM x":            misses,
		"OR FROM x SEEN":           matches,
		"OR SEEN FROM x":           matches,
		"NOT FROM x":               unsure,
		"OR UNSEEN (SEEN BODY x)":  unsure,
		"NOT (UNSEEN SUBJECT abc)": matches,
	} {
		s, err := searchFor(args)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.program.root.eval(c); got != want {
			t.Errorf("SEARCH %s: %d, want %d", args, got, want)
		}
	}
}

func TestSearchAge(t *testing.T) {
	c := searched()
	now := c.row.InternalDate.Add(time.Hour)
	for args, want := range map[string]verdict{
		"YOUNGER 3600": matches, "YOUNGER 3599": misses, "OLDER 3600": matches, "OLDER 3601": misses,
		"YOUNGER 9223372036854775807": matches, "OLDER 9223372036854775807": misses,
	} {
		s, err := searchFor(args)
		if err != nil {
			t.Fatal(err)
		}
		s.program.bind(searchScope{now: now})
		if got := s.program.root.eval(c); got != want {
			t.Errorf("SEARCH %s: %d, want %d", args, got, want)
		}
	}
}

func TestParseSearch(t *testing.T) {
	for _, args := range []string{
		"", "NOTHING", "SEEN ", "()", "(SEEN", "SEEN)", "OR SEEN", "NOT", "ON 32-Jan-2024", "KEYWORD", "LARGER x", "MODSEQ",
		`MODSEQ "/flags/a" some 1`, "HEADER Subject", `HEADER "" x`, "RETURN (NONE) ALL", "RETURN MIN ALL", "CHARSET", "CHARSET UTF-8",
		"OLDER 0", "UID", "UID x", `KEYWORD \Unknown`,
		strings.Repeat("(", 5000) + "ALL" + strings.Repeat(")", 5000),
		strings.Repeat("NOT ", 50000) + "ALL",
		strings.Repeat("OR ALL ", 50000) + "ALL",
	} {
		if _, err := searchFor(args); err == nil {
			t.Errorf("SEARCH %.100s is accepted", args)
		}
	}
	for args, want := range map[string]searchReturn{
		"ALL":                            {},
		"RETURN () ALL":                  {all: true},
		"return (min Max COUNT ALL) 1:*": {min: true, max: true, all: true, count: true},
		"RETURN (COUNT) CHARSET utf-8 SUBJECT foo":                         {count: true},
		"CHARSET US-ASCII " + strings.Repeat("OR FROM a ", 900) + "FROM b": {},
	} {
		s, err := searchFor(args)
		if err != nil || s.ret != want || s.badCharset {
			t.Errorf("SEARCH %.100s: %+v, %v", args, s, err)
		}
	}
	for _, charset := range []string{"KOI8-R", "iso-2022-jp", "windows-1251", "GB18030", "Big5", "Shift_JIS", "EUC-KR", "\"latin1\""} {
		if s, err := searchFor("CHARSET " + charset + " ALL"); err != nil || s.badCharset {
			t.Errorf("charset %s is not known: %v", charset, err)
		}
	}
	if s, err := searchFor(`CHARSET X-UNKNOWN TEXT "a"`); err != nil || !s.badCharset {
		t.Errorf("an unknown charset: %+v, %v", s, err)
	}
}

func TestSearchReturnModSeq(t *testing.T) {
	hits := []searchHit{{1, 1, 5}, {2, 2, 9}, {3, 3, 7}}
	for _, c := range []struct {
		ret  searchReturn
		want metadata.ModSeq
	}{ // RFC 4731 section 3.2
		{searchReturn{min: true}, 5},
		{searchReturn{max: true}, 7},
		{searchReturn{min: true, max: true}, 7},
		{searchReturn{min: true, count: true}, 9},
		{searchReturn{all: true}, 9},
	} {
		if got := c.ret.modSeq(hits); got != c.want {
			t.Errorf("%+v: %d, want %d", c.ret, got, c.want)
		}
	}
}

func TestEachField(t *testing.T) {
	long := strings.Repeat("x", 2*maxSearchField)
	var got []string
	header := "A: one\r\n two\r\nno field\r\nB: " + long + "\r\nC: end\r\n\r\nbody: not"
	err := eachField(strings.NewReader(header), func(f message.Field) {
		if len(f.Raw) > maxSearchField+headerLine {
			t.Errorf("a field of %d bytes", len(f.Raw))
		}
		if n := len(got); n > 0 && strings.HasPrefix(got[n-1], "B=") && f.Name == "B" {
			got[n-1] += f.Value()
			return
		}
		got = append(got, f.Name+"="+f.Value())
	})
	if want := []string{"A=one two", "B=" + long, "C=end"}; err != nil || strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("fields %.200q, %v", got, err)
	}
}

func FuzzParseSearch(f *testing.F) {
	for _, s := range []string{
		"ALL", "RETURN (MIN MAX) CHARSET UTF-8 OR (FROM a) NOT TEXT {1}\r\nb", `MODSEQ "/flags/\\draft" all 5 UID 1:*`,
		"SENTBEFORE 1-Feb-2020 LARGER 5 YOUNGER 5 KEYWORD x", `HEADER X-Y "" BODY "ä"`,
	} {
		f.Add([]byte(s))
	}
	st := message.Scan([]byte(searchedHeader))
	f.Fuzz(func(t *testing.T, args []byte) {
		run, err := parseSearch(wire.NewParser(append([]byte{' '}, args...)), true)
		if err != nil {
			return
		}
		g := run.(*search).program
		c := searched()
		before := g.root.eval(c)
		c.structure = st
		after := g.root.eval(c)
		if before != unsure && before != after {
			t.Errorf("decided %d without the summary and %d with it", before, after)
		}
		var pending []*contentKey
		if v := pendingKeys(g.root, c, &pending); v != after || (v == unsure) != (len(pending) > 0) {
			t.Errorf("eval says %d, pendingKeys %d with %d keys", after, v, len(pending))
		}
	})
}
