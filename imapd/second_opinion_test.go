package imapd

import (
	"bufio"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

var (
	opinionSeed     = flag.Uint64("opinion.seed", 0, "the one seed of TestSecondOpinion; 0: several")
	opinionCommands = flag.Int("opinion.commands", 400, "commands a seed in TestSecondOpinion")
)

// TestSecondOpinion gives the same random commands, of two sessions in turn, to this server and to go-imap's in-memory server.
// What they answer must be the same, but for what canonical leaves out and for the differences listed in knownDifference.
func TestSecondOpinion(t *testing.T) {
	seeds := []uint64{1, 2, 3, 4, 5, 6}
	if *opinionSeed != 0 {
		seeds = []uint64{*opinionSeed}
	}
	for _, seed := range seeds {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			ours, theirs := opinionPair(t)
			g := &opinionGenerator{rnd: rand.New(rand.NewPCG(seed, 1)), sessions: make([]opinionSession, len(ours))}
			var log []string
			for i := range *opinionCommands {
				s := g.rnd.IntN(len(ours))
				command := g.next(s)
				log = append(log, fmt.Sprintf("%d: %s", s, command))
				mine, other := ours[s].settled(command), theirs[s].settled(command)
				g.learn(s, command, mine)
				compare := func(asked string, mine, other []string) {
					t.Helper()
					a, b := canonical(asked, mine), canonical(asked, other)
					if !slices.Equal(a, b) && !knownDifference(command, a, b) {
						t.Fatalf("command %d differs (-opinion.seed=%d)\n%s\nours:   %q\ntheirs: %q\nas they came\nours:   %q\ntheirs: %q",
							i, seed, strings.Join(log[max(0, len(log)-12):], "\n"), a, b, mine, other)
					}
				}
				compare(command, mine, other)
				// What the other session is told of it.
				mine, other = ours[1-s].do("NOOP"), theirs[1-s].do("NOOP")
				g.learn(1-s, "NOOP", mine)
				compare("NOOP", mine, other)
			}
		})
	}
}

// settled gives a command and NOOP, and returns what both were answered: go-imap's server tells some news only with the next
// command.
func (c *client) settled(command string) []string {
	lines := c.do(command)
	news := c.do("NOOP")
	tagged := lines[len(lines)-1]
	return append(append(lines[:len(lines)-1], news[:len(news)-1]...), tagged)
}

// opinionPair returns two sessions of one user on each server.
func opinionPair(t *testing.T) (ours, theirs []*client) {
	e := newEnv(t)
	e.start(t, nil)
	memory := imapmemserver.New()
	account := imapmemserver.NewUser(user, password)
	if err := account.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	memory.AddUser(account)
	srv := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return memory.NewSession(), nil, nil
		},
		Caps:         imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapUIDPlus: {}, imap.CapMove: {}, imap.CapNamespace: {}, imap.CapUnselect: {}},
		InsecureAuth: true,
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = srv.Serve(l) }) // ends with Close
	t.Cleanup(func() {
		_ = srv.Close()
		serving.Wait()
	})
	e.account(t, user)
	// The memory server has INBOX only.
	for _, m := range opinionMustGo(e, t) {
		e.login(t).ok("DELETE " + m)
	}
	for range 2 {
		ours = append(ours, e.login(t))
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		c := &client{t: t, conn: conn, in: bufio.NewReader(conn)}
		t.Cleanup(func() { conn.Close() })
		c.line()
		c.ok("LOGIN " + user + ` "` + password + `"`)
		theirs = append(theirs, c)
	}
	return ours, theirs
}

func opinionMustGo(e *env, t *testing.T) (names []string) {
	for _, line := range e.login(t).ok(`LIST "" *`) {
		if _, name, ok := strings.Cut(line, `"/" `); ok && name != "INBOX" {
			names = append(names, name)
		}
	}
	return names
}

// opinionGenerator makes commands that go-imap's server understands.
type opinionGenerator struct {
	rnd      *rand.Rand
	sessions []opinionSession
	letters  int
}

// opinionSession is what the generator knows of a session.
type opinionSession struct {
	mailbox  string // "": none is selected
	readOnly bool
	messages int
}

func (g *opinionGenerator) pick(from ...string) string { return from[g.rnd.IntN(len(from))] }

// set returns a set of numbers up to most.
func (g *opinionGenerator) set(most int) string {
	n := func() string { return strconv.Itoa(1 + g.rnd.IntN(most)) }
	switch g.rnd.IntN(5) {
	case 0:
		return "1:*"
	case 1:
		return n() + ":" + n()
	case 2:
		return n() + "," + n()
	default:
		return n()
	}
}

func (g *opinionGenerator) mailbox() string { return g.pick("INBOX", "a", "b", "c", "INBOX") }

func (g *opinionGenerator) flags() string {
	return g.pick(`(\Seen)`, `(\Deleted)`, `(\Flagged \Answered)`, `(\Draft $Work)`, `($Work)`, `()`, `(\Deleted \Seen)`)
}

// next makes a session's next command. It asks nothing to which go-imap's server has an answer that is not to be compared:
//
//   - Sequence numbers that no message has: ours are BAD (RFC 9051 section 7.5.2 leaves no other), theirs are passed over.
//   - STORE, EXPUNGE and FETCH BODY[] after EXAMINE: ours change nothing, theirs do.
//   - UID COPY of no message: theirs answers with a broken COPYUID.
//   - CLOSE after EXAMINE: theirs expunges (RFC 9051 section 6.4.1: no messages are removed).
//   - LIST of a name that only is above mailboxes: theirs does not know such.
//   - COPY into the selected mailbox: ours works, theirs is NO.
//   - MOVE: theirs announces every EXPUNGE twice, with number 0.
func (g *opinionGenerator) next(s int) string {
	in := &g.sessions[s]
	if in.mailbox == "" {
		if g.rnd.IntN(3) == 0 {
			return g.pick("SELECT ", "EXAMINE ", "SELECT ") + g.mailbox()
		}
		switch g.rnd.IntN(8) {
		case 0:
			return "CREATE " + g.pick("a", "b", "c")
		case 1:
			return g.pick("SUBSCRIBE INBOX", "DELETE nothing")
		case 2:
			return "STATUS " + g.mailbox() + " (MESSAGES UIDNEXT UNSEEN)"
		case 3:
			return `LIST "" ` + g.pick("*", "%", "a*", "%b", "INBOX", "x%")
		case 4:
			return "NOOP"
		default:
			return g.appendCommand()
		}
	}
	uid, set := "UID ", g.set(9)
	if in.messages > 0 && g.rnd.IntN(2) == 0 {
		uid, set = "", g.set(in.messages)
	}
	dest := g.mailbox()
	for dest == in.mailbox {
		dest = g.mailbox()
	}
	switch g.rnd.IntN(16) {
	case 0, 1:
		if in.readOnly {
			return "UNSELECT"
		}
		return uid + "STORE " + set + " " + g.pick("+FLAGS ", "-FLAGS ", "FLAGS ", "+FLAGS.SILENT ") + g.flags()
	case 2, 3, 4:
		if !in.readOnly && g.rnd.IntN(8) == 0 {
			return uid + "FETCH " + set + " BODY[TEXT]"
		}
		return uid + "FETCH " + set + " " + g.pick("(UID FLAGS)", "ENVELOPE", "(UID BODYSTRUCTURE)", "RFC822.SIZE", "INTERNALDATE", "BODY.PEEK[]", "BODY.PEEK[TEXT]",
			"BODY.PEEK[HEADER]", "BODY.PEEK[HEADER.FIELDS (Subject FROM)]", "BODY.PEEK[]<3.20>", "BODY.PEEK[1]", "BODY.PEEK[2.MIME]", "BODY.PEEK[2]", "FAST", "ALL")
	case 5, 6:
		return g.pick("", "UID ") + "SEARCH " + g.pick("ALL", "SEEN", "UNSEEN DELETED", "OR FLAGGED ANSWERED", "NOT SEEN", "SUBJECT letter", `BODY "number 2"`, "TEXT letter",
			"LARGER 200", "SMALLER 220", "KEYWORD $Work", "UNKEYWORD $Work", "UID 2:4", "SINCE 1-Jan-2020", "BEFORE 1-Jan-2020", "ON 13-Feb-2021", "HEADER X-Kind multi", "FROM ada", "NOT (SEEN FLAGGED)")
	case 7:
		switch {
		case in.messages == 0:
			return "NOOP"
		case in.messages > 25: // mailboxes that are copied to each other grow without end
			if in.readOnly {
				return "UNSELECT"
			}
			return "STORE 1:10 +FLAGS (\\Deleted)"
		}
		if g.rnd.IntN(2) == 0 {
			return "UID COPY 1:* " + dest
		}
		return "COPY " + g.set(in.messages) + " " + dest
	case 9, 10:
		if in.readOnly {
			return "UNSELECT"
		}
		return g.pick("EXPUNGE", "UID EXPUNGE "+set)
	case 11:
		return "NOOP"
	case 12:
		if in.readOnly {
			return "UNSELECT"
		}
		return g.pick("CLOSE", "UNSELECT", "SELECT INBOX", "SELECT a")
	default:
		return g.appendCommand()
	}
}

func (g *opinionGenerator) appendCommand() string {
	g.letters++
	date := "From: Ada Byron <ada@example.org>\r\nTo: you@example.test, \"B, C\" <bc@example.test>\r\nDate: Sat, 13 Feb 2021 04:05:06 +0000\r\nMessage-ID: <" + strconv.Itoa(g.letters) + "@example.org>\r\n"
	m := date + fmt.Sprintf("Subject: letter %d\r\n\r\nnumber %d\r\n", g.letters, g.letters%4)
	if g.rnd.IntN(3) == 0 {
		m = date + fmt.Sprintf("Subject: letter %d\r\nX-Kind: multi\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=_b\"\r\n\r\npreamble\r\n--=_b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nnumber %d\r\n--=_b\r\nContent-Type: image/png; name=\"x.png\"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"x.png\"\r\n\r\naGVsbG8=\r\n--=_b--\r\n", g.letters, g.letters%4)
	}
	return fmt.Sprintf("APPEND %s %s \"13-Feb-2021 04:05:06 +0000\" {%d+}\r\n%s", g.mailbox(), g.flags(), len(m), m)
}

// learn follows what a session has selected, and how many messages it knows.
func (g *opinionGenerator) learn(s int, command string, lines []string) {
	in := &g.sessions[s]
	tagged := lines[len(lines)-1]
	verb, rest, _ := strings.Cut(command, " ")
	switch verb {
	case "SELECT", "EXAMINE":
		*in = opinionSession{}
		if strings.HasPrefix(tagged, "OK") {
			*in = opinionSession{mailbox: rest, readOnly: verb == "EXAMINE"}
		}
	case "CLOSE", "UNSELECT":
		*in = opinionSession{}
	}
	for _, line := range lines {
		var n int
		if _, err := fmt.Sscanf(line, "* %d EXISTS", &n); err == nil && strings.HasSuffix(line, "EXISTS") {
			in.messages = n
		} else if _, err := fmt.Sscanf(line, "* %d EXPUNGE", &n); err == nil && strings.HasSuffix(line, "EXPUNGE") {
			in.messages--
		}
	}
}

// canonical brings an answer into a form in which it does not matter how strings are sent, in which order items come, what human
// text there is, which UIDVALIDITY a mailbox has, and what \Recent says: go-imap's server knows no recent messages.
func canonical(command string, lines []string) []string {
	last := lines[len(lines)-1]
	status, text, _ := strings.Cut(last, " ")
	if m := uidCodeRE.FindStringSubmatch(text); m != nil {
		status += " " + m[1] + m[2]
	} else if strings.HasPrefix(text, "[TRYCREATE]") {
		status += " TRYCREATE"
	}
	var answers []string
	in := &responseText{strings.Join(lines[:len(lines)-1], "\r\n")}
	for in.s != "" {
		if a := canonicalResponse(command, in.response()); a != "" {
			answers = append(answers, a)
		}
	}
	answers = announced(answers)
	if slices.ContainsFunc(answers, func(a string) bool { return strings.HasPrefix(a, "LIST ") }) {
		slices.Sort(answers)
	}
	return append(answers, status)
}

// announced brings EXPUNGE responses into ascending order of the numbers the messages had before the first of them, and keeps
// the last EXISTS only; both come last.
func announced(answers []string) []string {
	var rest []string
	var gone []int
	exists := ""
	for _, a := range answers {
		var n int
		switch _, err := fmt.Sscanf(a, "[%d EXPUNGE]", &n); {
		case err == nil && strings.HasSuffix(a, " EXPUNGE]"):
			for _, g := range gone { // ascending
				if g <= n {
					n++
				}
			}
			gone = append(gone, n)
			slices.Sort(gone)
		case strings.HasSuffix(a, " EXISTS]"):
			exists = a
		default:
			rest = append(rest, a)
		}
	}
	for _, g := range gone {
		rest = append(rest, fmt.Sprintf("EXPUNGE %d", g))
	}
	if exists != "" {
		rest = append(rest, exists)
	}
	return rest
}

// uidCodeRE takes the UIDVALIDITY out of APPENDUID and COPYUID.
var uidCodeRE = regexp.MustCompile(`^\[(APPENDUID|COPYUID) \d+( [^]]*)\]`)

func canonicalResponse(command string, r []any) string {
	if len(r) < 2 {
		return fmt.Sprint(r)
	}
	if word(r[0]) == "SEARCH" {
		return fmt.Sprint(r)
	}
	switch name := word(r[0]); name {
	case "OK", "FLAGS", "CAPABILITY":
		return ""
	case "LIST":
		return fmt.Sprint("LIST ", r[2:]) // attributes differ in what they tell of children
	}
	if word(r[1]) == "RECENT" {
		return ""
	}
	if word(r[1]) != "FETCH" || len(r) < 3 {
		return fmt.Sprint(r)
	}
	items, _ := r[2].([]any)
	var parts []string
	for i := 0; i+1 < len(items); i += 2 {
		name, value := strings.ReplaceAll(word(items[i]), `"`, ""), items[i+1]
		switch name {
		case "UID":
			if !strings.Contains(command, "UID") {
				continue // theirs says it always
			}
		case "FLAGS":
			if strings.Contains(command, "BODY[TEXT]") {
				continue // \Seen: ours says the flags only where they changed, theirs in another response
			}
			var flags []string
			for _, f := range value.([]any) {
				if w := word(f); w != `\RECENT` {
					flags = append(flags, w)
				}
			}
			slices.Sort(flags)
			value = flags
		case "INTERNALDATE":
			value = strings.TrimSpace(fmt.Sprint(value))
		case "BODYSTRUCTURE":
			// Ours says the character set that RFC 2045 section 5.2 gives to text without one.
			value = strings.ReplaceAll(strings.ToUpper(fmt.Sprintf("%q", value)), `["CHARSET" "US-ASCII"]`, "<NIL>")
		default:
			if value == nil && strings.HasPrefix(name, "BODY") {
				value = "" // of a part that is not there; theirs says ""
			}
			value = fmt.Sprintf("%q", value)
		}
		parts = append(parts, fmt.Sprint(name, "=", value))
	}
	if parts == nil || len(parts) == 1 && strings.HasPrefix(parts[0], "UID=") && strings.Contains(command, "BODY[TEXT]") {
		return ""
	}
	slices.Sort(parts)
	return fmt.Sprint(word(r[0]), " FETCH ", strings.Join(parts, " "))
}

func word(v any) string {
	s, _ := v.(string)
	return strings.ToUpper(s)
}

// responseText is what remains of untagged responses.
type responseText struct{ s string }

// response reads a response: atoms and strings are strings, lists are []any, NIL is nil.
func (in *responseText) response() []any {
	in.s = strings.TrimPrefix(in.s, "* ")
	var all []any
	for in.s != "" && !strings.HasPrefix(in.s, "\r\n") {
		if in.s[0] == ' ' {
			in.s = in.s[1:]
			continue
		}
		all = append(all, in.value())
	}
	in.s = strings.TrimPrefix(in.s, "\r\n")
	return all
}

func (in *responseText) value() any {
	switch in.s[0] {
	case '(':
		in.s = in.s[1:]
		all := []any{}
		for in.s != "" && in.s[0] != ')' {
			if in.s[0] == ' ' {
				in.s = in.s[1:]
				continue
			}
			all = append(all, in.value())
		}
		in.s = strings.TrimPrefix(in.s, ")")
		return all
	case '"':
		v, err := strconv.QuotedPrefix(in.s)
		if err != nil {
			panic(err)
		}
		in.s = in.s[len(v):]
		return strings.ReplaceAll(strings.ReplaceAll(v[1:len(v)-1], `\"`, `"`), `\\`, `\`)
	case '{':
		size, rest, _ := strings.Cut(in.s[1:], "}\r\n")
		n, err := strconv.Atoi(size)
		if err != nil {
			panic(err)
		}
		in.s = rest[n:]
		return rest[:n]
	}
	depth, i := 0, 0
	for ; i < len(in.s); i++ {
		switch c := in.s[i]; {
		case c == '[':
			depth++
		case c == ']':
			depth--
		case depth == 0 && (c == ' ' || c == ')' || c == '(' || c == '\r'):
			v := in.s[:i]
			in.s = in.s[i:]
			return atomValue(v)
		}
	}
	v := in.s
	in.s = ""
	return atomValue(v)
}

func atomValue(v string) any {
	if v == "NIL" {
		return nil
	}
	return v
}

// knownDifference reports whether the answers differ as the two servers are meant to: a STORE that changes nothing is no news
// here (neither is \\Seen that was set), and theirs tells the other session of it.
func knownDifference(command string, ours, theirs []string) bool {
	return (strings.Contains(command, "STORE ") || strings.Contains(command, "BODY[TEXT]")) && !slices.ContainsFunc(ours, func(a string) bool { return !slices.Contains(theirs, a) })
}
