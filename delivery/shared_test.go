package delivery_test

import (
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

const filterError = "Your mail filter has an error"

// share gives a user rights to a mailbox of somebody else's.
func (e *env) share(owner metadata.AccountID, mailbox, with, rights string) {
	e.Helper()
	r, err := metadata.ParseRights(rights)
	e.must(err)
	e.must(e.store.User(owner).SetACL(e.Context(), mailbox, mailstore.Grantee{Address: with}, metadata.RightsReplace, r))
}

func (e *env) mailboxID(owner metadata.AccountID, name string) string {
	e.Helper()
	m, err := e.store.User(owner).Mailbox(e.Context(), name)
	e.must(err)
	return m.ID.String()
}

// TestSharedMailboxes files into a mailbox of another account, with rights and without.
func TestSharedMailboxes(t *testing.T) {
	const team = `"Other Users/boss@example.org/Team"`
	none := "INBOX: m, " + filterError
	for name, c := range map[string]struct {
		rights, script string
		boss, user     string // what they have then
	}{
		"insert":            {"lri", `fileinto ` + team + `;`, "Team: m", ""},
		"insert unseen":     {"i", `fileinto ` + team + `;`, "Team: m", ""},
		"copy":              {"lri", `fileinto :copy ` + team + `;`, "Team: m", "INBOX: m"},
		"all flags":         {"lriwst", `fileinto :flags ["\\Seen", "\\Deleted", "\\Flagged", "work"] ` + team + `;`, "Team: m (deleted)(seen)(flagged)[work]", ""},
		"no flags":          {"lri", `fileinto :flags ["\\Seen", "\\Deleted", "\\Flagged", "work"] ` + team + `;`, "Team: m", ""},
		"seen":              {"lris", `fileinto :flags ["\\Seen", "\\Deleted", "work"] ` + team + `;`, "Team: m (seen)", ""},
		"edited":            {"lri", `deleteheader "Subject"; addheader "Subject" "new"; fileinto :copy ` + team + `;`, "Team: new", "INBOX: new"},
		"other owner's box": {"lri", `fileinto "Other Users/boss@example.org/INBOX";`, "", none},
		"no insert":         {"lrs", `fileinto ` + team + `;`, "", none},
		"no rights":         {"", `fileinto ` + team + `;`, "", none},
		"no such":           {"lri", `fileinto "Other Users/boss@example.org/No";`, "", none},
		"no such owner":     {"lri", `fileinto "Other Users/nobody@example.org/Team";`, "", none},
		"other domain":      {"lri", `fileinto "Other Users/alien@example.com/INBOX";`, "", none},
		"one's own":         {"lri", `fileinto "Other Users/user@example.org/INBOX";`, "", none},
		"namespace":         {"lri", `fileinto "Other Users";`, "", none},
		"exists":            {"lri", `if mailboxexists ` + team + ` { addflag "yes"; }`, "", "INBOX: m [yes]"},
		"may not insert":    {"lrs", `if mailboxexists ` + team + ` { addflag "yes"; }`, "", "INBOX: m"},
		"use is the owner's": {"lri", `if specialuse_exists ` + team + ` "\\Archive" { addflag "yes"; }
			if specialuse_exists "\\Important" { addflag "yes"; }`, "", "INBOX: m"},
		"id":                {"lri", `if mailboxidexists "ID" { addflag "yes"; } fileinto :mailboxid "ID" "nowhere"; removeflag "yes"; stop;`, "Team: m", ""},
		"id without right":  {"lrs", `if not mailboxidexists "ID" { addflag "yes"; } fileinto :mailboxid "ID" "Archive";`, "", "Archive: m [yes]"},
		"id not shared":     {"", `fileinto :mailboxid "ID" "Archive";`, "", "Archive: m"},
		"create":            {"lrik", `fileinto :create "Other Users/boss@example.org/Team/New";`, "Team/New: m", ""},
		"may not create":    {"lri", `fileinto :create "Other Users/boss@example.org/Team/New";`, "", none},
		"create, no insert": {"lrk", `fileinto :create "Other Users/boss@example.org/Team/New";`, "", none},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			boss := e.account("boss@example.org", "")
			e.mailboxOf(boss, "Team", `\Important`)
			script := strings.ReplaceAll(c.script, "ID", e.mailboxID(boss, "Team"))
			user := e.account("user@example.org", `require ["fileinto", "copy", "imap4flags", "editheader", "mailbox", "mailboxid", "special-use"]; `+script)
			alien := e.account("alien@example.com", "")
			e.share(boss, "Team", "user@example.org", c.rights)
			e.send(mail("m"), "user@example.org")
			e.wantContent(boss, c.boss)
			e.wantContent(user, c.user)
			e.wantContent(alien, "")
			if c.user != none {
				return
			}
			sc, err := e.meta.Script(t.Context(), metadata.AccountScripts(user), "main")
			e.must(err)
			if sc.Error.Errors != 1 || !strings.Contains(sc.Error.Text, "there is no mailbox") {
				t.Errorf("%+v", sc.Error)
			}
		})
	}
}

// TestSharedAccount files into a domain's shared mailbox from several accounts at once, one of them without the right, and
// delivers the same message again.
func TestSharedAccount(t *testing.T) {
	e := newEnv(t)
	const script = `require ["fileinto", "copy"]; fileinto :copy "Shared/Lists";`
	shared := e.account("shared@example.org", "")
	e.must(e.meta.SetSharedAccount(t.Context(), "example.org", shared))
	e.mailboxOf(shared, "Lists", "")
	a, b, c := e.account("a@example.org", script), e.account("b@example.org", script), e.account("c@example.org", script)
	alien := e.account("alien@example.com", script)
	e.share(shared, "Lists", mailstore.Anyone, "lri")
	e.must(e.store.User(shared).SetACL(t.Context(), "Lists", mailstore.Grantee{Address: "c@example.org", Denies: true}, metadata.RightsReplace, metadata.RightInsert))
	e.send(mail("m"), "a@example.org", "b@example.org", "c@example.org", "alien@example.com")
	e.wantContent(shared, "Lists: m, m")
	for id, want := range map[metadata.AccountID]string{a: "INBOX: m", b: "INBOX: m", c: "INBOX: m, " + filterError, alien: "INBOX: m, " + filterError} {
		e.wantContent(id, want)
	}
}

// TestSharedQuota is the quota of the mailbox's owner: the recipient's counts only for what is in the recipient's mailboxes.
func TestSharedQuota(t *testing.T) {
	e := newEnv(t)
	const script = `require ["fileinto", "imap4flags"]; fileinto :flags "work" "Other Users/boss@example.org/Team";`
	boss, user := e.account("boss@example.org", ""), e.account("user@example.org", script)
	e.mailboxOf(boss, "Team", "")
	e.share(boss, "Team", "user@example.org", "lri")
	e.must(e.meta.SetQuota(t.Context(), user, 0, 1))
	e.send(mail("one"), "user@example.org")
	e.send(mail("two"), "user@example.org")
	e.wantContent(boss, "Team: one, two")
	account, err := e.meta.Account(t.Context(), user)
	e.must(err)
	if account.UsedMessages != 0 {
		t.Errorf("the recipient uses %d messages", account.UsedMessages)
	}

	e.must(e.meta.SetQuota(t.Context(), boss, 0, 2))
	e.must(e.meta.SetQuota(t.Context(), user, 0, 0))
	e.send(mail("three"), "user@example.org")
	e.wantContent(boss, "Team: one, two")
	e.wantContent(user, "INBOX: three [work], "+filterError)
	sc, err := e.meta.Script(t.Context(), metadata.AccountScripts(user), "main")
	e.must(err)
	if !strings.Contains(sc.Error.Text, "no room left") {
		t.Error(sc.Error.Text)
	}
}

// TestSharedGoes deletes the mailbox between look-up and delivery: the recipient has the message, not the mailbox's owner.
func TestSharedGoes(t *testing.T) {
	e := newEnv(t)
	boss, user := e.account("boss@example.org", ""), e.account("user@example.org", "")
	e.mailboxOf(boss, "Team", "")
	e.share(boss, "Team", "user@example.org", "lri")
	to, err := e.store.User(user).Destination(t.Context(), "Other Users/boss@example.org/Team")
	e.must(err)
	e.must(e.store.User(boss).Delete(t.Context(), "Team"))
	st, err := e.store.Stage(t.Context(), strings.NewReader(mail("m")), 0)
	e.must(err)
	res := e.store.Deliver(t.Context(), st, []mailstore.Recipient{{Account: user, Shared: to}})[0]
	e.must(res.Err)
	if res.Instead == nil {
		t.Error("not said that the message is elsewhere")
	}
	e.wantContent(boss, "")
	e.wantContent(user, "INBOX: m")
}

// TestSharedTwice delivers a message again after its answer was lost.
func TestSharedTwice(t *testing.T) {
	e := newEnv(t)
	boss, user := e.account("boss@example.org", ""), e.account("user@example.org", "")
	e.mailboxOf(boss, "Team", "")
	e.share(boss, "Team", "user@example.org", "lri")
	to, err := e.store.User(user).Destination(t.Context(), "Other Users/boss@example.org/Team")
	e.must(err)
	body := metadata.NewBodyID(e.now)
	for range 2 {
		st, err := e.store.Stage(t.Context(), strings.NewReader(mail("m")), 0)
		e.must(err)
		for _, res := range e.store.Deliver(t.Context(), st, []mailstore.Recipient{{Account: user, Shared: to, Body: body}, {Account: user, Body: body}}) {
			e.must(res.Err)
		}
	}
	e.wantContent(boss, "Team: m")
	e.wantContent(user, "INBOX: m")
}

// TestSharedCopyOfAnswer puts the copy of an answer into somebody else's mailbox (RFC 8580).
func TestSharedCopyOfAnswer(t *testing.T) {
	for rights, want := range map[string][2]string{
		"lri": {"Team: Away", "INBOX: m"},
		"lr":  {"", "INBOX: m, Away, " + filterError},
	} {
		t.Run(rights, func(t *testing.T) {
			e := newEnv(t)
			boss := e.account("boss@example.org", "")
			e.mailboxOf(boss, "Team", "")
			user := e.account("user@example.org", `require ["vacation", "fcc"]; vacation :subject "Away" :fcc "Other Users/boss@example.org/Team" "I am away.";`)
			e.share(boss, "Team", "user@example.org", rights)
			e.send(mail("m"), "user@example.org")
			e.wantContent(boss, want[0])
			e.wantContent(user, want[1])
		})
	}
}
