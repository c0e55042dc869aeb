package clients

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/rookery-mail/rookery/integration/nodes"
)

// muttRound makes the round of mutt or neomutt: a letter is sent and kept in Sent, mail is read, flagged, answered, filed and
// deleted. The keys are pressed by mutt's own push, on a terminal that script(1) makes.
func muttRound(name string) func(*testing.T, *user) {
	return func(t *testing.T, u *user) {
		program, terminal := need(t, name), need(t, "script")
		dir := t.TempDir()
		config := filepath.Join(dir, "muttrc")
		body := filepath.Join(dir, "body")
		write(t, body, "Hello from a terminal.\n")
		configure := func(keys string) {
			t.Helper()
			write(t, config, fmt.Sprintf(`set folder = "imap://%s/"
set imap_user = "%s"
set imap_pass = "%s"
set spoolfile = "+INBOX"
set record = "+Sent"
set postponed = "+Drafts"
unset ssl_starttls
unset ssl_force_tls
set sendmail = "/bin/true"
set from = "%s"
set copy = yes
set confirmcreate = no
set confirmappend = no
set delete = yes
set quit = yes
set wait_key = no
set mark_old = no
set sort = mailbox-order
set header_cache = "%s"
set fast_reply
set include = no
set editor = "/bin/true"
set abort_unmodified = no
set autoedit
set pager = "/bin/cat"
unset prompt_after
%s
`, u.node().IMAP, u.name, nodes.Password, u.name, filepath.Join(dir, "cache"), keys))
		}
		press := func(keys string) string {
			t.Helper()
			configure(`push "` + keys + `"`)
			return run(t, []string{"HOME=" + dir, "TERM=vt100", "LINES=40", "COLUMNS=120"}, terminal, "-qec",
				fmt.Sprintf("%s -F %s -f +INBOX", program, config), "/dev/null")
		}

		// Sending keeps a copy on the server; neomutt does so only on a terminal.
		configure("")
		if name == "mutt" {
			out := run(t, []string{"HOME=" + dir, "TERM=vt100"}, terminal, "-qec",
				fmt.Sprintf("%s -F %s -s 'sent copy' ada@example.org < %s", program, config, body), "/dev/null")
			if all := u.mailbox("Sent"); len(all) != 1 || all[0].subject != "sent copy" {
				t.Fatalf("Sent has %+v; %s said\n%s", all, name, out)
			}
		}

		u.deliver(letter("one"), letter("two"), letter("three"), letter("four"))
		// Read one, flag two, file three in a mailbox that does not exist yet (TRYCREATE), delete four; then quit.
		press(`<first-entry><display-message><next-entry><flag-message>` +
			`<limit>~s three<enter><save-message>+Travel<enter><limit>~A<enter>` +
			`<last-entry><delete-message><quit>`)
		u.expect("INBOX", `one [\Seen]`, `two [\Flagged]`)
		u.expect("Travel", "three []")

		// A search on the server, a reply, and everything tagged and filed at once.
		u.deliver(letter("five"))
		press(`<limit>=b one<enter><first-entry><flag-message><limit>~A<enter>` +
			`<first-entry><reply><enter><enter><send-message><quit>`)
		u.expect("INBOX", `one [\Answered \Flagged \Seen]`, `two [\Flagged]`, "five []")
		press(`<tag-pattern>~A<enter><tag-prefix><save-message>+Travel<enter><quit>`)
		u.expect("INBOX")
		u.expect("Travel", "three []", `one [\Answered \Flagged \Seen]`, `two [\Flagged]`, "five []")
	}
}
