package imapd

import (
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
)

// itemNames returns the items as the response names them, "+" before those that set \Seen.
func itemNames(f *fetch) string {
	var names []string
	for _, it := range f.items {
		name := it.name
		if it.section != nil && !it.section.Peek {
			name = "+" + name
		}
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

func TestParseFetch(t *testing.T) {
	for _, c := range []struct {
		args string
		uid  bool
		want string
	}{
		{"1 FLAGS", false, "FLAGS"},
		{"1:* (FLAGS)", true, "UID FLAGS"},
		{"1 (uid Flags)", true, "UID FLAGS"},
		{"1 ALL", false, "FLAGS INTERNALDATE RFC822.SIZE ENVELOPE"},
		{"1 FAST", false, "FLAGS INTERNALDATE RFC822.SIZE"},
		{"1 FULL", false, "FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY"},
		{"1 (BODY BODYSTRUCTURE BODY)", false, "BODY BODYSTRUCTURE"},
		{"1 (BODY[] RFC822 RFC822.HEADER RFC822.TEXT)", false, "+BODY[] +RFC822 RFC822.HEADER +RFC822.TEXT"},
		{"1 (BODY.PEEK[] BODY.PEEK[])", false, "BODY[]"},
		{"1 (BODY.PEEK[] BODY[])", false, "+BODY[]"},
		{"1 (BODY.PEEK[1]<0.5> BODY.PEEK[1]<0.9>)", false, "BODY[1]<0> BODY[1]<0>"},
		{"1 BODY.PEEK[HEADER.FIELDS (From)]", false, "BODY[HEADER.FIELDS (From)]"},
		{"1 (FLAGS) (CHANGEDSINCE 7)", false, "MODSEQ FLAGS"},
		{"1 (FLAGS MODSEQ) (changedsince 7)", true, "UID FLAGS MODSEQ"},
	} {
		run, err := parseFetch(wire.NewParser([]byte(" "+c.args)), c.uid)
		if err != nil {
			t.Errorf("FETCH %s: %v", c.args, err)
			continue
		}
		if got := itemNames(run.(*fetch)); got != c.want {
			t.Errorf("FETCH %s: %s, want %s", c.args, got, c.want)
		}
	}
	for _, args := range []string{
		"", "1", "1 ", "1 ()", "1 NOTHING", "1 BODY[", "1 BODY[MIME]", "1 BODY.PEEK", "1 (FLAGS", "1 FLAGS x", "1 (FLAGS) (VANISHED)",
		"1 BODY[1.]", "1 BODY[0]", "1 BODY[]<0.0>", "1 BODY[]<0>", "0 FLAGS", "x FLAGS", "1 FLAGS (CHANGEDSINCE)",
		"1 FLAGS (CHANGEDSINCE 9223372036854775808)",
	} {
		if _, err := parseFetch(wire.NewParser([]byte(" "+args)), false); err == nil {
			t.Errorf("FETCH %s is accepted", args)
		}
	}
}

func TestFetchPlan(t *testing.T) {
	for _, c := range []struct {
		items                                  string
		seen, body, envelope, structure, bytes bool
	}{
		{"(FLAGS UID INTERNALDATE RFC822.SIZE MODSEQ)", false, false, false, false, false},
		{"(FLAGS ENVELOPE)", false, true, true, false, false},
		{"(ENVELOPE BODYSTRUCTURE)", false, true, true, true, false},
		{"BODY.PEEK[HEADER.FIELDS (DATE FROM TO CC SUBJECT MESSAGE-ID REFERENCES)]", false, true, false, true, false},
		{"BODY.PEEK[HEADER.FIELDS (X-Unheard-Of)]", false, true, false, true, true},
		{"BODY.PEEK[1.HEADER.FIELDS (DATE)]", false, true, false, true, true},
		{"BODY.PEEK[]", false, true, false, false, true},
		{"RFC822.HEADER", false, true, false, true, true},
		{"RFC822", true, true, false, false, true},
		{"BODY[TEXT]", true, true, false, true, true},
	} {
		run, err := parseFetch(wire.NewParser([]byte(" 1 "+c.items)), false)
		if err != nil {
			t.Fatal(err)
		}
		f := run.(*fetch)
		if f.seen != c.seen || f.body != c.body || f.envelope != c.envelope || f.structure != c.structure || f.bytes != c.bytes {
			t.Errorf("%s: seen %v, body %v, envelope %v, structure %v, bytes %v", c.items, f.seen, f.body, f.envelope, f.structure, f.bytes)
		}
	}
}

func FuzzParseFetch(f *testing.F) {
	for _, s := range []string{
		" 1 FLAGS", " 1:*,5 (UID BODY.PEEK[HEADER.FIELDS (A B)]<0.10>)", " * FULL", " 1 (BODY[1.2.MIME]) (CHANGEDSINCE 1)",
		" 1 BODY[HEADER.FIELDS.NOT ({1}\r\na)]",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, args []byte) {
		run, err := parseFetch(wire.NewParser(args), true)
		if err != nil {
			return
		}
		for _, it := range run.(*fetch).items {
			if it.section == nil {
				continue
			}
			// The name of a section is a section again.
			name, ok := strings.CutPrefix(it.name, "BODY")
			if !ok {
				continue
			}
			name, _, _ = strings.Cut(name, "<")
			if _, err := wire.NewParser([]byte(name)).Section(); err != nil && !strings.Contains(it.name, "<") {
				t.Errorf("name %q of a section cannot be read: %v", it.name, err)
			}
		}
	})
}
