package clients

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/integration/nodes"
)

func TestMain(m *testing.M) {
	os.Exit(nodes.Main(m))
}

func TestClients(t *testing.T) {
	programs := []struct {
		name  string
		round func(t *testing.T, u *user)
	}{
		{"mbsync", mbsync},
		{"offlineimap", offlineimap},
		{"mutt", muttRound("mutt")},
		{"neomutt", muttRound("neomutt")},
		{"getmail", getmail},
		{"fetchmail", fetchmail},
		{"mpop", mpop},
		{"curl", curl},
		{"imaplib", imaplib},
		{"imapflow", imapflow},
		{"sieve-connect", sieveConnect},
		{"roundcube", roundcube},
	}
	c := nodes.NewCluster(t, nodes.Own{})
	c.Accounts(len(programs))
	a, b := c.Start(), c.Start()
	for i, p := range programs {
		t.Run(p.name, func(t *testing.T) {
			p.round(t, &user{t: t, name: fmt.Sprintf("user%d@example.test", i+1), nodes: [2]*nodes.Node{a, b}})
		})
	}
}

// crlf gives a message the line ends of the wire.
func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// letter is a message as somebody would send it, with a subject to know it by.
func letter(subject string) string {
	return crlf("From: Ada <ada@example.org>\nTo: you@example.test\nSubject: " + subject +
		"\nDate: Mon, 5 Oct 2026 10:00:00 +0200\nMessage-ID: <" + strings.ReplaceAll(subject, " ", ".") + "@example.org>\n\nThis is " + subject + ".\n.\nEnd.\n")
}
