package servers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// StartPostfix returns a Postfix of the test's own and its SMTP address. It takes mail for domain and hands it to the LMTP
// server at lmtp (HOST:PORT). Only root can run it.
func StartPostfix(t testing.TB, domain, lmtp string) (*Process, string) {
	t.Helper()
	if find("postfix", "/usr/sbin/postfix") == "" {
		missing(t, "Postfix: not installed (apt-get install postfix)")
	}
	if os.Geteuid() != 0 {
		missing(t, "Postfix: only root can start it")
	}
	dir, err := tempDir("postfix", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { // its daemons run as another user
		t.Fatal(err)
	}
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	host, lmtpPort, _ := strings.Cut(lmtp, ":")
	config := filepath.Join(dir, "config")
	for _, d := range []string{"config", "queue", "data"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("chown", "postfix", filepath.Join(dir, "data")).CombinedOutput(); err != nil {
		t.Fatalf("chown: %v: %s", err, out)
	}
	write := func(name, content string) {
		if err := os.WriteFile(filepath.Join(config, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("main.cf", fmt.Sprintf(`compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/data
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.example.org
mydestination =
mynetworks = 127.0.0.0/8
inet_protocols = ipv4
inet_interfaces = loopback-only
alias_maps =
alias_database =
local_recipient_maps =
virtual_mailbox_domains = %[2]s
virtual_mailbox_maps = static:x
virtual_transport = lmtp:inet:[%[3]s]:%[4]s
relay_transport = error:no relaying
default_transport = error:no relaying
smtputf8_enable = yes
minimal_backoff_time = 1s
maximal_backoff_time = 5s
queue_run_delay = 1s
lmtp_destination_concurrency_limit = 8
lmtp_send_xforward_command = yes
maillog_file_prefixes = %[1]s
maillog_file = %[1]s/maillog
`, dir, domain, host, lmtpPort))
	write("master.cf", fmt.Sprintf(`%s inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
lmtp unix - - n - - lmtp
smtp unix - - n - - smtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
showq unix n - n - - showq
`, addr))
	if out, err := exec.Command(find("postfix", "/usr/sbin/postfix"), "-c", config, "check").CombinedOutput(); err != nil {
		t.Fatalf("postfix check: %v: %s", err, out)
	}
	p := &Process{
		name: "Postfix", dir: dir,
		// Not through "postfix start-fg": that makes a session of its own, which would outlive the test.
		argv:  []string{find("master", "/usr/lib/postfix/sbin/master", "/usr/libexec/postfix/master"), "-c", config, "-d"},
		ready: dial(addr),
	}
	if err := p.Start(); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "maillog"))
		t.Fatalf("%v\n%s", err, log)
	}
	t.Cleanup(p.Close)
	return p, addr
}

// Queued returns how many messages a Postfix has in its queue.
func (p *Process) Queued() (n int, err error) {
	for _, queue := range []string{"maildrop", "incoming", "active", "deferred"} {
		err := filepath.WalkDir(filepath.Join(p.dir, "queue", queue), func(_ string, e os.DirEntry, err error) error {
			if err == nil && e.Type().IsRegular() {
				n++
			}
			if os.IsNotExist(err) { // it was delivered just now
				return nil
			}
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	return n, nil
}

// Log returns the end of what the server logged.
func (p *Process) Log() string {
	log, err := os.ReadFile(filepath.Join(p.dir, "maillog"))
	if err != nil {
		return p.lastLog()
	}
	return string(log[max(0, len(log)-4000):])
}
