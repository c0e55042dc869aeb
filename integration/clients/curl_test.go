package clients

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/integration/nodes"
)

// curl is what scripts use.
func curl(t *testing.T, u *user) {
	program := need(t, "curl")
	dir := t.TempDir()
	curl := func(path string, args ...string) string {
		t.Helper()
		return crlf(strings.ReplaceAll(run(t, nil, program, append([]string{"-sS", "--user", u.name + ":" + nodes.Password,
			"imap://" + u.node().IMAP + path}, args...)...), "\r\n", "\n"))
	}
	contains := func(what, got string, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%s: %q lacks %q", what, got, w)
			}
		}
	}

	u.deliver(letter("one"), letter("two"))
	contains("LIST", curl("/"), `"/" INBOX`)
	contains("FETCH by number", curl("/INBOX;MAILINDEX=1"), letter("one")[len("From: Ada"):])
	uid := u.mailbox("INBOX")[1].uid
	contains("FETCH by UID", curl("/INBOX;UID="+uidText(uid)), "This is two.\r\n.\r\nEnd.\r\n")
	contains("one section", curl("/INBOX;UID="+uidText(uid)+";SECTION=HEADER.FIELDS%20(SUBJECT)"), "Subject: two\r\n\r\n")
	contains("SEARCH", curl("/INBOX?SUBJECT%20two"), "* SEARCH 2\r\n")
	contains("TLS", run(t, nil, program, "-sSk", "--user", u.name+":"+nodes.Password, "imaps://"+u.node().IMAPS+"/INBOX?ALL"), "* SEARCH 1 2")
	contains("STARTTLS", run(t, nil, program, "-sSk", "--ssl-reqd", "--user", u.name+":"+nodes.Password, "imap://"+u.node().IMAP+"/INBOX?ALL"), "* SEARCH 1 2")

	file := filepath.Join(dir, "letter")
	write(t, file, letter("uploaded"))
	curl("/INBOX", "-T", file)
	curl("/", "-X", "CREATE Travel")
	curl("/INBOX", "-X", "STORE 1 +FLAGS (\\Flagged $Work)")
	curl("/INBOX", "-X", "UID COPY "+uidText(uid)+" Travel")
	curl("/INBOX", "-X", "STORE 2 +FLAGS.SILENT \\Deleted")
	curl("/INBOX", "-X", "EXPUNGE")
	u.expect("INBOX", `one [$Work \Flagged \Seen]`, `uploaded [\Seen]`)
	u.expect("Travel", `two [\Seen]`)
	contains("POP3", run(t, nil, program, "-sS", "--user", u.name+":"+nodes.Password, "pop3://"+u.node().POP3+"/1"), "This is one.")
}
