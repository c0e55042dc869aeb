package imapd

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/internal/listener/listenertest"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/notify"
)

// notifyClient is a client that asks nothing and applies what it is told.
type notifyClient struct {
	t          *testing.T
	conn       net.Conn
	in         *bufio.Reader
	n          int
	names      map[string]bool // mailboxes
	subscribed map[string]bool
	count      map[string][3]int // UIDNEXT, MESSAGES, UNSEEN
	uids       []int             // of the selected mailbox
	flags      map[int]string    // by UID
	heard      []string          // since all was right
	next       int               // messages that were announced and not named yet
	annotated  map[string]bool   // annotations that were told of, by mailbox and entry
}

// newNode starts another server, of a node of its own on the same database.
func (e *env) newNode(t testing.TB, hints notify.Notifier, poll time.Duration) *env {
	t.Helper()
	store, err := mailstore.New(mailstore.Config{Metadata: e.meta, Blobs: e.blobs, Notify: hints, Log: slog.New(slog.DiscardHandler),
		Now: e.now, PollHealthy: poll, PollUnhealthy: poll})
	if err != nil {
		t.Fatal(err)
	}
	node := &env{meta: e.meta, store: store, local: e.local, blobs: e.blobs, faults: &faultyStore{Store: store}, clock: e.clock}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := store.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
		if n := node.panics.Load(); n > 0 {
			t.Errorf("%d panics", n)
		}
	})
	node.start(t, func(cfg *Config) { cfg.Log = listenertest.PanicLog(&node.panics) })
	return node
}

// dialNode starts another node and logs in.
func (e *env) dialNode(t *testing.T, hints notify.Notifier, poll time.Duration) net.Conn {
	return e.newNode(t, hints, poll).dialNamed(t, "A")
}

func newNotifyClient(t *testing.T, conn net.Conn) *notifyClient {
	t.Cleanup(func() { _ = conn.Close() })
	return &notifyClient{
		t: t, conn: conn, in: bufio.NewReader(conn), names: map[string]bool{}, subscribed: map[string]bool{}, count: map[string][3]int{}, flags: map[int]string{},
		annotated: map[string]bool{},
	}
}

func (c *notifyClient) line() string {
	c.t.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(patience))
	line, err := c.in.ReadString('\n')
	if err != nil {
		c.t.Fatal(err)
	}
	return strings.TrimSuffix(line, "\r\n")
}

// do runs a command, applies what comes, and returns its untagged responses.
func (c *notifyClient) do(command string) (untagged []string) {
	c.t.Helper()
	c.n++
	tag := fmt.Sprintf("n%d", c.n)
	if _, err := c.conn.Write([]byte(tag + " " + command + "\r\n")); err != nil {
		c.t.Fatal(err)
	}
	for {
		line := c.line()
		if rest, ok := strings.CutPrefix(line, tag+" "); ok {
			if !strings.HasPrefix(rest, "OK") {
				c.t.Fatalf("%s: %s", command, rest)
			}
			return untagged
		}
		untagged = append(untagged, line)
	}
}

// names of the test need no quotes and no encoding.
func (c *notifyClient) apply(line string) {
	c.t.Helper()
	f := strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ", `"`, "").Replace(line))
	switch {
	case f[1] == "LIST":
		end := slices.Index(f, ")")
		name := f[end+2]
		if old := slices.Index(f, "OLDNAME"); old > 0 {
			c.rename(f[old+2], name)
		}
		if c.subscribed[name] = slices.Contains(f[:end], `\Subscribed`); !c.subscribed[name] {
			delete(c.subscribed, name)
		}
		if slices.Contains(f[:end], `\NonExistent`) {
			delete(c.names, name)
			delete(c.count, name)
			return
		}
		c.names[name] = true
	case f[1] == "STATUS":
		at := func(item string) int { return atoi(c.t, f[slices.Index(f, item)+1]) }
		c.count[f[2]] = [3]int{at("UIDNEXT"), at("MESSAGES"), at("UNSEEN")}
	case f[1] == "METADATA":
		i := strings.Index(line, " /")
		for entry := range strings.FieldsSeq(line[i:]) {
			c.annotated[line[len("* METADATA "):i]+" "+entry] = true
		}
	case f[2] == "EXISTS":
		c.next = atoi(c.t, f[1]) - len(c.uids)
	case f[2] == "EXPUNGE":
		n := atoi(c.t, f[1])
		if n > len(c.uids) {
			c.t.Fatalf("%s: there are %d", line, len(c.uids))
		}
		delete(c.flags, c.uids[n-1])
		c.uids = slices.Delete(c.uids, n-1, n)
	case f[2] == "FETCH":
		n, uid := atoi(c.t, f[1]), atoi(c.t, f[slices.Index(f, "UID")+1])
		if n == len(c.uids)+1 && c.next > 0 {
			c.uids = append(c.uids, uid)
			c.next--
		}
		if n > len(c.uids) || c.uids[n-1] != uid {
			c.t.Fatalf("%s: UIDs are %v", line, c.uids)
		}
		from := slices.Index(f, "FLAGS")
		var flags []string
		for _, flag := range f[from+2:] {
			if flag == ")" {
				break
			}
			if flag != `\Recent` {
				flags = append(flags, flag)
			}
		}
		c.flags[uid] = strings.Join(flags, " ")
	}
}

// rename renames a mailbox and all below it.
func (c *notifyClient) rename(from, to string) {
	for name := range maps.Clone(c.names) {
		if name == from || strings.HasPrefix(name, from+"/") {
			c.names[to+name[len(from):]] = true // subscriptions are of names, and stay
			c.count[to+name[len(from):]] = c.count[name]
			delete(c.names, name)
			delete(c.count, name)
		}
	}
}

// until listens until what the client knows is as said, or fails.
func (c *notifyClient) until(what string, is func() bool) {
	c.t.Helper()
	for !is() {
		_ = c.conn.SetReadDeadline(time.Now().Add(patience))
		line, err := c.in.ReadString('\n')
		if err != nil {
			c.t.Fatalf("%v; want %s; got names %v\nsubscribed %v\ncounts %v\nUIDs %v (+%d)\nflags %v\nannotations %v\nby\n%s", err, what, c.names, c.subscribed, c.count, c.uids, c.next, c.flags, c.annotated,
				strings.Join(c.heard, ""))
		}
		c.heard = append(c.heard, line)
		c.apply(strings.TrimSuffix(line, "\r\n"))
	}
	c.heard = nil
}

// truth is what LIST and STATUS say of all mailboxes but the selected one.
func (c *notifyClient) truth() (names, subscribed map[string]bool, count map[string][3]int) {
	c.t.Helper()
	other := &notifyClient{t: c.t, names: map[string]bool{}, subscribed: map[string]bool{}, count: map[string][3]int{}}
	for _, line := range c.do(`LIST "" * RETURN (SUBSCRIBED STATUS (UIDNEXT MESSAGES UNSEEN))`) {
		other.apply(line)
	}
	for _, line := range c.do(`LIST (SUBSCRIBED) "" *`) {
		other.subscribed[strings.Fields(line)[len(strings.Fields(line))-1]] = true
	}
	delete(other.count, "INBOX")
	return other.names, other.subscribed, other.count
}

// annotations is what there is, by mailbox and entry.
func (c *notifyClient) annotations() map[string]string {
	c.t.Helper()
	of := map[string]string{}
	for _, mailbox := range []string{`""`, "INBOX"} {
		for _, line := range c.do("GETMETADATA " + mailbox + " (/private/a /private/b /shared/a /shared/b)") {
			f := strings.Fields(strings.NewReplacer("(", "", ")", "").Replace(line))
			for i := 3; i < len(f); i += 2 {
				of[mailbox+" "+f[i]] = f[i+1]
			}
		}
	}
	return of
}

// selectedTruth is what FETCH says of the selected mailbox.
func (c *notifyClient) selectedTruth() (uids []int, flags map[int]string) {
	c.t.Helper()
	other := &notifyClient{t: c.t, flags: map[int]string{}, next: 1 << 30}
	for _, line := range c.do("UID FETCH 1:* (UID FLAGS)") {
		other.apply(line)
	}
	return other.uids, other.flags
}

// lost is a Notifier that loses all hints from and to others and does not know it.
func lost() notify.Notifier { return notify.NewLocal() }

// Whatever sessions on two nodes do, a client of NOTIFY that applies what it is told ends with what LIST, STATUS and FETCH say;
// with hints, and with all of them lost.
func TestNotifyModel(t *testing.T) {
	for name, hintsFlow := range map[string]bool{"hints": true, "lost": false} {
		t.Run(name, func(t *testing.T) {
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			r := rand.New(rand.NewPCG(seed, 5))
			e := newEnv(t)
			e.account(t, user)
			hints := notify.NewLocal()
			t.Cleanup(func() { _ = hints.Close() })
			poll := time.Hour
			nodeHints := func() notify.Notifier { return hints }
			if !hintsFlow {
				poll, nodeHints = 100*time.Millisecond, lost
			}
			a := newNotifyClient(t, e.dialNode(t, nodeHints(), poll))
			truth := newNotifyClient(t, e.dialNode(t, nodeHints(), poll))
			var actors []*notifyClient
			for range 2 {
				actor := newNotifyClient(t, e.dialNode(t, nodeHints(), poll))
				actor.do("SELECT INBOX")
				actors = append(actors, actor)
			}
			for _, line := range a.do(`LIST "" * RETURN (SUBSCRIBED STATUS (UIDNEXT MESSAGES UNSEEN))`) {
				a.apply(line)
			}
			a.do("SELECT INBOX")
			delete(a.count, "INBOX")
			for _, line := range a.do("NOTIFY SET (selected (MessageNew (UID FLAGS) MessageExpunge FlagChange)) " +
				"(personal (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange MailboxMetadataChange ServerMetadataChange))") {
				a.apply(line)
			}
			annotations := truth.annotations()
			level := func() string { return string(rune('a' + r.IntN(3))) }
			mailbox := func() string {
				name := "x" + level()
				for r.IntN(2) == 0 && len(name) < 9 {
					name += "/" + level()
				}
				return name
			}
			for round := range 12 {
				for range 25 {
					actor := pick(r, actors...)
					name := mailbox()
					command := pick(r, "CREATE "+name, "CREATE "+name, "DELETE "+name, "RENAME "+name+" "+mailbox(), "SUBSCRIBE "+name, "UNSUBSCRIBE "+name,
						"APPEND "+name+" {4+}\r\nabcd", `APPEND INBOX (\Seen) {4+}`+"\r\nabcd", "APPEND INBOX {4+}\r\nabcd",
						"UID COPY 1:* "+name, "UID STORE 1:* "+pick(r, "+", "-")+"FLAGS.SILENT ("+pick(r, `\Seen`, `\Deleted`, "work")+")",
						"UID STORE "+strconv.Itoa(1+r.IntN(20))+` +FLAGS.SILENT (\Deleted)`, "EXPUNGE", "UID MOVE 1:3 "+name, "NOOP",
						"SETMETADATA "+pick(r, "INBOX (/shared/a", "INBOX (/shared/b", "INBOX (/private/a", `"" (/private/a`, `"" (/private/b`)+pick(r, " NIL", ` "x"`, ` "y"`)+")")
					actor.try(command)
				}
				names, subscribed, count := truth.truth()
				truth.do("EXAMINE INBOX")
				uids, flags := truth.selectedTruth()
				truth.do("UNSELECT")
				changed := map[string]bool{}
				for entry, value := range truth.annotations() {
					if annotations[entry] != value {
						annotations[entry], changed[entry] = value, true
					}
				}
				what := fmt.Sprintf("round %d: names %v\nsubscribed %v\ncounts %v\nUIDs %v\nflags %v\nannotations %v\n", round, names, subscribed, count, uids, flags, changed)
				a.until(what, func() bool {
					return maps.Equal(a.names, names) && maps.Equal(a.subscribed, subscribed) && maps.Equal(a.count, count) && a.next == 0 && slices.Equal(a.uids, uids) && maps.Equal(a.flags, flags) &&
						!slices.ContainsFunc(slices.Collect(maps.Keys(changed)), func(entry string) bool { return !a.annotated[entry] })
				})
				clear(a.annotated)
			}
		})
	}
}

// try runs a command that may be refused.
func (c *notifyClient) try(command string) {
	c.t.Helper()
	c.n++
	tag := fmt.Sprintf("n%d", c.n)
	if _, err := c.conn.Write([]byte(tag + " " + command + "\r\n")); err != nil {
		c.t.Fatal(err)
	}
	for {
		if rest, ok := strings.CutPrefix(c.line(), tag+" "); ok {
			if strings.HasPrefix(rest, "BAD") {
				c.t.Fatalf("%s: %s", command, rest)
			}
			return
		}
	}
}

// NOTIFY's arguments, whatever they are, are read in bounded time, or refused.
func FuzzNotify(f *testing.F) {
	for _, s := range []string{
		"NONE", "SET STATUS (selected (MessageNew (uid body.peek[header.fields (from to)]) MessageExpunge)) (subtree Lists (MailboxName))",
		"SET (selected-delayed NONE) (mailboxes (a b \"c\") (MessageNew MessageExpunge FlagChange AnnotationChange))", "SET (personal ())",
		"SET (selected MessageNew (uid) MessageExpunge)", "SET (personal (MailboxMetadataChange)) (mailboxes x (ServerMetadataChange))", "SET (inboxes NONE) (subscribed (Foo))", "SET (subtree () NONE)",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		run, err := parseNotify(wire.NewParser([]byte(" " + s)))
		if err != nil {
			return
		}
		cmd := run.(*setNotify)
		if !cmd.set && (cmd.selected != nil || len(cmd.groups) > 0) {
			t.Errorf("NONE sets %+v", cmd)
		}
		for _, g := range cmd.groups {
			if m := g.events & messageEvents; m != 0 && m&(messageNew|messageExpunge) != messageNew|messageExpunge {
				t.Errorf("events %b", g.events)
			}
		}
	})
}
