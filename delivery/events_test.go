package delivery_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rookery-mail/rookery/delivery"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// events starts what works on events, with scripts the administrator shares, by name.
func (e *env) events(cfg delivery.EventsConfig, scripts map[string]string) *delivery.Events {
	e.Helper()
	for name, source := range scripts {
		e.must(e.meta.PutScript(e.Context(), metadata.AdminScripts(metadata.ScriptsShared, ""), name, source, metadata.ScriptLimits{}))
	}
	if cfg.Pause == 0 {
		cfg.Pause = time.Millisecond
	}
	ev, err := e.node.NewEvents(cfg)
	e.must(err)
	e.Cleanup(func() { e.must(ev.Close(context.Background())) })
	return ev
}

// mailboxOf returns a mailbox of an account, made if it does not exist.
func (e *env) mailboxOf(id metadata.AccountID, name, use string) *metadata.Mailbox {
	e.Helper()
	u := e.store.User(id)
	m, err := u.Mailbox(e.Context(), name)
	if mailerr.Is(err, mailerr.NotFound) {
		m, err = u.Create(e.Context(), name, use)
	}
	e.must(err)
	return m
}

// appendTo appends a message and returns the event of it.
func (e *env) appendTo(id metadata.AccountID, name, text string, flags metadata.Flags) delivery.Event {
	e.Helper()
	e.mailboxOf(id, name, "")
	st, err := e.store.Stage(e.Context(), strings.NewReader(text), 0)
	e.must(err)
	data, err := e.store.User(id).Append(e.Context(), name, st, mailstore.AppendOptions{Flags: flags, InternalDate: e.now})
	e.must(err)
	return delivery.Event{Cause: "APPEND", User: id, Account: data.Account, Mailbox: data.Mailbox, UIDs: metadata.UIDSetOf(data.UID)}
}

// move moves all messages between two mailboxes and returns the event of it.
func (e *env) move(id metadata.AccountID, from, to string) delivery.Event {
	e.Helper()
	sel, err := e.store.User(id).Open(e.Context(), from, mailstore.ReadWrite)
	e.must(err)
	defer sel.Close()
	data, err := sel.Move(e.Context(), sel.AllUIDs(), to)
	e.must(err)
	source := sel.Mailbox().ID
	return delivery.Event{Cause: "COPY", User: id, Account: data.Account, Mailbox: data.Mailbox, From: &source, UIDs: metadata.UIDSetOf(data.Dest...)}
}

// done waits until everything that happened has been worked on.
func done(t *testing.T, ev *delivery.Events) {
	t.Helper()
	if err := ev.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func TestEventScripts(t *testing.T) {
	e := newEnv(t)
	const head = `require ["imapsieve", "environment", "imap4flags", "fileinto", "copy", "variables", "mailbox", "editheader", "enotify"];` + "\n"
	for name, c := range map[string]struct{ script, want string }{
		"environment": {`if allof (environment :is "imap.cause" "APPEND", environment :is "imap.mailbox" "Box", environment :is "location" "MS",
			environment :is "phase" "post", environment :is "imap.user" "USER", environment :is "imap.email" "USER",
			environment :is "imap.changedflags" "") { addflag "right"; }`, "Box: one (seen)[right]"},
		"nothing":        {`keep;`, "Box: one (seen)"},
		"flags":          {`setflag ["\\Flagged", "k"];`, "Box: one (flagged)[k]"},
		"has flags":      {`if hasflag "\\Seen" { addflag "yes"; }`, "Box: one (seen)[yes]"},
		"fileinto":       {`fileinto :create "Other";`, "Box: one (deleted)(seen); Other: one (seen)"},
		"fileinto copy":  {`fileinto :copy :create "Other";`, "Box: one (seen); Other: one (seen)"},
		"fileinto flags": {`fileinto :copy :create :flags "\\Flagged" "Other";`, "Box: one (seen); Other: one (flagged)"},
		"fileinto INBOX": {`fileinto :copy "INBOX";`, "Box: one (seen); INBOX: one (seen)"},
		"fileinto self":  {`fileinto :copy "Box";`, "Box: one (seen), one (seen)"},
		"edited":         {`deleteheader "Subject"; addheader :last "Subject" "two"; fileinto :copy :create "Other"; keep;`, "Box: one (seen); Other: two (seen)"},
		"discard":        {`discard;`, "Box: one (deleted)(seen)"},
		"discard keep":   {`discard; keep;`, "Box: one (seen)"},
		"redirect":       {`redirect "away@example.net";`, "Box: one (deleted)(seen)"},
		"failure":        {`require "envelope"; if envelope "from" "x" { discard; }`, "Box: one (seen)"},
		"delivery only":  {`require "vacation"; vacation "away";`, "Box: one (seen)"},
	} {
		t.Run(name, func(t *testing.T) {
			e := *e
			e.T = t
			address := strings.ReplaceAll(name, " ", "-") + "@example.org"
			id := e.account(address, "")
			script := strings.ReplaceAll(c.script, "USER", address)
			if strings.HasPrefix(script, "require") {
				first, rest, _ := strings.Cut(script, ";")
				script = first + ";" + head + rest
			} else {
				script = head + script
			}
			ev := e.events(delivery.EventsConfig{Rules: []delivery.Rule{{Mailbox: "Box", Script: "s"}}}, map[string]string{"s": script})
			ev.Happened(e.appendTo(id, "Box", mail("one"), metadata.FlagSeen))
			done(t, ev)
			e.wantContent(id, c.want)
		})
	}
}

func TestEventRedirectIsFromTheOwner(t *testing.T) {
	e := newEnv(t)
	id := e.account("user@example.org", "")
	ev := e.events(delivery.EventsConfig{Rules: []delivery.Rule{{Mailbox: "Box", Script: "s"}}}, map[string]string{"s": `redirect "away@example.net";`})
	ev.Happened(e.appendTo(id, "Box", mail("one"), 0))
	done(t, ev)
	items := e.items()
	if len(items) != 1 || items[0].From != "user@example.org" || items[0].To != "away@example.net" {
		t.Fatalf("the queue has %+v", items)
	}
	if text := e.outgoing(&items[0]); !strings.HasPrefix(text, "X-Sieve-Redirected-From: user@example.org\r\n") || !strings.HasSuffix(text, "Hello.\r\n") {
		t.Errorf("sent is %q", text)
	}
}

func TestEventRules(t *testing.T) {
	const mark = `require "imap4flags"; addflag "RAN";`
	rules := []delivery.Rule{
		{From: `\Junk`, Mailbox: "*", Script: "out"}, {From: "*", Mailbox: `\Junk`, Script: "in"},
		{Mailbox: "Work/*", Script: "work"}, {Mailbox: "INBOX", Script: "inbox"}, {Mailbox: "INBOX", Script: "missing"},
	}
	scripts := map[string]string{}
	for _, s := range []string{"out", "in", "work", "inbox"} {
		scripts[s] = strings.ReplaceAll(mark, "RAN", s)
	}
	for name, c := range map[string]struct {
		from, to string // "": appended
		want     string
	}{
		"into junk":    {"Box", "Spam", "Spam: one [in]"},
		"out of junk":  {"Spam", "Box", "Box: one [out]"},
		"out to inbox": {"Spam", "INBOX", "INBOX: one [inbox out]"},
		"appended":     {"", "Spam", "Spam: one"},
		"below":        {"", "Work/a", "Work/a: one [work]"},
		"other":        {"Box", "Workshop", "Workshop: one"},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			id := e.account("user@example.org", "")
			e.mailboxOf(id, "Spam", `\Junk`)
			e.mailboxOf(id, c.to, "")
			ev := e.events(delivery.EventsConfig{Rules: rules}, scripts)
			if c.from == "" {
				ev.Happened(e.appendTo(id, c.to, mail("one"), 0))
			} else {
				e.appendTo(id, c.from, mail("one"), 0)
				ev.Happened(e.move(id, c.from, c.to))
			}
			done(t, ev)
			e.wantContent(id, c.want)
		})
	}
}

// TestEventLoops checks that flags set by a script start scripts once, and that theirs start none.
func TestEventLoops(t *testing.T) {
	e := newEnv(t)
	id := e.account("user@example.org", "")
	reg := prometheus.NewPedanticRegistry()
	ev := e.events(delivery.EventsConfig{Rules: []delivery.Rule{{Mailbox: "Box", Script: "s"}}, Metrics: reg}, map[string]string{"s": `
		require ["imapsieve", "environment", "imap4flags"];
		if environment :is "imap.cause" "APPEND" { addflag "first"; }
		elsif allof (environment :is "imap.cause" "FLAG", environment :is "imap.changedflags" "first") { addflag "second"; }
		else { addflag "third"; }`})
	if !ev.WantsFlags() {
		t.Error("a rule for any event does not want FLAG")
	}
	ev.Happened(e.appendTo(id, "Box", mail("one"), 0))
	if !waitFor(t, reg, 2) {
		t.Fatal("the events were not worked on")
	}
	done(t, ev)
	e.wantContent(id, "Box: one [first second]")
}

// waitFor waits until scripts have run for n messages.
func waitFor(t *testing.T, reg *prometheus.Registry, n float64) bool {
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		families, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			if f.GetName() == "rookery_imap_event_messages_total" && f.GetMetric()[0].GetCounter().GetValue() >= n {
				return true
			}
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			return false
		}
	}
}

// TestEventFailureIsRecorded checks that the administrator finds what was wrong with a script.
func TestEventFailureIsRecorded(t *testing.T) {
	e := newEnv(t)
	id := e.account("user@example.org", "")
	owner := metadata.AdminScripts(metadata.ScriptsShared, "")
	ev := e.events(delivery.EventsConfig{Rules: []delivery.Rule{{Mailbox: "Box", Script: "s"}}},
		map[string]string{"s": "require \"vacation\";\nvacation \"away\";"})
	ev.Happened(e.appendTo(id, "Box", mail("one"), 0))
	done(t, ev)
	list, _, err := e.meta.Scripts(e.Context(), owner)
	e.must(err)
	if len(list) != 1 || !strings.Contains(list[0].Error.Text, "vacation") {
		t.Errorf("stored is %+v", list)
	}
	e.wantContent(id, "Box: one")
}

// TestEventOfAnother checks that scripts run on the behalf of the mailbox's owner, whoever caused the event.
func TestEventOfAnother(t *testing.T) {
	e := newEnv(t)
	owner, guest := e.account("owner@example.org", ""), e.account("guest@example.org", "")
	ev := e.events(delivery.EventsConfig{Rules: []delivery.Rule{{Mailbox: "Box", Script: "s"}}}, map[string]string{"s": `
		require ["imapsieve", "environment", "fileinto", "copy", "mailbox"];
		if environment :is "imap.user" "guest@example.org" { fileinto :copy :create "From guest"; redirect :copy "away@example.net"; }`})
	happened := e.appendTo(owner, "Box", mail("one"), 0)
	happened.User = guest
	ev.Happened(happened)
	done(t, ev)
	e.wantContent(owner, "Box: one; From guest: one")
	e.wantContent(guest, "")
	if items := e.items(); len(items) != 1 || items[0].Account != owner || items[0].From != "owner@example.org" {
		t.Errorf("the queue has %+v", items)
	}
}

// TestEventsThatAreNotWanted checks that nothing is taken that nothing can come of, and nothing after Close.
func TestEventsThatAreNotWanted(t *testing.T) {
	e := newEnv(t)
	id := e.account("user@example.org", "")
	reg := prometheus.NewPedanticRegistry()
	ev := e.events(delivery.EventsConfig{Rules: []delivery.Rule{{From: "*", Mailbox: "Box", Script: "s"}}, Metrics: reg},
		map[string]string{"s": `require "imap4flags"; addflag "ran";`})
	if ev.WantsFlags() {
		t.Error("rules for COPY want FLAG")
	}
	happened := e.appendTo(id, "Box", mail("one"), 0)
	happened.Cause = "FLAG"
	ev.Happened(happened)
	done(t, ev)
	ev.Happened(e.appendTo(id, "Box", mail("two"), 0))
	e.wantContent(id, "Box: one, two")
}
