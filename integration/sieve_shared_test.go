package integration

import (
	"testing"
	"time"
)

// TestSieveIntoSharedMailbox gives and takes rights by IMAP on one node while another one delivers into the mailbox by a script.
func TestSieveIntoSharedMailbox(t *testing.T) {
	const boss, user, within = "boss@example.test", "user@example.test", time.Minute
	s := newSieveSite(t, boss, user, "sender@elsewhere.test")
	s.script(user, `require ["fileinto", "imap4flags"]; fileinto :flags ["\\Seen", "\\Flagged"] "Other Users/boss@example.test/Team";`)
	owner := dialIMAP(t, s.a.IMAP, boss)
	ok := func(format string, args ...any) result {
		t.Helper()
		res, err := owner.cmd(format, args...)
		if err != nil || res.status != "OK" {
			t.Fatalf("%s: %+v, %v", format, res, err)
		}
		return res
	}
	ok("CREATE Team")
	s.send("sender@elsewhere.test", user, "none")
	s.wait(s.b, user, "INBOX", within, "none", "Your mail filter has an error")

	ok("SETACL Team %s lris", user)
	s.send("sender@elsewhere.test", user, "given")
	s.wait(s.b, boss, "Team", within, "given")
	s.wait(s.a, user, "Other Users/boss@example.test/Team", within, "given")
	ok("SELECT Team")
	if res := ok("FETCH 1 (FLAGS)"); len(res.untagged) != 1 || res.untagged[0] != `* 1 FETCH (FLAGS (\Seen))` {
		t.Errorf("%q", res.untagged)
	}

	ok("SETACL Team %s lr", user)
	s.send("sender@elsewhere.test", user, "taken")
	s.wait(s.b, user, "INBOX", within, "none", "taken")
	if got := s.wait(s.b, boss, "Team", within, "given"); len(got) != 1 {
		t.Errorf("the shared mailbox has %v", got)
	}
}
