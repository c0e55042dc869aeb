package clients

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/rookery-mail/rookery/integration/nodes"
)

// getmail brings mail home: by IMAP, remembering what it has, and by POP3, which deletes it at the server.
func getmail(t *testing.T, u *user) {
	program := need(t, "getmail")
	dir := t.TempDir()
	local := maildir(filepath.Join(dir, "mail"))
	local.put(t, "1.1.host", "S", letter("already here"))
	deliver := filepath.Join(dir, "deliver")
	if err := os.WriteFile(deliver, []byte("#!/bin/sh\nexec cat >\"$(mktemp "+string(local)+"/new/XXXXXXXX)\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	fetch := func(retriever, addr, more string) {
		t.Helper()
		host, port := hostPort(t, addr)
		config := filepath.Join(dir, "getmailrc")
		write(t, config, fmt.Sprintf(`[retriever]
type = %s
server = %s
port = %s
username = %s
password = %s
%s
[destination]
type = MDA_external
path = %s
allow_root_commands = true

[options]
message_log = %s/log
read_all = false
delete = %t
delivered_to = false
received = false
`, retriever, host, port, u.name, nodes.Password, more, deliver, dir, retriever == "SimplePOP3Retriever"))
		write(t, filepath.Join(dir, "log"), "")
		run(t, []string{"HOME=" + dir}, program, "--getmaildir", dir, "--rcfile", config)
	}

	u.deliver(letter("one"), letter("two"))
	// getmail knows a server by its address, so the nodes have one.
	imap := nodes.Balancer(t, u.nodes[0].IMAP, u.nodes[1].IMAP)
	fetch("SimpleIMAPRetriever", imap, `mailboxes = ("INBOX",)`)
	local.expect(t, "already here [S]", "one []", "two []")
	u.deliver(letter("three"))
	// The other node gives the same UIDs: only what is new is fetched.
	fetch("SimpleIMAPRetriever", imap, `mailboxes = ("INBOX",)`)
	fetch("SimpleIMAPRetriever", imap, `mailboxes = ("INBOX",)`)
	local.expect(t, "already here [S]", "one []", "two []", "three []")
	local.checkBodies(t)

	fetch("SimplePOP3Retriever", u.nodes[0].POP3, "")
	u.expect("INBOX")
	local.expect(t, "already here [S]", "one []", "two []", "three []", "one []", "two []", "three []")
	local.checkBodies(t)
}
