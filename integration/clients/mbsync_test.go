package clients

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/emersion/go-imap/v2"

	"github.com/rookery-mail/rookery/integration/nodes"
)

// mbsync keeps a Maildir the same as the server, in both directions.
func mbsync(t *testing.T, u *user) {
	program := need(t, "mbsync")
	dir := t.TempDir()
	local := filepath.Join(dir, "mail")
	if err := os.Mkdir(local, 0o700); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "mbsyncrc")
	sync := func() string {
		t.Helper()
		host, port := hostPort(t, u.node().IMAP)
		write(t, config, fmt.Sprintf(`IMAPAccount rookery
Host %s
Port %s
User %s
Pass "%s"
SSLType None
AuthMechs PLAIN

IMAPStore far
Account rookery

MaildirStore near
Path %s/
Inbox %s/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Remove Both
Expunge Both
SyncState *
`, host, port, u.name, nodes.Password, local, local))
		return run(t, nil, program, "-V", "-c", config, "-a")
	}
	inbox := maildir(filepath.Join(local, "INBOX"))

	u.deliver(letter("one"), letter("two"), letter("three"))
	sync()
	inbox.expect(t, "one []", "two []", "three []")
	inbox.checkBodies(t)

	// What happened here goes there: flags, a removal, a new message, a new mailbox.
	inbox.flag(t, "one", "FRS")
	if err := os.Remove(inbox.find(t, "two")); err != nil {
		t.Fatal(err)
	}
	inbox.put(t, "1700000000.1_1.host", "S", letter("from here"))
	maildir(filepath.Join(local, "Travel", "Günther")).put(t, "1700000000.2_1.host", "FS", letter("tickets"))
	sync()
	u.expect("INBOX", `one [\Answered \Flagged \Seen]`, "three []", `from here [\Seen]`)
	u.expect("Travel/Günther", `tickets [\Flagged \Seen]`)

	// What happened there comes here.
	u.store("INBOX", "three", imap.StoreFlagsAdd, imap.FlagFlagged)
	u.store("INBOX", "from here", imap.StoreFlagsAdd, imap.FlagDeleted)
	c := u.dial()
	if err := c.Delete("Travel/Günther").Wait(); err != nil {
		t.Fatal(err)
	}
	u.deliver(letter("four"))
	sync()
	inbox.expect(t, "one [FRS]", "three [F]", "four []")

	// Nothing is left to do, whichever node is asked.
	before := u.mailbox("INBOX")
	for range 2 {
		sync()
	}
	if after := u.mailbox("INBOX"); !slices.Equal(after, before) {
		t.Errorf("synchronizing again changed\n%+v to\n%+v", before, after)
	}
}
