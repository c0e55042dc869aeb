package imapd

import (
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
)

func TestParseSort(t *testing.T) {
	for _, args := range []string{
		"", "(DATE)", "(DATE) UTF-8", "DATE UTF-8 ALL", "() UTF-8 ALL", "(REVERSE) UTF-8 ALL", "(REVERSE REVERSE DATE) UTF-8 ALL",
		"(DATE,SIZE) UTF-8 ALL", "(DATE) UTF-8 NOTHING", "RETURN (ALL)(DATE) UTF-8 ALL", "(DATE) RETURN (ALL) UTF-8 ALL",
		"RETURN (PARTIAL 1:2 ALL) (DATE) UTF-8 ALL", "RETURN (PARTIAL 0:2) (DATE) UTF-8 ALL", "(" + strings.Repeat("DATE ", 1000),
	} {
		if _, err := parseSort(wire.NewParser([]byte(" "+args)), false); err == nil {
			t.Errorf("SORT %.100s is accepted", args)
		}
	}
	run, err := parseSort(wire.NewParser([]byte(" (reverse date SUBJECT date reverse Subject) \"utf-8\" all")), true)
	if err != nil {
		t.Fatal(err)
	}
	if c := run.(*search).criteria; len(c) != 2 || c[0] != (sortCriterion{sortDate, true}) || c[1] != (sortCriterion{sortSubject, false}) {
		t.Errorf("criteria %v", c)
	}
}

// What parses is bounded, and nothing panics.
func FuzzParseSearching(f *testing.F) {
	for _, s := range []string{
		"(REVERSE DATE SUBJECT) UTF-8 ALL", "RETURN (MIN PARTIAL -1:-5 SAVE) (SIZE) US-ASCII OR SEEN TEXT {1}\r\nb",
		"REFERENCES UTF-8 ALL", "REFS \"utf-8\" UID 1:*", "RETURN (UPDATE CONTEXT COUNT) ALL",
		"IN (selected subtree (a \"b\") mailboxes c subtree-one d personal) RETURN (COUNT) CHARSET UTF-8 SUBJECT x", "IN (inboxes) $",
		`"tag1" "tag2"`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, args []byte) {
		args = append([]byte{' '}, args...)
		if run, err := parseSort(wire.NewParser(args), true); err == nil {
			if c := run.(*search); len(c.criteria) == 0 || len(c.criteria) > len(sortKeys) {
				t.Errorf("%d criteria", len(c.criteria))
			}
		}
		if run, err := parseThread(wire.NewParser(args), false); err == nil && newThreadBuilder(run.(*thread).algorithm) == nil {
			t.Error("no algorithm")
		}
		if run, err := parseESearch(wire.NewParser(args)); err == nil {
			c := run.(*esearch)
			if !c.ret.extended() || len(c.sources) > maxSources || c.ret.save && !c.onlySelected() {
				t.Errorf("%+v", c)
			}
		}
		if run, err := parseCancelUpdate(wire.NewParser(args)); err == nil && len(run.(*cancelUpdate).tags) == 0 {
			t.Error("no tags")
		}
	})
}
