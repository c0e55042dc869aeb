package clients

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-smtp"

	"github.com/rookery-mail/rookery/integration/nodes"
)

// user is an account, and the nodes that serve it.
type user struct {
	t     *testing.T
	name  string
	nodes [2]*nodes.Node
	turn  int
}

// node returns one node and the other in turn.
func (u *user) node() *nodes.Node {
	u.turn++
	return u.nodes[u.turn%2]
}

// hostPort splits an address for programs that want its parts.
func hostPort(t *testing.T, addr string) (host, port string) {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}

// deliver brings messages into INBOX by LMTP.
func (u *user) deliver(messages ...string) {
	u.t.Helper()
	conn, err := net.Dial("tcp", u.node().LMTP)
	if err != nil {
		u.t.Fatal(err)
	}
	c := smtp.NewClientLMTP(conn)
	defer c.Close()
	for _, m := range messages {
		if err := c.Mail("ada@example.org", nil); err != nil {
			u.t.Fatal(err)
		}
		if err := c.Rcpt(u.name, nil); err != nil {
			u.t.Fatal(err)
		}
		w, err := c.Data()
		if err != nil {
			u.t.Fatal(err)
		}
		if _, err := w.Write([]byte(m)); err != nil {
			u.t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			u.t.Fatal(err)
		}
	}
}

// dial logs in through the next node.
func (u *user) dial() *imapclient.Client {
	u.t.Helper()
	c, err := imapclient.DialInsecure(u.node().IMAP, nil)
	if err != nil {
		u.t.Fatal(err)
	}
	u.t.Cleanup(func() { c.Close() })
	if err := c.Login(u.name, nodes.Password).Wait(); err != nil {
		u.t.Fatal(err)
	}
	return c
}

// stored is a message as the server has it.
type stored struct {
	uid     imap.UID
	flags   string // sorted, one space between, without \Recent
	subject string
	raw     string
}

// mailbox returns a mailbox's messages by UID, and fails unless both nodes have the same.
func (u *user) mailbox(name string) []stored {
	u.t.Helper()
	one, other := u.read(name), u.read(name)
	if !slices.Equal(one, other) {
		u.t.Fatalf("the nodes differ on %s:\n%+v\n%+v", name, one, other)
	}
	return one
}

func (u *user) read(name string) []stored {
	u.t.Helper()
	c := u.dial()
	defer c.Close()
	data, err := c.Select(name, &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil {
		u.t.Fatalf("SELECT %s: %v", name, err)
	}
	if data.NumMessages == 0 {
		return nil
	}
	whole := &imap.FetchItemBodySection{Peek: true}
	got, err := c.Fetch(imap.SeqSet{{Start: 1, Stop: 0}}, &imap.FetchOptions{
		UID: true, Flags: true, Envelope: true, BodySection: []*imap.FetchItemBodySection{whole},
	}).Collect()
	if err != nil {
		u.t.Fatal(err)
	}
	all := make([]stored, len(got))
	for i, m := range got {
		var flags []string
		for _, f := range m.Flags {
			if !strings.EqualFold(string(f), `\Recent`) {
				flags = append(flags, string(f))
			}
		}
		slices.Sort(flags)
		all[i] = stored{m.UID, strings.Join(flags, " "), m.Envelope.Subject, string(m.FindBodySection(whole))}
	}
	return all
}

// expect fails unless a mailbox has messages with these subjects and flags, "subject [flags]" each, in any order.
func (u *user) expect(mailbox string, want ...string) []stored {
	u.t.Helper()
	all := u.mailbox(mailbox)
	got := make([]string, len(all))
	for i, m := range all {
		got[i] = fmt.Sprintf("%s [%s]", m.subject, m.flags)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		u.t.Fatalf("%s has\n%q, want\n%q", mailbox, got, want)
	}
	return all
}

// store changes the flags of the messages with a subject, as another client would.
func (u *user) store(mailbox, subject string, op imap.StoreFlagsOp, flags ...imap.Flag) {
	u.t.Helper()
	c := u.dial()
	defer c.Close()
	if _, err := c.Select(mailbox, nil).Wait(); err != nil {
		u.t.Fatal(err)
	}
	found, err := c.UIDSearch(&imap.SearchCriteria{Header: []imap.SearchCriteriaHeaderField{{Key: "Subject", Value: subject}}}, nil).Wait()
	if err != nil {
		u.t.Fatal(err)
	}
	if len(found.AllUIDs()) == 0 {
		u.t.Fatalf("%s has no message %q", mailbox, subject)
	}
	if err := c.Store(imap.UIDSetNum(found.AllUIDs()...), &imap.StoreFlags{Op: op, Flags: flags}, nil).Close(); err != nil {
		u.t.Fatal(err)
	}
	if slices.Contains(flags, imap.FlagDeleted) {
		if err := c.Expunge().Close(); err != nil {
			u.t.Fatal(err)
		}
	}
}

func uidText(uid imap.UID) string { return strconv.FormatUint(uint64(uid), 10) }

// need returns the path of a program.
func need(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("SKIPPED: %s is not installed", name)
	}
	return path
}

// run runs a program for at most five minutes, of which one that fetches packages may need some, and returns what it printed. It
// fails unless the exit code is one of those allowed; none means 0.
func run(t *testing.T, env []string, path string, args ...string) string {
	t.Helper()
	return runAllowing(t, nil, env, path, args...)
}

func runAllowing(t *testing.T, codes []int, env []string, path string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	if err != nil && !slices.Contains(codes, cmd.ProcessState.ExitCode()) {
		t.Fatalf("%s %s: %v\n%s", path, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// write writes a file that only its owner reads, as programs want their configurations.
func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
