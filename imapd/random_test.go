package imapd

import (
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/notify"
)

var (
	randomSeed = flag.Uint64("seed", 0, "seed of the random program; 0: by time")
	randomOps  = flag.Int("ops", 60, "bursts of each session of the random program")
)

const guest = "bob@example.org"

// world is what all sessions know together.
type world struct {
	mu       sync.Mutex
	subjects map[string]string // "OWNER/UIDVALIDITY/UID" -> subject
	appended map[string]bool
	// rights of guest on the shared mailbox; changes counts SETACLs begun and ended.
	rights  string
	changes int
}

// is records what a UID is, or fails when it is another message.
func (w *world) is(owner string, validity, uid uint32, subject string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := fmt.Sprintf("%s/%d/%d", owner, validity, uid)
	if was, ok := w.subjects[key]; ok && was != subject {
		return fmt.Errorf("UID %s was %q and now is %q", key, was, subject)
	}
	if !w.appended[subject] {
		return fmt.Errorf("UID %s is %q, which nobody appended", key, subject)
	}
	w.subjects[key] = subject
	return nil
}

func (w *world) rightsNow() (string, int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rights, w.changes
}

// performer is a session that does random things.
type performer struct {
	*strictClient
	w     *world
	rnd   *rand.Rand
	id, n int
	user  string
	nodes []*env
	names []string
	cache *cached
}

// cached is what a client with QRESYNC remembers of a mailbox that it has not selected.
type cached struct {
	name     string
	validity uint32
	modseq   uint64
	flags    map[uint32]string
}

func (p *performer) pick(of ...string) string { return of[p.rnd.IntN(len(of))] }
func (p *performer) maybe(n int) bool         { return p.rnd.IntN(n) == 0 }

// connect begins a session anew, with random modes.
func (p *performer) connect() error {
	e := p.nodes[p.rnd.IntN(len(p.nodes))]
	conn, err := net.Dial("tcp", e.addr)
	if err != nil {
		return err
	}
	var log []string
	if p.strictClient != nil {
		_ = p.conn.Close()
		log = p.log
	}
	if p.strictClient, err = newStrictClient(conn); err != nil {
		return err
	}
	p.log = append(log, fmt.Sprintf("--- connected as %s to %s", p.user, e.addr))
	p.tags = p.n * 1000
	return p.login()
}

var (
	modes     = []string{"CONDSTORE", "QRESYNC", "UIDONLY", "IMAP4rev2", "UTF8=ACCEPT"}
	modeOneIn = map[string]int{"CONDSTORE": 4, "QRESYNC": 2, "UIDONLY": 6, "IMAP4rev2": 4, "UTF8=ACCEPT": 4}
)

func (p *performer) login() error {
	if err := p.ok("LOGIN %s %q", p.user, password); err != nil {
		return err
	}
	if p.maybe(3) && !p.compressed {
		if err := p.ok("COMPRESS DEFLATE"); err != nil {
			return err
		}
		p.compress()
	}
	for _, mode := range modes {
		if p.maybe(modeOneIn[mode]) {
			if err := p.enable(mode); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *performer) enable(mode string) error {
	switch mode {
	case "CONDSTORE":
		p.condstore = true
	case "QRESYNC":
		p.condstore, p.qresync = true, true
	case "UIDONLY":
		p.uidOnly = true
	case "IMAP4rev2":
		p.rev2, p.utf8 = true, true
	case "UTF8=ACCEPT":
		p.utf8 = true
	}
	return p.ok("ENABLE %s", mode)
}

// mailboxName writes a name as the session must.
func (p *performer) mailboxName(name string) string {
	if !p.utf8 {
		name = strings.ReplaceAll(name, "Ü", "&ANw-")
	}
	return `"` + name + `"`
}

// allowed returns what is sure about a command of guest on the shared mailbox: whether it has the right, if no SETACL came between.
func (p *performer) allowed(name, right string, r *reply, before string, changes int) error {
	if p.user != guest || !strings.HasSuffix(name, "/Box") {
		return nil
	}
	after, n := p.w.rightsNow()
	if n != changes || after != before {
		return nil
	}
	may := !strings.ContainsFunc(right, func(c rune) bool { return !strings.ContainsRune(before, c) })
	if ok := r.items[1] == atom("OK"); ok != may {
		return fmt.Errorf("with rights %q, %q is needed: %s", before, right, r.raw)
	}
	visible := strings.Contains(before, "l")
	if !may && (r.code == "NOPERM") != visible {
		return fmt.Errorf("with rights %q: %s", before, r.raw)
	}
	return nil
}

func (p *performer) open() error {
	name := p.pick(p.names...)
	verb := p.pick("SELECT", "SELECT", "SELECT", "EXAMINE")
	params := ""
	var resync *cached
	switch {
	case p.cache != nil && p.qresync && !p.maybe(4):
		resync, name = p.cache, p.cache.name
		params = fmt.Sprintf(" (QRESYNC (%d %d", resync.validity, resync.modseq)
		if p.maybe(2) && len(resync.flags) > 0 {
			params += " " + formatSet(slices.Sorted(maps.Keys(resync.flags)))
		}
		params += "))"
	case p.maybe(5):
		params, p.condstore = " (CONDSTORE)", true
	}
	rights, changes := p.w.rightsNow()
	r, err := p.one(false, "%s %s%s", verb, p.mailboxName(name), params)
	if err != nil {
		return err
	}
	if err := p.allowed(name, "r", r, rights, changes); err != nil {
		return err
	}
	if r.items[1] != atom("OK") {
		p.reset()
		if p.user != guest || name == p.names[0] {
			return errors.New(r.raw)
		}
		return nil
	}
	p.mailbox = name
	if resync == nil || resync.validity != p.validity {
		return nil
	}
	for u, f := range resync.flags {
		if p.gone[u] {
			continue
		}
		if m := p.known[u]; m != nil {
			continue // told anew
		}
		if len(p.known) >= p.count && p.known[u] == nil {
			return fmt.Errorf("UID %d was not told to be expunged", u)
		}
		p.known[u] = &knownMessage{flags: f}
	}
	highest := p.modseq
	untold := map[uint32]string{}
	for u, m := range p.known {
		if m.modseq == 0 {
			untold[u] = m.flags
		}
	}
	if len(untold) == 0 {
		return nil
	}
	if _, err := p.one(false, "UID FETCH 1:* (FLAGS MODSEQ)"); err != nil {
		return err
	}
	for u, f := range untold {
		if m := p.known[u]; m != nil && m.modseq <= highest && m.flags != f {
			return fmt.Errorf("UID %d has flags %q since %d, was %q at %d, and nobody said so", u, m.flags, m.modseq, f, resync.modseq)
		}
	}
	return p.learn()
}

func formatSet(uids []uint32) string {
	var b strings.Builder
	for i, u := range uids {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(int(u)))
	}
	return b.String()
}

// selecting takes responses of SELECT, which come before its completion.
func (c *strictClient) selecting() bool {
	for _, line := range c.pending {
		if strings.HasPrefix(line, "SELECT") || strings.HasPrefix(line, "EXAMINE") {
			return true
		}
	}
	return false
}

var subjectOf = regexp.MustCompile(`Subject: (\S+)`)

// learn asks for all there is to know, and checks it against what was known.
func (p *performer) learn() error {
	if p.count == 0 {
		return nil
	}
	if _, err := p.one(false, "UID FETCH 1:* (UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])"); err != nil {
		return err
	}
	for _, r := range p.other {
		list, ok := r.items[len(r.items)-1].([]any)
		if len(r.items) != 4 || !ok {
			continue
		}
		uid, subject := uint32(0), ""
		if r.items[2] == atom("UIDFETCH") {
			uid, _ = number(r.items[1])
		}
		for i := 0; i+1 < len(list); i += 2 {
			switch {
			case list[i] == atom("UID"):
				uid, _ = number(list[i+1])
			case strings.HasPrefix(string(list[i].(atom)), "BODY["):
				m := subjectOf.FindStringSubmatch(string(list[i+1].(text)))
				if m == nil {
					return fmt.Errorf("no subject: %s", r.raw)
				}
				subject = m[1]
			}
		}
		if subject != "" {
			owner := p.user
			if strings.HasPrefix(p.mailbox, mailstore.OtherUsers) {
				owner = user
			}
			if err := p.w.is(owner, p.validity, uid, subject); err != nil {
				return err
			}
		}
	}
	return nil
}

// remember keeps what is known of the mailbox that is about to be left.
func (p *performer) remember() {
	if !p.qresync || p.mailbox == "" {
		return
	}
	c := &cached{name: p.mailbox, validity: p.validity, modseq: p.modseq, flags: map[uint32]string{}}
	for u, m := range p.known {
		if m.flags != "?" {
			c.flags[u] = m.flags
		}
	}
	p.cache = c
}

func (p *performer) message() string {
	p.n++
	subject := fmt.Sprintf("m-%d-%d", p.id, p.n)
	p.w.mu.Lock()
	p.w.appended[subject] = true
	p.w.mu.Unlock()
	switch p.rnd.IntN(3) {
	case 0:
		return "Subject: " + subject + "\r\nFrom: =?utf-8?q?J=C3=BCrgen?= <a@example.net>\r\nMessage-ID: <" + subject + "@x>\r\n\r\nHello\r\n"
	case 1:
		return "Subject: " + subject + "\r\nDate: Mon, 2 Feb 2026 10:00:00 +0100\r\nReferences: <m-0-1@x>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
			"--b\r\n\r\nText\r\n--b\r\nContent-Type: application/x\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
			base64.StdEncoding.EncodeToString([]byte("\x00binary")) + "\r\n--b--\r\n"
	}
	return "Subject: " + subject + "\r\nTo: \"J\xc3\xbcrgen\" <x@y>\r\n\r\n" + strings.Repeat("long text ", p.rnd.IntN(3000)) + "\r\n"
}

func literal(s string) string { return fmt.Sprintf("{%d+}\r\n%s", len(s), s) }

// put is what APPEND and REPLACE have behind the mailbox.
func (p *performer) put() string {
	flags := p.pick("", ` (\Seen)`, ` (\Flagged $A)`, ` () "03-Feb-2021 10:11:12 +0100"`)
	msg := p.message()
	switch p.rnd.IntN(4) {
	case 0:
		head, body, _ := strings.Cut(msg, "\r\n\r\n")
		return flags + " CATENATE (TEXT " + literal(head+"\r\n\r\n") + " TEXT " + literal(body) + ")"
	case 1:
		return flags + fmt.Sprintf(" ~{%d+}\r\n%s", len(msg), msg)
	case 2:
		if p.utf8 {
			return flags + fmt.Sprintf(" UTF8 (~{%d+}\r\n%s)", len(msg), msg)
		}
	}
	return flags + " " + literal(msg)
}

// set returns a set of messages, and whether it is of sequence numbers.
func (p *performer) set() (set string, seqs bool) {
	if p.count == 0 {
		return p.pick("1:*", "*", "7"), false
	}
	if !p.uidOnly && p.maybe(2) {
		a, b := p.rnd.IntN(p.count)+1, p.rnd.IntN(p.count)+1
		return p.pick(strconv.Itoa(a), strconv.Itoa(a), fmt.Sprintf("%d:%d", a, b), fmt.Sprintf("%d,%d", a, b), "*", "1:*"), true
	}
	uids := slices.Sorted(maps.Keys(p.known))
	if len(uids) == 0 {
		return "1:*", false
	}
	a, b := uids[p.rnd.IntN(len(uids))], uids[p.rnd.IntN(len(uids))]
	return p.pick(fmt.Sprint(a), fmt.Sprint(a), fmt.Sprintf("%d:%d", a, b), fmt.Sprintf("%d,%d", a, b), "1:*", "$", "*"), false
}

func (p *performer) prefix(seqs bool) string {
	if seqs {
		return ""
	}
	return "UID "
}

func (p *performer) keys() string {
	return p.pick("ALL", "UNSEEN", "SEEN", "NOT FLAGGED", "KEYWORD $A", "DELETED", "OR SEEN FLAGGED", "SUBJECT m-1", "BODY long", "TEXT hello",
		"SMALLER 200", "SENTSINCE 1-Feb-2026", "UID 1:5", "YOUNGER 1000", "OLDER 1000000", "LARGER 2000 UNDELETED")
}

func (p *performer) fetchItems(seqs bool) string {
	items := p.pick("FLAGS", "(FLAGS UID)", "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)", "BODYSTRUCTURE", "BODY.PEEK[]", "BODY[]", "BODY[TEXT]",
		"(BODY.PEEK[1] FLAGS)", "BINARY.PEEK[1]", "BINARY.SIZE[1]", "PREVIEW", "(PREVIEW (LAZY) UID)", "(EMAILID THREADID SAVEDATE)", "FAST", "ALL", "FULL",
		"BODY.PEEK[HEADER.FIELDS (SUBJECT)]<0.10>", "RFC822.HEADER", "MODSEQ", "(FLAGS)+")
	switch items {
	case "MODSEQ":
		p.condstore = true
	case "(FLAGS)+":
		p.condstore = true
		since := fmt.Sprintf("CHANGEDSINCE %d", p.rnd.Uint64N(p.modseq+1))
		if p.modseq == 0 {
			since = "CHANGEDSINCE 1"
		}
		if !seqs && p.qresync && p.maybe(2) {
			since += " VANISHED"
		} else if !seqs && p.maybe(3) {
			since += " PARTIAL -1:-3"
		}
		return "(FLAGS) (" + since + ")"
	}
	return items
}

// command returns a command for the selected state that may be in a burst.
func (p *performer) command() sent {
	set, seqs := p.set()
	uid := p.prefix(seqs)
	switch p.rnd.IntN(9) {
	case 0, 1, 2:
		return sent{uid + "FETCH " + set + " " + p.fetchItems(seqs), seqs}
	case 3, 4:
		what := p.pick("FLAGS", "+FLAGS", "-FLAGS", "+FLAGS.SILENT", "-FLAGS.SILENT")
		flags := p.pick(`(\Seen)`, `(\Deleted)`, `(\Flagged $A)`, `\Answered`, fmt.Sprintf(`($k%d)`, p.rnd.IntN(5)), "()")
		modifier := ""
		if p.maybe(5) {
			modifier, p.condstore = fmt.Sprintf(" (UNCHANGEDSINCE %d)", p.modseq), true
		}
		return sent{uid + "STORE " + set + modifier + " " + what + " " + flags, seqs}
	case 5:
		ret := p.pick("(ALL)", "(MIN MAX COUNT)", "()", "(COUNT SAVE)", "(SAVE ALL)", "(PARTIAL 1:3)", "(PARTIAL -1:-2 MIN)")
		return sent{uid + "SEARCH RETURN " + ret + " " + p.keys(), seqs}
	case 6:
		ret := p.pick("(ALL)", "(COUNT MAX)", "(PARTIAL 1:4)")
		return sent{uid + "SORT RETURN " + ret + " (" + p.pick("SUBJECT", "REVERSE DATE", "SIZE ARRIVAL", "DISPLAYFROM") + ") UTF-8 " + p.keys(), seqs}
	case 7:
		return sent{uid + "THREAD " + p.pick("REFERENCES", "ORDEREDSUBJECT", "REFS") + " UTF-8 " + p.keys(), seqs}
	}
	name := p.pick(p.names...)
	if strings.ContainsAny(set, ":$") && p.count > 10 {
		set = "*" // they would double with each
	}
	return sent{uid + "COPY " + set + " " + p.mailboxName(name), seqs}
}

// anytime returns a command without messages of the selected mailbox.
func (p *performer) anytime() string {
	name := p.mailboxName(p.pick(p.names...))
	switch p.rnd.IntN(16) {
	case 0:
		return "NOOP"
	case 1:
		items := p.pick("MESSAGES UNSEEN", "UIDNEXT SIZE DELETED", "HIGHESTMODSEQ", "MAILBOXID DELETED-STORAGE APPENDLIMIT", "UIDVALIDITY RECENT")
		if items == "HIGHESTMODSEQ" {
			return "STATUS " + name + " (UIDNEXT MESSAGES)"
		}
		return "STATUS " + name + " (" + items + ")"
	case 2:
		return `LIST "" "*"`
	case 3:
		return `LIST (SUBSCRIBED RECURSIVEMATCH) "" ("*" "%") RETURN (STATUS (MESSAGES SIZE) MYRIGHTS SUBSCRIBED CHILDREN)`
	case 4, 5:
		return "APPEND " + name + p.put()
	case 6:
		return "APPEND " + name + p.put() + p.put()
	case 7:
		return "GETQUOTAROOT " + name
	case 8:
		return "MYRIGHTS " + name
	case 9:
		return "SUBSCRIBE " + name
	case 10:
		return "UNSUBSCRIBE " + name
	case 11:
		return "ESEARCH IN (personal subscribed mailboxes " + name + ") RETURN (" + p.pick("COUNT", "MIN MAX", "ALL") + ") " + p.keys()
	case 12:
		return "NAMESPACE"
	case 13:
		return `LIST "" "*" RETURN (STATUS (MESSAGES UNSEEN) MYRIGHTS)`
	case 14:
		return "CAPABILITY"
	}
	return `ID ("name" "x")`
}

func (p *performer) burst() error {
	n := 1
	if p.maybe(2) {
		n += p.rnd.IntN(6)
	}
	var cmds []sent
	numbers := true // until a command during which EXPUNGE may come
	for len(cmds) < n {
		cmd := sent{line: p.anytime()}
		if p.mailbox != "" && p.rnd.IntN(3) > 0 {
			cmd = p.command()
		}
		if cmd.seqs && !numbers {
			continue
		}
		// While only these run, and COPY, SORT, THREAD, no EXPUNGE comes, says the server; clients rely on it for these three.
		if !cmd.seqs || !strings.HasPrefix(cmd.line, "FETCH") && !strings.HasPrefix(cmd.line, "STORE") && !strings.HasPrefix(cmd.line, "SEARCH") {
			numbers = false
		}
		cmds = append(cmds, cmd)
	}
	_, err := p.run(cmds...)
	return err
}

func (p *performer) idle() error {
	p.tags++
	tag := "t" + strconv.Itoa(p.tags)
	p.done, p.other = map[string]*reply{}, nil
	p.pending[tag] = "IDLE"
	if err := p.write(tag + " IDLE\r\n"); err != nil {
		return err
	}
	for i := p.rnd.IntN(4); ; {
		r, err := p.read()
		if p.bye && err != nil {
			return errBye
		}
		if err != nil {
			return err
		}
		if strings.HasPrefix(r.raw, "+ ") {
			break
		}
		if err := p.take(r); err != nil {
			return err
		}
		if i--; i < 0 && p.bye {
			return errBye
		}
	}
	if err := p.write("DONE\r\n"); err != nil {
		return err
	}
	for len(p.pending) > 0 {
		r, err := p.read()
		if p.bye && err != nil {
			return errBye
		}
		if err != nil {
			return err
		}
		if err := p.take(r); err != nil {
			return err
		}
	}
	if p.bye {
		return errBye
	}
	return nil
}

// step does one random thing.
func (p *performer) step() error {
	p.n++
	if p.mailbox == "" && p.maybe(3) {
		return p.open()
	}
	if p.count > 50 && p.maybe(4) {
		if _, err := p.one(false, "UID STORE 1:* +FLAGS (\\Deleted)"); err != nil {
			return err
		}
		_, err := p.one(false, "EXPUNGE")
		return err
	}
	switch k := p.rnd.IntN(24); {
	case k < 12:
		return p.burst()
	case k == 12:
		return p.idle()
	case k == 13:
		p.remember()
		return p.open()
	case k == 14:
		p.remember()
		return p.connect()
	case k == 15 && p.user == user:
		return p.share()
	case k == 16 && p.maybe(3):
		return p.enable(p.pick(modes...))
	case k == 17 && p.maybe(3):
		return p.unauthenticate()
	case k == 17:
		return p.notify()
	case p.mailbox == "":
		return p.burst()
	case k <= 18:
		_, err := p.one(false, "%s", p.pick("EXPUNGE", "UID EXPUNGE 1:*", "UID EXPUNGE $", "CHECK"))
		return err
	case k == 19:
		set, seqs := p.set()
		first := p.command()
		if !first.seqs || !seqs || !strings.HasPrefix(first.line, "FETCH") {
			first = sent{line: "NOOP"}
			if seqs {
				first = sent{fmt.Sprintf("FETCH 1:%d BODY.PEEK[]", p.count), true}
			}
		}
		_, err := p.run(first, sent{line: p.prefix(seqs) + "MOVE " + set + " " + p.mailboxName(p.pick(p.names...))})
		return err
	case k == 20 && p.count > 0:
		number, uid := strconv.Itoa(p.rnd.IntN(p.count)+1), ""
		if uids := slices.Collect(maps.Keys(p.known)); p.uidOnly || len(uids) > 0 && p.maybe(2) {
			slices.Sort(uids)
			number, uid = "*", "UID "
			if len(uids) > 0 {
				number = fmt.Sprint(uids[p.rnd.IntN(len(uids))])
			}
		}
		_, err := p.one(false, "%sREPLACE %s %s%s", uid, number, p.mailboxName(p.pick(p.names...)), p.put())
		return err
	case k == 21:
		return p.context()
	case k == 22:
		p.remember()
		cmd := p.pick("CLOSE", "UNSELECT")
		r, err := p.one(false, "%s", cmd)
		if err == nil && r.items[1] == atom("OK") {
			p.reset()
		}
		return err
	default:
		return p.url()
	}
}

// context begins a search whose results are told on.
func (p *performer) context() error {
	if len(p.contexts) >= 6 {
		return nil
	}
	x := &knownContext{keys: p.pick("ALL", "UNSEEN", "FLAGGED", "UNDELETED", "KEYWORD $A"), uids: map[uint32]bool{}}
	tag := "t" + strconv.Itoa(p.tags+1)
	p.contexts[tag] = x
	_, err := p.one(false, "UID SEARCH RETURN (UPDATE ALL) %s", x.keys)
	return err
}

// url makes a URL and reads what it means.
func (p *performer) url() error {
	uids := slices.Sorted(maps.Keys(p.known))
	if len(uids) == 0 {
		return nil
	}
	uid := uids[p.rnd.IntN(len(uids))]
	name := strings.NewReplacer("Ü", "%C3%9C", "@", "%40", " ", "%20").Replace(p.mailbox)
	_, err := p.one(false, `APPEND INBOX CATENATE (TEXT %s URL "/%s;UIDVALIDITY=%d/;UID=%d/;SECTION=TEXT")`,
		literal(strings.SplitAfter(p.message(), "\r\n")[0]+"\r\n"), name, p.validity, uid)
	if err != nil {
		return err
	}
	who := strings.ReplaceAll(p.user, "@", "%40")
	rights, changes := p.w.rightsNow()
	r, err := p.one(false, `GENURLAUTH "imap://%s@imap.example.org/%s;UIDVALIDITY=%d/;UID=%d;URLAUTH=user+%s" INTERNAL`, who, name, p.validity, uid, who)
	if err != nil {
		return err
	}
	if r.items[1] == atom("BAD") { // right for a guest who may not see the mailbox
		after, n := p.w.rightsNow()
		if p.user != guest || !strings.HasSuffix(p.mailbox, "/Box") || n == changes && after == rights && strings.Contains(rights, "l") {
			return errors.New(r.raw)
		}
	}
	if r.items[1] != atom("OK") {
		return nil
	}
	for _, r := range p.other {
		if r.items[1] == atom("GENURLAUTH") {
			_, err = p.one(false, "URLFETCH %q", string(r.items[2].(text)))
		}
	}
	return err
}

// share changes the guest's rights.
func (p *performer) share() error {
	rights := p.pick("", "l", "r", "lr", "lrs", "lrswi", "lrswite", "lrswite", "lrswitea", "li")
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.w.changes++
	err := p.ok(`SETACL Box %s %q`, guest, rights)
	p.w.rights = rights
	p.w.changes++
	return err
}

// notify asks to be told of everything, expunges only where sequence numbers allow it.
func (p *performer) notify() error {
	return p.ok("NOTIFY SET %s(selected-delayed (MessageNew%s MessageExpunge FlagChange)) (%s (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange))",
		p.pick("", "STATUS "), p.pick("", " (UID FLAGS)", " (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])"), p.pick("personal", "subscribed", "inboxes"))
}

func (p *performer) unauthenticate() error {
	p.remember()
	if err := p.ok("UNAUTHENTICATE"); err != nil {
		return err
	}
	if p.compressed {
		return p.connect() // the deflater of this client cannot be ended
	}
	log, tags, cache := p.log, p.tags, p.cache
	fresh := &strictClient{conn: p.conn, in: p.in, out: p.conn, pending: map[string]string{}, seqs: map[string]bool{}}
	fresh.reset()
	fresh.log, fresh.tags = log, tags
	p.strictClient, p.cache = fresh, cache
	return p.login()
}

// compare checks, when nothing happens any more, what the session knows against what a new one is told.
func (p *performer) compare() error {
	if p.mailbox == "" {
		return nil
	}
	if _, err := p.one(false, "NOOP"); err != nil {
		return err
	}
	for tag, x := range p.contexts {
		if x.off {
			continue
		}
		p.results = nil
		if _, err := p.one(false, "UID SEARCH RETURN (ALL) %s", x.keys); err != nil {
			return err
		}
		if got := slices.Sorted(maps.Keys(x.uids)); !slices.Equal(got, p.results) {
			return fmt.Errorf("context %s of %s has %v, there are %v", tag, x.keys, got, p.results)
		}
	}
	was := map[uint32]string{}
	for u, m := range p.known {
		was[u] = m.flags
	}
	modes := *p.strictClient
	other := &performer{w: p.w, rnd: p.rnd, id: p.id, n: p.n, user: p.user, nodes: p.nodes, names: p.names}
	conn, err := net.Dial("tcp", p.nodes[0].addr)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if other.strictClient, err = newStrictClient(conn); err != nil {
		return err
	}
	if err := other.ok("LOGIN %s %q", p.user, password); err != nil {
		return err
	}
	if err := other.ok("EXAMINE %s", other.mailboxName(p.mailbox)); err != nil {
		if r, err := p.read(); err != nil || r.items[1] != atom("BYE") {
			return fmt.Errorf("%w: but it is selected", err)
		}
		return nil
	}
	other.mailbox = p.mailbox
	if err := other.learn(); err != nil {
		return err
	}
	if other.count != modes.count || other.validity != modes.validity {
		return fmt.Errorf("%d messages, there are %d: %v, %v", modes.count, other.count, p.uids, other.uids)
	}
	for u, f := range was {
		m := other.known[u]
		if m == nil {
			return fmt.Errorf("UID %d is not there", u)
		}
		if f != "?" && f != m.flags {
			return fmt.Errorf("UID %d has flags %q, the session knows %q", u, m.flags, f)
		}
	}
	return nil
}

// sentAway reports whether the session ended because the guest may not read the mailbox any more. What is written then may cost
// the BYE.
func (p *performer) sentAway(err error) bool {
	var lost *net.OpError
	return p.user == guest && (errors.Is(err, errBye) || errors.As(err, &lost) && !lost.Timeout())
}

// secondNode is another server on the same storage.
func (e *env) secondNode(t *testing.T, hints notify.Notifier) *env {
	t.Helper()
	store, err := mailstore.New(mailstore.Config{Metadata: e.meta, Blobs: e.blobs, Notify: hints, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(t.Context()); err != nil && t.Context().Err() == nil {
			t.Errorf("Close: %v", err)
		}
	})
	n := &env{meta: e.meta, store: store, local: e.local, blobs: e.blobs, faults: &faultyStore{Store: store}, clock: e.clock}
	n.start(t, nil)
	return n
}

// TestRandomProgram has sessions on two nodes do everything the protocol has to the same mailboxes, in random modes, and clients
// that know what they were told check every response.
func TestRandomProgram(t *testing.T) {
	seed := *randomSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d (again with -args -seed=%d)", seed, seed)
	e := newEnv(t)
	nodes := []*env{e.secondNode(t, e.hints), e.secondNode(t, e.hints)}
	e.account(t, user)
	e.account(t, guest)
	w := &world{subjects: map[string]string{}, appended: map[string]bool{}}
	for _, who := range []string{user, guest} {
		setup := &performer{w: w, rnd: rand.New(rand.NewPCG(seed, 99)), user: who, nodes: nodes}
		if err := setup.connect(); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"Box", "Ünder"} {
			if err := setup.ok("CREATE %s", setup.mailboxName(name)); err != nil {
				t.Fatal(err)
			}
		}
		_ = setup.conn.Close()
	}
	var all []*performer
	for i := range 4 {
		p := &performer{w: w, rnd: rand.New(rand.NewPCG(seed, uint64(i))), id: i, user: user, nodes: nodes, names: []string{"INBOX", "Box", "Box", "Ünder"}}
		if i%2 == 1 {
			p.user, p.names = guest, []string{"INBOX", "Other Users/" + user + "/Box", "Other Users/" + user + "/Box"}
		}
		if err := p.connect(); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = p.conn.Close() }()
		all = append(all, p)
	}
	report := func(p *performer, err error) {
		t.Errorf("session %d of %s in %q: %v\n%s", p.id, p.user, p.mailbox, err, strings.Join(p.log[max(0, len(p.log)-40):], "\n"))
	}
	kinds := map[string]int{}
	numbers := regexp.MustCompile(`^\* (\d+ )?|(?s) [^(].*| \([^E].*`)
	var wg sync.WaitGroup
	for _, p := range all {
		wg.Go(func() {
			for range *randomOps {
				err := p.step()
				if p.sentAway(err) {
					err = p.connect()
				}
				if err != nil {
					if errors.Is(err, io.EOF) {
						err = errors.New("the connection is closed")
					}
					report(p, err)
					return
				}
			}
		})
	}
	wg.Wait()
	for _, p := range all {
		if t.Failed() {
			return
		}
		if err := p.compare(); err != nil && !p.sentAway(err) {
			report(p, err)
		}
	}
	for _, p := range all {
		for _, line := range p.log {
			if strings.Contains(line, "(QRESYNC (") {
				kinds["resynchronized"]++
			}
			if line = strings.TrimPrefix(line, "S: "); strings.HasPrefix(line, "* ") {
				kinds[numbers.ReplaceAllString(line, "")]++
			}
		}
	}
	t.Log(kinds)
	for _, n := range nodes {
		if n.panics.Load() > 0 {
			t.Error("a panic")
		}
	}
}
