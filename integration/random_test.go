package integration

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/integration/nodes"
)

var (
	seed = flag.Uint64("seed", 0, "seed of the random operations; 0: by time")
	ops  = flag.Int("ops", 150, "random operations of each session")
)

// truth is what all sessions together know for certain: which message (by its subject) every UID is, and which message a
// keyword was put on. A server that lets a sequence number point at another message than the session was told of breaks it.
type truth struct {
	mu       sync.Mutex
	subject  map[string]string // "UIDVALIDITY/UID" -> subject
	keyword  map[string]string // keyword -> subject of the message it was stored on
	appended map[string]bool   // subjects ever appended
}

// is records that a UID is a message, or fails when it is another one.
func (tr *truth) is(validity, uid uint32, subject string) error {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	key := fmt.Sprintf("%d/%d", validity, uid)
	if was, ok := tr.subject[key]; ok && was != subject {
		return fmt.Errorf("UID %s was %q and now is %q", key, was, subject)
	}
	if !tr.appended[subject] {
		return fmt.Errorf("UID %s is %q, which nobody appended", key, subject)
	}
	tr.subject[key] = subject
	return nil
}

// actor is one session that does random things.
type actor struct {
	*imapConn
	tr       *truth
	rnd      *rand.Rand
	id       int
	n        int // operations done, for names
	mailbox  string
	validity uint32
	log      []string
}

var (
	validityRE = regexp.MustCompile(`\[UIDVALIDITY (\d+)\]`)
	subjectRE  = regexp.MustCompile(`(?i)Subject: (\S+)`)
	copyUIDRE  = regexp.MustCompile(`\[COPYUID (\d+) (\S+) (\S+)\]`)
)

// mailboxes the actors share. They come and go by RENAME.
var names = []string{"INBOX", "one", "two", "three"}

// do is cmd with a record, for the report of a failure.
func (a *actor) do(format string, args ...any) (result, error) {
	cmd := fmt.Sprintf(format, args...)
	before := len(a.uids)
	res, err := a.cmd("%s", cmd)
	for _, u := range res.untagged {
		a.log = append(a.log, fmt.Sprintf("    %.160q", u))
	}
	a.log = append(a.log, fmt.Sprintf("%d messages: %.160q -> %s %.100s", before, cmd, res.status, res.text))
	if err == nil && res.status == "BAD" {
		err = fmt.Errorf("%s: BAD %s", cmd, res.text)
	}
	if err == nil && (strings.Contains(res.text, "SERVERBUG") || strings.Contains(res.text, "UNAVAILABLE")) {
		err = fmt.Errorf("%s: %s %s", cmd, res.status, res.text)
	}
	return res, err
}

// open selects a random mailbox.
func (a *actor) open() error {
	a.mailbox, a.uids = "", nil
	name := names[a.rnd.IntN(len(names))]
	res, err := a.do("SELECT %s", name)
	if err != nil || res.status != "OK" {
		return err
	}
	a.mailbox = name
	m := validityRE.FindStringSubmatch(strings.Join(res.untagged, "\n"))
	if m == nil {
		return fmt.Errorf("SELECT without UIDVALIDITY: %q", res.untagged)
	}
	v, err := strconv.ParseUint(m[1], 10, 32)
	a.validity = uint32(v)
	return err
}

// learn makes sure that the session knows the UID and subject of a message, by sequence number. It returns UID 0 when the
// message is gone.
func (a *actor) learn(seq int) (uint32, string, error) {
	res, err := a.do("FETCH %d (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])", seq)
	if err != nil {
		return 0, "", err
	}
	for _, line := range res.untagged {
		u, s := uidRE.FindStringSubmatch(line), subjectRE.FindStringSubmatch(line)
		if u == nil || s == nil || !strings.HasPrefix(line, fmt.Sprintf("* %d FETCH", seq)) {
			continue
		}
		uid, err := strconv.ParseUint(u[1], 10, 32)
		if err != nil {
			return 0, "", err
		}
		return uint32(uid), s[1], a.tr.is(a.validity, uint32(uid), s[1])
	}
	return 0, "", nil
}

// step does one random operation.
func (a *actor) step() error {
	a.n++
	if a.mailbox == "" || a.rnd.IntN(25) == 0 {
		return a.open()
	}
	count := len(a.uids)
	if count == 0 && a.rnd.IntN(3) > 0 {
		return a.append()
	}
	if count == 0 {
		_, err := a.do("NOOP")
		return err
	}
	seq := a.rnd.IntN(count) + 1
	dest := names[a.rnd.IntN(len(names))]
	switch a.rnd.IntN(14) {
	case 0, 1, 2:
		return a.append()
	case 3, 4:
		uid, subject, err := a.learn(seq)
		if err != nil || uid == 0 {
			return err
		}
		// FETCH sends no EXPUNGE, so the number still means the message that was learnt.
		kw := fmt.Sprintf("$k-%d-%d", a.id, a.n%10)
		return a.storeKeyword(seq, uid, subject, kw)
	case 5:
		uid, _, err := a.learn(seq)
		if err != nil || uid == 0 {
			return err
		}
		return a.transfer("COPY", seq, uid, dest)
	case 6:
		uid, _, err := a.learn(seq)
		if err != nil || uid == 0 {
			return err
		}
		return a.transfer("MOVE", seq, uid, dest)
	case 7:
		_, err := a.do("STORE %d +FLAGS.SILENT (\\Deleted)", seq)
		return err
	case 8:
		_, err := a.do("EXPUNGE")
		return err
	case 9:
		if uid := a.uids[seq-1]; uid != 0 {
			if _, err := a.do("UID STORE %d +FLAGS (\\Deleted)", uid); err != nil {
				return err
			}
			_, err := a.do("UID EXPUNGE %d", uid)
			return err
		}
		_, err := a.do("UID FETCH 1:* (FLAGS)")
		return err
	case 10:
		_, err := a.do("FETCH %d:* (UID FLAGS)", seq)
		return err
	case 11:
		_, err := a.do("SEARCH NOT DELETED")
		return err
	case 12:
		if a.rnd.IntN(4) > 0 {
			_, err := a.do("NOOP")
			return err
		}
		// Away and back: another name in between for who wants to select or append just then.
		from := names[1+a.rnd.IntN(len(names)-1)]
		aside := fmt.Sprintf("aside-%d-%d", a.id, a.n)
		res, err := a.do("RENAME %s %s", from, aside)
		if err != nil || res.status != "OK" {
			return err
		}
		res, err = a.do("RENAME %s %s", aside, from)
		if err == nil && res.status != "OK" {
			return fmt.Errorf("RENAME back: %s", res.text)
		}
		return err
	default:
		_, _, err := a.learn(seq)
		return err
	}
}

func (a *actor) append() error {
	subject := fmt.Sprintf("m-%d-%d", a.id, a.n)
	msg := fmt.Sprintf("Subject: %s\r\nFrom: a@example.org\r\n\r\nBody of %s\r\n", subject, subject)
	a.tr.mu.Lock()
	a.tr.appended[subject] = true
	a.tr.mu.Unlock()
	_, err := a.do("APPEND %s (\\Seen) {%d+}\r\n%s", names[a.rnd.IntN(len(names))], len(msg), msg)
	return err
}

// storeKeyword puts a keyword that no other message may carry on a message by its sequence number.
func (a *actor) storeKeyword(seq int, uid uint32, subject, kw string) error {
	kw = fmt.Sprintf("%s-%s", kw, strings.ReplaceAll(subject, "m-", ""))
	a.tr.mu.Lock()
	a.tr.keyword[strings.ToLower(kw)] = subject
	a.tr.mu.Unlock()
	res, err := a.do("STORE %d +FLAGS (%s)", seq, kw)
	if err != nil || res.status != "OK" {
		return err
	}
	for _, line := range res.untagged {
		if strings.HasPrefix(line, fmt.Sprintf("* %d FETCH", seq)) && strings.Contains(line, kw) {
			if u := uidRE.FindStringSubmatch(line); u != nil && u[1] != strconv.Itoa(int(uid)) {
				return fmt.Errorf("STORE %d hit UID %s, not %d", seq, u[1], uid)
			}
		}
	}
	return nil
}

// transfer copies or moves by sequence number and checks COPYUID.
func (a *actor) transfer(verb string, seq int, uid uint32, dest string) error {
	res, err := a.do("%s %d %s", verb, seq, dest)
	if err != nil || res.status != "OK" {
		return err
	}
	m := copyUIDRE.FindStringSubmatch(res.text + strings.Join(res.untagged, "\n"))
	if m == nil {
		return nil // gone meanwhile
	}
	if m[2] != strconv.Itoa(int(uid)) {
		return fmt.Errorf("%s %d took UID %s, not %d", verb, seq, m[2], uid)
	}
	a.tr.mu.Lock()
	subject := a.tr.subject[fmt.Sprintf("%d/%d", a.validity, uid)]
	a.tr.mu.Unlock()
	v, err := strconv.ParseUint(m[1], 10, 32)
	if err != nil {
		return err
	}
	to, err := strconv.ParseUint(m[3], 10, 32)
	if err != nil {
		return err
	}
	return a.tr.is(uint32(v), uint32(to), subject)
}

// TestRandomOperations has sessions on two nodes change the same mailboxes, each checking every response against what it was
// told before, and all of them against each other.
func TestRandomOperations(t *testing.T) {
	s := *seed
	if s == 0 {
		s = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d (again with -args -seed=%d)", s, s)
	c := nodes.NewCluster(t, nodes.Own{})
	c.Accounts(1)
	both := []*nodes.Node{c.Start(), c.Start()}
	setup := dialIMAP(t, both[0].IMAP, "user1")
	for _, n := range names[1:] {
		setup.ok(t, "CREATE %s", n)
	}
	tr := &truth{subject: map[string]string{}, keyword: map[string]string{}, appended: map[string]bool{}}
	var actors []*actor
	for i := range 6 {
		actors = append(actors, &actor{imapConn: dialIMAP(t, both[i%2].IMAP, "user1"), tr: tr, rnd: rand.New(rand.NewPCG(s, uint64(i))), id: i})
	}
	var wg sync.WaitGroup
	for _, a := range actors {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range *ops {
				_ = a.SetDeadline(time.Now().Add(2 * time.Minute))
				if err := a.step(); err != nil {
					t.Errorf("session %d on %s: %v\n%s", a.id, a.name, err, strings.Join(a.log[max(0, len(a.log)-30):], "\n"))
					return
				}
			}
		}()
	}
	wg.Wait()
	if t.Failed() {
		return
	}

	// Every session, told of everything, must know exactly what is there.
	for _, a := range actors {
		if a.mailbox == "" {
			continue
		}
		if _, err := a.do("NOOP"); err != nil {
			t.Fatal(err)
		}
		if len(a.uids) > 0 {
			if _, err := a.do("FETCH 1:* (UID)"); err != nil {
				t.Fatal(err)
			}
		}
		fresh := dialIMAP(t, both[0].IMAP, "user1")
		if _, err := fresh.selectMailbox(a.mailbox); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(a.uids, fresh.uids) {
			t.Errorf("session %d knows UIDs %v of %s, there are %v", a.id, a.uids, a.mailbox, fresh.uids)
		}
		fresh.Close()
	}

	// Every message is what its UID always was, and carries only keywords that were put on it.
	total := 0
	for _, name := range names {
		conn := dialIMAP(t, both[1].IMAP, "user1")
		res, err := conn.selectMailbox(name)
		if err != nil {
			t.Fatal(err)
		}
		validity, err := strconv.ParseUint(validityRE.FindStringSubmatch(strings.Join(res.untagged, "\n"))[1], 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		if len(conn.uids) == 0 {
			continue
		}
		for _, line := range conn.ok(t, "FETCH 1:* (UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])").untagged {
			u, sub := uidRE.FindStringSubmatch(line), subjectRE.FindStringSubmatch(line)
			if u == nil || sub == nil {
				continue
			}
			total++
			uid, err := strconv.ParseUint(u[1], 10, 32)
			if err != nil {
				t.Fatal(err)
			}
			if err := tr.is(uint32(validity), uint32(uid), sub[1]); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			for kw := range strings.FieldsSeq(line[strings.Index(line, "FLAGS (")+7:]) {
				kw = strings.ToLower(strings.TrimRight(kw, ")"))
				if strings.HasPrefix(kw, "$k-") && tr.keyword[kw] != sub[1] {
					t.Errorf("%s: %q has keyword %s, which was put on %q", name, sub[1], kw, tr.keyword[kw])
				}
			}
		}
	}
	t.Logf("%d messages left of %d appended", total, len(tr.appended))
}
