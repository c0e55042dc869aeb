package clients

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/rookery-mail/rookery/integration/nodes"
)

// mpop brings mail home by POP3: it sends RETR of all messages in one burst, keeps what it had by UIDL, and deletes.
func mpop(t *testing.T, u *user) {
	program := need(t, "mpop")
	dir := t.TempDir()
	local := maildir(filepath.Join(dir, "mail"))
	for _, sub := range []string{"cur", "new", "tmp"} {
		if err := os.MkdirAll(filepath.Join(string(local), sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	fetch := func(addr, keep string) {
		t.Helper()
		host, port := hostPort(t, addr)
		config := filepath.Join(dir, "mpoprc")
		write(t, config, fmt.Sprintf("account default\nhost %s\nport %s\ntls off\nauth user\nuser %s\npassword %s\npipelining on\nkeep %s\nreceived_header off\ndelivery maildir %s\nuidls_file %s\n",
			host, port, u.name, nodes.Password, keep, local, filepath.Join(dir, "uidls")))
		if err := os.Chmod(config, 0o600); err != nil {
			t.Fatal(err)
		}
		run(t, []string{"HOME=" + dir}, program, "--file", config)
	}
	var want []string
	var letters []string
	for i := range 100 {
		subject := fmt.Sprintf("letter %d", i)
		letters, want = append(letters, letter(subject)), append(want, subject+" []")
	}
	u.deliver(letters...)
	fetch(u.nodes[0].POP3, "on")
	local.expect(t, want...)
	u.deliver(letter("late"))
	fetch(u.nodes[1].POP3, "on") // the unique-ids are those the other node gave
	want = append(want, "late []")
	local.expect(t, want...)
	local.checkBodies(t)
	fetch(u.nodes[0].POP3, "off")
	local.expect(t, want...)
	u.expect("INBOX")
}
