package clients

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/integration/nodes"
)

// fetchmail brings mail to a delivery program: by IMAP and POP3, keeping and removing it at the server.
func fetchmail(t *testing.T, u *user) {
	program, shell := need(t, "fetchmail"), need(t, "sh")
	dir := t.TempDir()
	got := filepath.Join(dir, "got")
	deliver := filepath.Join(dir, "deliver")
	if err := os.WriteFile(deliver, []byte("#!"+shell+"\n{ cat; printf '\\0'; } >>"+got+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	fetch := func(protocol, addr, options string, want ...string) {
		t.Helper()
		host, port := hostPort(t, addr)
		config := filepath.Join(dir, "fetchmailrc")
		write(t, config, fmt.Sprintf("set no bouncemail\nset invisible\npoll %s protocol %s port %s uidl auth password\n user \"%s\" password \"%s\" sslproto '' mda \"%s\" %s\n",
			host, protocol, port, u.name, nodes.Password, deliver, options))
		if protocol == "IMAP" {
			write(t, config, strings.ReplaceAll(fmt.Sprintf("set no bouncemail\nset invisible\npoll %s protocol %s port %s auth password\n user \"%s\" password \"%s\" sslproto '' mda \"%s\" %s\n",
				host, protocol, port, u.name, nodes.Password, deliver, options), " uidl", ""))
		}
		write(t, got, "")
		// 1 is fetchmail's word for no mail.
		runAllowing(t, []int{1}, []string{"HOME=" + dir, "FETCHMAILHOME=" + dir}, program, "-f", config, "-N", "-v")
		b, err := os.ReadFile(got)
		if err != nil {
			t.Fatal(err)
		}
		var subjects []string
		for m := range strings.SplitSeq(strings.TrimSuffix(string(b), "\x00"), "\x00") {
			if m == "" {
				continue
			}
			_, rest, _ := strings.Cut(m, "\nSubject: ")
			subject, _, _ := strings.Cut(rest, "\n")
			subject = strings.TrimSuffix(subject, "\r")
			subjects = append(subjects, subject)
			body := letter(subject)
			if body = body[strings.Index(body, "\r\n\r\n"):]; !strings.HasSuffix(crlf(strings.ReplaceAll(m, "\r\n", "\n")), body) {
				t.Errorf("%s arrived as %q", subject, m)
			}
		}
		if !slices.Equal(subjects, want) {
			t.Fatalf("%s fetched %q, want %q", protocol, subjects, want)
		}
	}

	u.deliver(letter("one"), letter("two"))
	fetch("IMAP", u.nodes[0].IMAP, "keep", "one", "two")
	u.expect("INBOX", `one [\Seen]`, `two [\Seen]`)
	u.deliver(letter("three"))
	fetch("IMAP", u.nodes[1].IMAP, "keep", "three")
	// Kept mail is not fetched again by POP3 either, once its UIDL is known; TOP must give whole messages.
	fetch("POP3", u.nodes[0].POP3, "keep fetchall", "one", "two", "three")
	u.deliver(letter("four"))
	fetch("POP3", u.nodes[1].POP3, "keep", "four")
	fetch("POP3", u.nodes[0].POP3, "nokeep fetchall", "one", "two", "three", "four")
	u.expect("INBOX")
	u.deliver(letter("five"))
	fetch("IMAP", u.nodes[0].IMAP, "nokeep", "five")
	u.expect("INBOX")
}
