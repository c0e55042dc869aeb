package delivery_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/delivery"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

func TestNoScripts(t *testing.T) {
	e := newEnv(t)
	u := e.account("user@example.org", "")
	e.send(mail("one"), "user@example.org")
	e.wantContent(u, "INBOX: one")
}

func TestStandardScript(t *testing.T) {
	for name, c := range map[string]struct{ fields, want string }{
		"not spam":       {"X-Spam: no", "INBOX: m"},
		"marked":         {"x-spam: YES", "Junk: m"},
		"flagged":        {"X-Spam-Flag: YES", "Junk: m"},
		"score":          {"X-Spam-Score: 6.1", "Junk: m"},
		"score at limit": {"X-Spam-Score: 6", "Junk: m"},
		"low score":      {"X-Spam-Score: 5.9", "INBOX: m"},
		"negative":       {"X-Spam-Score: -3.2", "INBOX: m"},
		"no score":       {"X-Spam-Score: none", "INBOX: m"},
		"in the body":    {"\r\nX-Spam: yes", "INBOX: m"},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			u := e.account("user@example.org", "")
			e.send(mail("m", c.fields), "user@example.org")
			e.wantContent(u, c.want)
		})
	}
	t.Run("renamed", func(t *testing.T) {
		e := newEnv(t)
		u := e.account("user@example.org", `require "fileinto"; fileinto "Sent";`)
		err := e.store.User(u).Rename(t.Context(), "Junk", "Müll")
		e.must(err)
		e.send(mail("m", "X-Spam: yes"), "user@example.org") // the account's script does not see it
		e.wantContent(u, "Müll: m")
	})
	t.Run("made at need", func(t *testing.T) {
		e := newEnv(t)
		u := e.account("user@example.org", "")
		err := e.store.User(u).Delete(t.Context(), "Junk")
		e.must(err)
		e.send(mail("m", "X-Spam: yes"), "user@example.org")
		e.send(mail("n", "X-Spam: yes"), "user@example.org")
		e.wantContent(u, "Junk: m, n")
		m, err := e.store.User(u).Mailbox(t.Context(), "Junk")
		e.must(err)
		if m.SpecialUse != `\Junk` {
			t.Errorf("special use %q", m.SpecialUse)
		}
	})
	t.Run("off", func(t *testing.T) {
		e := newEnv(t)
		u := e.account("user@example.org", "")
		e.node = e.newNode(func(c *delivery.Config) { c.Spam.Off = true })
		e.send(mail("m", "X-Spam: yes"), "user@example.org")
		e.wantContent(u, "INBOX: m")
	})
	t.Run("replaced", func(t *testing.T) {
		e := newEnv(t)
		u := e.account("user@example.org", "")
		e.script(metadata.AdminScripts(metadata.ScriptsBefore, ""), "spam", `require "fileinto"; if header "X-Spam" "maybe" { fileinto "Trash"; }`)
		e.send(mail("m", "X-Spam: yes"), "user@example.org")
		e.send(mail("n", "X-Spam: maybe"), "user@example.org")
		e.wantContent(u, "INBOX: m; Trash: n")
	})
}

// TestActions runs scripts for one recipient beside another without any.
func TestActions(t *testing.T) {
	for name, c := range map[string]struct{ script, want string }{
		"keep with flags":      {`require "imap4flags"; keep :flags ["\\Seen", "\\Flagged", "$Label1"];`, "INBOX: m (seen)(flagged)[$Label1]"},
		"fileinto":             {`require "fileinto"; fileinto "Archive";`, "Archive: m"},
		"fileinto copy":        {`require ["fileinto", "copy"]; fileinto :copy "Archive";`, "Archive: m; INBOX: m"},
		"several":              {`require ["fileinto", "copy"]; fileinto "Archive"; fileinto "Trash"; keep;`, "Archive: m; INBOX: m; Trash: m"},
		"missing":              {`require "fileinto"; fileinto "No such";`, "INBOX: m, Your mail filter has an error"},
		"create":               {`require ["fileinto", "mailbox"]; fileinto :create "Lists/Go";`, "Lists/Go: m"},
		"create nonsense":      {`require ["fileinto", "mailbox"]; fileinto :create "a//b";`, "INBOX: m, Your mail filter has an error"},
		"special use":          {`require ["fileinto", "special-use"]; fileinto :specialuse "\\Archive" "nowhere";`, "Archive: m"},
		"mailbox exists":       {`require ["fileinto", "mailbox"]; if mailboxexists ["Archive", "Trash"] { fileinto "Trash"; }`, "Trash: m"},
		"discard":              {`discard;`, ""},
		"edited":               {`require ["editheader", "fileinto"]; deleteheader "Subject"; addheader "Subject" "new"; fileinto "Archive"; keep;`, "Archive: new; INBOX: new"},
		"envelope and address": {`require ["envelope", "fileinto", "subaddress"]; if allof (envelope "from" "sender@example.net", envelope :detail "to" "x") { fileinto "Archive"; }`, "Archive: m"},
		"body":                 {`require ["body", "fileinto"]; if body :contains "hello" { fileinto "Archive"; }`, "Archive: m"},
		"spamtest":             {`require ["spamtest", "fileinto", "relational", "comparator-i;ascii-numeric"]; if spamtest :value "ge" :comparator "i;ascii-numeric" "5" { fileinto "Archive"; }`, "Archive: m"},
		"environment":          {`require ["environment", "fileinto"]; if environment "location" "MDA" { fileinto "Archive"; }`, "Archive: m"},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			u, other := e.account("user@example.org", c.script), e.account("other@example.org", "")
			e.send(mail("m", "X-Spam-Score: 4"), "user+x@example.org", "other@example.org")
			e.wantContent(u, c.want)
			e.wantContent(other, "INBOX: m")
		})
	}
}

func TestSeveralMailboxesOneBody(t *testing.T) {
	e := newEnv(t)
	u := e.account("user@example.org", `require "fileinto"; fileinto "Archive"; fileinto "Trash"; keep;`)
	e.send(mail("m"), "user@example.org")
	ids := map[metadata.BodyID]bool{}
	for _, name := range []string{"INBOX", "Archive", "Trash"} {
		m, err := e.store.User(u).Mailbox(t.Context(), name)
		e.must(err)
		_, msgs, err := e.meta.LoadMailbox(t.Context(), m.ID)
		e.must(err)
		ids[msgs[0].Body] = true
	}
	if len(ids) != 1 {
		t.Errorf("%d bodies", len(ids))
	}
}

// TestAdministratorsScripts runs all places in their order and an include of a shared script.
func TestAdministratorsScripts(t *testing.T) {
	e := newEnv(t)
	mark := func(word string) string {
		return `require ["imap4flags", "include"]; addflag "` + word + `";`
	}
	e.script(metadata.AdminScripts(metadata.ScriptsShared, ""), "lib", `require "imap4flags"; if hasflag "personal" { addflag "lib-after-personal"; }`)
	e.script(metadata.AdminScripts(metadata.ScriptsBefore, ""), "a", mark("before"))
	e.script(metadata.AdminScripts(metadata.ScriptsBefore, "example.org"), "a", mark("domain-before"))
	e.script(metadata.AdminScripts(metadata.ScriptsAfter, "example.org"), "a", `require "imap4flags"; if hasflag "personal" { addflag "domain-after"; }`)
	e.script(metadata.AdminScripts(metadata.ScriptsAfter, ""), "a", mark("after"))
	u := e.account("user@example.org", mark("personal")+` include :global "lib";`)
	other := e.account("user@example.com", "")
	e.send(mail("m"), "user@example.org", "user@example.com")
	e.wantContent(u, "INBOX: m [after before domain-after domain-before lib-after-personal personal]")
	e.wantContent(other, "INBOX: m [after before]")

	e.script(metadata.AdminScripts(metadata.ScriptsAfter, ""), "a", `discard;`)
	e.send(mail("n"), "user@example.com")
	e.wantContent(other, "INBOX: m [after before]")
	e.script(metadata.AdminScripts(metadata.ScriptsBefore, "example.org"), "a", `this is no script`)
	e.must(e.meta.ActivateScript(t.Context(), metadata.AdminScripts(metadata.ScriptsAfter, ""), ""))
	e.send(mail("o"), "user@example.org") // the others still run
	if got := e.content(u); !strings.HasSuffix(got, "o [before domain-after lib-after-personal personal]") {
		t.Error(got)
	}
	sc, err := e.meta.Script(t.Context(), metadata.AdminScripts(metadata.ScriptsBefore, "example.org"), "a")
	e.must(err)
	if sc.Error.Errors == 0 {
		t.Error("the error was not stored")
	}
}

// TestChangesReachOtherNodes changes scripts after two nodes have compiled them.
func TestChangesReachOtherNodes(t *testing.T) {
	e := newEnv(t)
	owner := func(u metadata.AccountID) metadata.ScriptOwner { return metadata.AccountScripts(u) }
	u := e.account("user@example.org", `require "include"; include "part";`)
	nodes := []*delivery.Deliverer{e.newNode(nil), e.newNode(nil)}
	for _, word := range []string{"a", "b"} {
		e.must(e.meta.PutScript(t.Context(), owner(u), "part", `require "imap4flags"; addflag "`+word+`";`, metadata.ScriptLimits{}))
		for _, n := range nodes {
			e.must(e.deliver(n, "s@example.net", mail("m"), "user@example.org")[0])
		}
	}
	e.must(e.meta.ActivateScript(t.Context(), owner(u), ""))
	for _, n := range nodes {
		e.must(e.deliver(n, "s@example.net", mail("m"), "user@example.org")[0])
	}
	e.wantContent(u, "INBOX: m [a], m [a], m [b], m [b], m, m")
}

// TestFaultyScripts keeps the message whatever a script does, stores the error, and tells the owner once.
func TestFaultyScripts(t *testing.T) {
	for name, script := range map[string]string{
		"syntax":      `this is no script`,
		"run time":    `require ["fileinto", "include"]; fileinto "Trash"; include "no such";`,
		"no server":   "redirect \"a@example.com\";",
		"endless":     `require ["include"]; include :optional "main"; include "main";`,
		"not known":   `require "nonsense";`,
		"other ihave": `require ["ihave"]; if not ihave "nonsense" { error "no nonsense"; }`,
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			e.node = e.newNode(func(c *delivery.Config) {
				c.Queue = &queue{meta: e.meta}
				c.Now = func() time.Time { e.now = e.now.Add(time.Minute); return e.now }
			})
			u := e.account("user@example.org", script)
			e.send(mail("m"), "user@example.org")
			e.send(mail("n"), "user@example.org")
			e.wantContent(u, "INBOX: m, Your mail filter has an error, n")
			sc, err := e.meta.Script(t.Context(), metadata.AccountScripts(u), "main")
			e.must(err)
			if sc.Error.Errors != 2 || sc.Error.Text == "" {
				t.Errorf("%+v", sc.Error)
			}
			if told := e.text(u, "INBOX", 2); !strings.Contains(told, `"main"`) || !strings.Contains(told, "Auto-Submitted") {
				t.Error(told)
			}
		})
	}
}

// TestErrorOfChangedScript mends a faulty script badly within the time in which one script's errors are not written again.
func TestErrorOfChangedScript(t *testing.T) {
	e := newEnv(t)
	u := e.account("user@example.org", "")
	for _, word := range []string{"first", "second"} {
		e.script(metadata.AccountScripts(u), "main", `require "ihave"; error "`+word+`";`)
		e.send(mail(word), "user@example.org")
		e.send(mail(word+" again"), "user@example.org")
		sc, err := e.meta.Script(t.Context(), metadata.AccountScripts(u), "main")
		e.must(err)
		if sc.Error.Errors != 1 || !strings.Contains(sc.Error.Text, word) {
			t.Errorf("after the %s fault: %+v", word, sc.Error)
		}
	}
	e.wantContent(u, "INBOX: first, Your mail filter has an error, first again, second, Your mail filter has an error, second again")
}

// TestDelimiterOfDomain splits addresses as their domain says, not as others do.
func TestDelimiterOfDomain(t *testing.T) {
	e := newEnv(t)
	for _, d := range []metadata.Domain{{Name: "dash.example", Delimiter: "-"}, {Name: "none.example", Delimiter: "none"}, {Name: "alias.example", AliasOf: "dash.example"}} {
		e.must(e.meta.SetDomain(t.Context(), d))
	}
	script := `require ["envelope", "subaddress", "imap4flags", "variables"];
		if envelope :detail :matches "to" "*" { addflag "d-${1}"; }
		if envelope :user :matches "to" "*" { addflag "u-${1}"; }`
	plus := e.account("user@example.org", script)
	dash := e.account("user@dash.example", script)
	none := e.account("user+x-y@none.example", script)
	e.send(mail("m"), "user+x-y@example.org", "user-x+y@dash.example", "user+x-y@none.example")
	e.send(mail("n"), "user-z@alias.example")
	e.wantContent(plus, "INBOX: m [d-x-y u-user]")
	e.wantContent(dash, "INBOX: m [d-x+y u-user], n [d-z u-user]")
	e.wantContent(none, "INBOX: m [u-user+x-y]")
}

func TestReject(t *testing.T) {
	e := newEnv(t)
	reject := "require \"reject\"; reject \"I do not\r\nwant it\";"
	u := e.account("user@example.org", reject)
	e.account("german@example.org", `require "reject"; reject "Nicht für mich";`)
	e.account("ext@example.org", `require "ereject"; ereject "Nicht für mich";`)
	other := e.account("other@example.org", "")
	errs := e.deliver(e.node, "sender@example.net", mail("m"), "user@example.org", "other@example.org", "ext@example.org")
	if !mailerr.Is(errs[0], mailerr.Permission) || mailerr.ClientText(errs[0]) != "I do not want it" || errs[1] != nil {
		t.Error(errs)
	}
	if !mailerr.Is(errs[2], mailerr.Permission) || strings.Contains(mailerr.ClientText(errs[2]), "ü") {
		t.Error(errs)
	}
	e.wantContent(u, "")
	e.wantContent(other, "INBOX: m")
	if items := e.items(); len(items) != 0 {
		t.Errorf("%+v", items)
	}
	// What cannot be said in the answer goes by mail: to an address of several accounts, or not in ASCII.
	_, err := e.dir.SetAlias(t.Context(), "both@example.org", "user@example.org", "other@example.org")
	e.must(err)
	for _, to := range []string{"both@example.org", "german@example.org"} {
		e.send(mail("n"+to), to)
		items := e.items()
		if len(items) != 1 || items[0].Kind != metadata.OutboundReject || items[0].From != "" || items[0].To != "sender@example.net" {
			t.Fatalf("%+v", items)
		}
		if text := e.outgoing(&items[0]); !strings.Contains(text, "Auto-Submitted: auto-replied") {
			t.Error(text)
		}
		_, err = e.meta.DropOutbound(t.Context(), []metadata.OutboundID{items[0].ID}, time.Hour)
		e.must(err)
	}
}
