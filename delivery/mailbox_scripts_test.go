package delivery_test

import (
	"testing"

	"github.com/rookery-mail/rookery/delivery"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// TestMailboxScripts is RFC 6785 section 2.3.1: a mailbox's annotation names the script, else the server's does.
func TestMailboxScripts(t *testing.T) {
	e := newEnv(t)
	id := e.account("user@example.org", "")
	for _, name := range []string{"one", "two"} {
		e.must(e.meta.PutScript(t.Context(), metadata.AccountScripts(id), name, `require ["imapsieve", "imap4flags"]; addflag "`+name+`";`, metadata.ScriptLimits{}))
	}
	e.must(e.meta.PutScript(t.Context(), metadata.AccountScripts(id), "broken", `require ["imapsieve", "vacation"]; vacation "x";`, metadata.ScriptLimits{}))
	set := func(mailbox, script string) {
		t.Helper()
		if mailbox != "" {
			e.mailboxOf(id, mailbox, "")
		}
		e.must(e.store.User(id).SetAnnotations(t.Context(), mailbox, []mailstore.Annotation{{Entry: "/shared/imapsieve/script", Value: []byte(script)}},
			mailstore.SetAnnotationsOptions{Administrator: true}))
	}
	set("", "two")
	set("A", "one")
	set("B", "")
	set("C", "nothing")
	set("D", "broken")
	ev := e.events(delivery.EventsConfig{MailboxScripts: true}, nil)
	if !ev.WantsFlags() {
		t.Error("mailboxes with scripts want no FLAG")
	}
	for _, name := range []string{"A", "B", "C", "D", "E"} {
		ev.Happened(e.appendTo(id, name, mail(name), 0))
	}
	done(t, ev)
	e.wantContent(id, "A: A [one]; B: B; C: C; D: D; E: E [two]; INBOX: Your mail filter has an error")
}
