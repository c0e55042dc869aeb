package imapd

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"mime"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"

	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// modelMessage is a message as its author meant it: the evaluator below looks at nothing else.
type modelMessage struct {
	seq, uid       int
	flags          map[string]bool // "\\seen", keywords, in lower case
	from, to, cc   string          // display name
	fromBox, toBox string          // local part; "" without the field
	ccBox          string
	subject        string // "-": without
	text           string
	date           time.Time // zero: without Date
	internal       time.Time
	size           int
	id             string
	refs           []string
}

var modelWords = []string{"alpha", "Bravo", "ÄRGER", "ärger", "café", "straße", "Ωmega", "привет", "Zulu", "日本語", "x-ray"}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

func modelPhrase(r *rand.Rand) string {
	words := make([]string, 1+r.IntN(3))
	for i := range words {
		words[i] = pick(r, modelWords...)
	}
	return strings.Join(words, " ")
}

func newModelMessage(r *rand.Rand, uid, n int) *modelMessage {
	m := &modelMessage{uid: uid, flags: map[string]bool{}, subject: "-", text: modelPhrase(r), id: fmt.Sprintf("%d@x", uid)}
	for _, f := range []string{`\seen`, `\flagged`, `\answered`, `\draft`, "work", "$junk"} {
		m.flags[f] = r.IntN(3) == 0
	}
	if r.IntN(8) > 0 {
		m.from, m.fromBox = modelPhrase(r), pick(r, "anna", "Bert", "carl")
	}
	if r.IntN(4) > 0 {
		m.to, m.toBox = pick(r, "", modelPhrase(r)), pick(r, "anna", "bert", "Carl")
	}
	if r.IntN(3) == 0 {
		m.cc, m.ccBox = pick(r, "", modelPhrase(r)), pick(r, "dora", "Emil")
	}
	if r.IntN(8) > 0 {
		m.subject = pick(r, "", "", "Re: ", "Fwd: ", "[list] re: ") + pick(r, modelWords...)
	}
	day := func() time.Time {
		return time.Date(2024, 2, 25+r.IntN(8), r.IntN(24), r.IntN(60), 0, 0, time.UTC)
	}
	m.internal = day()
	if r.IntN(6) > 0 {
		m.date = day().In(time.FixedZone("", pick(r, 0, 3, -8)*3600))
	}
	if r.IntN(10) == 0 {
		m.id = pick(r, "", fmt.Sprintf("%d@x", 1+r.IntN(n)))
	}
	for range r.IntN(4) {
		m.refs = append(m.refs, fmt.Sprintf("%d@x", 1+r.IntN(n+n/4)))
	}
	return m
}

// raw writes the message down in one of the ways to do it.
func (m *modelMessage) raw(r *rand.Rand) string {
	encode := func(s string) string {
		switch r.IntN(3) {
		case 0:
			return mime.QEncoding.Encode("utf-8", s)
		case 1:
			return mime.BEncoding.Encode("UTF-8", s)
		}
		return s
	}
	address := func(name, box string) string {
		if name == "" {
			return box + "@example.org"
		}
		if e := encode(name); e != name {
			return e + " <" + box + "@example.org>"
		}
		return `"` + name + `" <` + box + "@example.org>"
	}
	var lines []string
	if m.fromBox != "" {
		lines = append(lines, "From: "+address(m.from, m.fromBox))
	}
	if m.toBox != "" {
		lines = append(lines, "To: "+address(m.to, m.toBox))
	}
	if m.ccBox != "" {
		lines = append(lines, "Cc: "+address(m.cc, m.ccBox))
	}
	if m.subject != "-" {
		lines = append(lines, "Subject: "+encode(m.subject))
	}
	if !m.date.IsZero() {
		lines = append(lines, "Date: "+m.date.Format(time.RFC1123Z))
	}
	if m.id != "" {
		lines = append(lines, "Message-ID: <"+m.id+">")
	}
	if len(m.refs) > 0 {
		lines = append(lines, "References: <"+strings.Join(m.refs, ">\r\n <")+">")
	}
	switch r.IntN(3) {
	case 0:
		lines = append(lines, "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64", "",
			base64.StdEncoding.EncodeToString([]byte(m.text)))
	case 1:
		if latin, err := charmap.ISO8859_1.NewEncoder().String(m.text); err == nil {
			lines = append(lines, "Content-Type: text/plain; charset=iso-8859-1", "", latin)
			break
		}
		fallthrough
	default:
		lines = append(lines, "Content-Type: text/plain; charset=utf-8", "", m.text)
	}
	s := raw(lines...)
	m.size = len(s)
	return s
}

// modelFold is i;unicode-casemap, to the letter.
func modelFold(s string) string {
	var out strings.Builder
	for _, c := range s {
		out.WriteString(norm.NFKD.String(string(unicode.ToTitle(c))))
	}
	return out.String()
}

// modelKey is a search key and what it means.
type modelKey struct {
	text string
	is   func(*modelMessage) bool
}

// modelProgram makes a random key.
func modelProgram(r *rand.Rand, n, depth int) modelKey {
	contains := func(value, what string) bool { return strings.Contains(modelFold(value), modelFold(what)) }
	literal := func(s string) string { return fmt.Sprintf("{%d+}\r\n%s", len(s), s) }
	word := pick(r, modelWords...)
	if r.IntN(2) == 0 {
		word = strings.ToUpper(word)
		if strings.Contains(word, "SS") { // ß has no other case here
			word = "straße"
		}
	}
	if depth > 0 {
		a, b := modelProgram(r, n, depth-1), modelProgram(r, n, depth-1)
		switch r.IntN(5) {
		case 0:
			return modelKey{"NOT " + a.text, func(m *modelMessage) bool { return !a.is(m) }}
		case 1:
			return modelKey{"OR " + a.text + " " + b.text, func(m *modelMessage) bool { return a.is(m) || b.is(m) }}
		case 2:
			return modelKey{"(" + a.text + " " + b.text + ")", func(m *modelMessage) bool { return a.is(m) && b.is(m) }}
		}
	}
	addressed := func(name, box, what string) bool { return box != "" && contains(name+" <"+box+"@example.org>", what) }
	day := time.Date(2024, 2, 25+r.IntN(8), 0, 0, 0, 0, time.UTC)
	dayOf := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
	date := day.Format("2-Jan-2006")
	i, size := 1+r.IntN(n), 200+r.IntN(300)
	flag := pick(r, "Seen", "Flagged", "Answered", "Draft")
	return pick(r,
		modelKey{"ALL", func(*modelMessage) bool { return true }},
		modelKey{strings.ToUpper(flag), func(m *modelMessage) bool { return m.flags[`\`+strings.ToLower(flag)] }},
		modelKey{"UN" + strings.ToUpper(flag), func(m *modelMessage) bool { return !m.flags[`\`+strings.ToLower(flag)] }},
		modelKey{"KEYWORD Work", func(m *modelMessage) bool { return m.flags["work"] }},
		modelKey{"UNKEYWORD $Junk", func(m *modelMessage) bool { return !m.flags["$junk"] }},
		modelKey{fmt.Sprintf("%d:*", i), func(m *modelMessage) bool { return m.seq >= i }},
		modelKey{fmt.Sprintf("UID %d:%d,%d", i, i+7, 3), func(m *modelMessage) bool { return m.uid >= i && m.uid <= i+7 || m.uid == 3 }},
		modelKey{fmt.Sprintf("LARGER %d", size), func(m *modelMessage) bool { return m.size > size }},
		modelKey{fmt.Sprintf("SMALLER %d", size), func(m *modelMessage) bool { return m.size < size }},
		modelKey{"BEFORE " + date, func(m *modelMessage) bool { return m.internal.Before(day) }},
		modelKey{"ON " + date, func(m *modelMessage) bool { return dayOf(m.internal).Equal(day) }},
		modelKey{"SINCE " + date, func(m *modelMessage) bool { return !m.internal.Before(day) }},
		modelKey{"SENTBEFORE " + date, func(m *modelMessage) bool { return !m.date.IsZero() && dayOf(m.date).Before(day) }},
		modelKey{"SENTON " + date, func(m *modelMessage) bool { return !m.date.IsZero() && dayOf(m.date).Equal(day) }},
		modelKey{"SENTSINCE " + date, func(m *modelMessage) bool { return !m.date.IsZero() && !dayOf(m.date).Before(day) }},
		modelKey{"FROM " + literal(word), func(m *modelMessage) bool { return addressed(m.from, m.fromBox, word) }},
		modelKey{"TO BERT@", func(m *modelMessage) bool { return addressed(m.to, m.toBox, "bert@") }},
		modelKey{"CC " + literal(word), func(m *modelMessage) bool { return addressed(m.cc, m.ccBox, word) }},
		modelKey{"SUBJECT " + literal(word), func(m *modelMessage) bool { return m.subject != "-" && contains(m.subject, word) }},
		modelKey{`HEADER subject ""`, func(m *modelMessage) bool { return m.subject != "-" }},
		modelKey{"HEADER References " + literal("<2@x>"), func(m *modelMessage) bool { return slices.Contains(m.refs, "2@x") }},
		modelKey{"BODY " + literal(word), func(m *modelMessage) bool { return contains(m.text, word) }},
		modelKey{"TEXT " + literal(word), func(m *modelMessage) bool {
			return contains(m.text, word) || addressed(m.from, m.fromBox, word) || addressed(m.to, m.toBox, word) ||
				addressed(m.cc, m.ccBox, word) || m.subject != "-" && contains(m.subject, word)
		}},
	)
}

// sent is the sent date of RFC 5256.
func (m *modelMessage) sent() time.Time {
	if m.date.IsZero() {
		return m.internal
	}
	return m.date
}

// base is the base subject of the subjects that occur here, and whether they are replies.
func (m *modelMessage) base() (string, bool) {
	s := strings.TrimPrefix(m.subject, "-")
	s, list := strings.CutPrefix(s, "[list] re: ")
	s, re := strings.CutPrefix(s, "Re: ")
	s, fwd := strings.CutPrefix(s, "Fwd: ")
	return modelFold(s), list || re || fwd
}

func (m *modelMessage) display(name, box string) string {
	if name != "" || box == "" {
		return modelFold(name)
	}
	return modelFold(box + "@example.org")
}

var modelOrders = map[string]func(a, b *modelMessage) int{
	"ARRIVAL": func(a, b *modelMessage) int { return a.internal.Compare(b.internal) },
	"DATE":    func(a, b *modelMessage) int { return a.sent().Compare(b.sent()) },
	"SIZE":    func(a, b *modelMessage) int { return a.size - b.size },
	"FROM":    func(a, b *modelMessage) int { return cmp.Compare(modelFold(a.fromBox), modelFold(b.fromBox)) },
	"TO":      func(a, b *modelMessage) int { return cmp.Compare(modelFold(a.toBox), modelFold(b.toBox)) },
	"CC":      func(a, b *modelMessage) int { return cmp.Compare(modelFold(a.ccBox), modelFold(b.ccBox)) },
	"SUBJECT": func(a, b *modelMessage) int {
		x, _ := a.base()
		y, _ := b.base()
		return cmp.Compare(x, y)
	},
	"DISPLAYFROM": func(a, b *modelMessage) int {
		return cmp.Compare(a.display(a.from, a.fromBox), b.display(b.from, b.fromBox))
	},
	"DISPLAYTO": func(a, b *modelMessage) int { return cmp.Compare(a.display(a.to, a.toBox), b.display(b.to, b.toBox)) },
}

// Random searches, sorts and threads of random mailboxes give what an evaluator of a few lines gives.
func TestSearchModel(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	b := newBed(t)
	const n = 120
	all := make([]*modelMessage, n)
	for i := range all {
		all[i] = newModelMessage(r, i+1, n)
		st, err := b.store.Stage(t.Context(), strings.NewReader(all[i].raw(r)), 0)
		if err != nil {
			t.Fatal(err)
		}
		o := mailstore.AppendOptions{InternalDate: all[i].internal}
		for name, flag := range map[string]metadata.Flags{`\seen`: metadata.FlagSeen, `\flagged`: metadata.FlagFlagged,
			`\answered`: metadata.FlagAnswered, `\draft`: metadata.FlagDraft} {
			if all[i].flags[name] {
				o.Flags |= flag
			}
		}
		if all[i].flags["work"] {
			o.Keywords = append(o.Keywords, "work")
		}
		if all[i].flags["$junk"] {
			o.Keywords = append(o.Keywords, "$Junk")
		}
		if _, err := b.user.Append(t.Context(), "INBOX", st, o); err != nil {
			t.Fatal(err)
		}
	}
	c := b.session("SELECT INBOX")
	// Sequence numbers and UIDs part ways.
	for i := 0; i < len(all); i++ {
		if r.IntN(10) == 0 {
			c.do(fmt.Sprintf("UID STORE %d +FLAGS.SILENT (\\Deleted)", all[i].uid))
			c.do(fmt.Sprintf("UID EXPUNGE %d", all[i].uid))
			all = slices.Delete(all, i, i+1)
		}
	}
	for i, m := range all {
		m.seq = i + 1
	}

	answer := func(name string, found []*modelMessage, uid bool) string {
		var want strings.Builder
		want.WriteString("* " + name)
		for _, m := range found {
			if uid {
				fmt.Fprintf(&want, " %d", m.uid)
			} else {
				fmt.Fprintf(&want, " %d", m.seq)
			}
		}
		return want.String() + "\nOK "
	}
	for range 400 {
		key := modelProgram(r, len(all), 3)
		var found []*modelMessage
		for _, m := range all {
			if key.is(m) {
				found = append(found, m)
			}
		}
		c.expect("SEARCH CHARSET UTF-8 "+key.text, answer("SEARCH", found, false)+"SEARCH completed")

		var criteria []string
		var orders []func(a, b *modelMessage) int
		for range 1 + r.IntN(3) {
			name := pick(r, "ARRIVAL", "DATE", "SIZE", "FROM", "TO", "CC", "SUBJECT", "DISPLAYFROM", "DISPLAYTO")
			order := modelOrders[name]
			if r.IntN(3) == 0 {
				forward := order
				name, order = "REVERSE "+name, func(a, b *modelMessage) int { return forward(b, a) }
			}
			criteria, orders = append(criteria, name), append(orders, order)
		}
		sorted := slices.Clone(found)
		slices.SortStableFunc(sorted, func(a, b *modelMessage) int {
			for _, order := range orders {
				if n := order(a, b); n != 0 {
					return n
				}
			}
			return 0
		})
		c.expect("UID SORT ("+strings.Join(criteria, " ")+") UTF-8 "+key.text, answer("SORT", sorted, true)+"UID SORT completed")

		for _, algorithm := range []string{"ORDEREDSUBJECT", "REFERENCES", "REFS"} {
			want := "* THREAD"
			if threads := modelThreads(algorithm, found); threads != "" {
				want += " " + threads
			}
			c.expect("THREAD "+algorithm+" UTF-8 "+key.text, want+"\nOK THREAD completed")
		}
	}
}
