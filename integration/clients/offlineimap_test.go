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

// offlineimap keeps a Maildir the same as the server, in both directions.
func offlineimap(t *testing.T, u *user) {
	program := need(t, "offlineimap")
	dir := t.TempDir()
	local := filepath.Join(dir, "mail")
	config := filepath.Join(dir, "offlineimaprc")
	sync := func() {
		t.Helper()
		host, port := hostPort(t, u.node().IMAP)
		write(t, config, fmt.Sprintf(`[general]
accounts = rookery
metadata = %s/metadata
maxsyncaccounts = 1

[Account rookery]
localrepository = local
remoterepository = remote

[Repository local]
type = Maildir
localfolders = %s

[Repository remote]
type = IMAP
remotehost = %s
remoteport = %s
remoteuser = %s
remotepass = %s
ssl = no
starttls = no
auth_mechanisms = PLAIN
maxconnections = 2
`, dir, local, host, port, u.name, nodes.Password))
		run(t, []string{"HOME=" + dir}, program, "-c", config, "-o", "-u", "basic")
	}
	inbox := maildir(filepath.Join(local, "INBOX"))

	u.deliver(letter("one"), letter("two"), letter("three"))
	sync()
	inbox.expect(t, "one []", "two []", "three []")
	inbox.checkBodies(t)

	inbox.flag(t, "one", "FRS")
	if err := os.Remove(inbox.find(t, "two")); err != nil {
		t.Fatal(err)
	}
	inbox.put(t, "1700000000.1_1.host", "S", letter("from here"))
	maildir(filepath.Join(local, "Travel")).put(t, "1700000000.2_1.host", "FS", letter("tickets"))
	sync()
	u.expect("INBOX", `one [\Answered \Flagged \Seen]`, "three []", `from here [\Seen]`)
	u.expect("Travel", `tickets [\Flagged \Seen]`)

	u.store("INBOX", "three", imap.StoreFlagsAdd, imap.FlagFlagged)
	u.store("INBOX", "from here", imap.StoreFlagsAdd, imap.FlagDeleted)
	u.deliver(letter("four"))
	sync()
	inbox.expect(t, "one [FRS]", "three [F]", "four []")

	before := u.mailbox("INBOX")
	for range 2 {
		sync()
	}
	if after := u.mailbox("INBOX"); !slices.Equal(after, before) {
		t.Errorf("synchronizing again changed\n%+v to\n%+v", before, after)
	}
}
