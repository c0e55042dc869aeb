package pop3d

import (
	"strings"
	"testing"
	"time"
)

// The delay runs from a login that succeeded, for each account, on all nodes.
func TestLoginDelay(t *testing.T) {
	e := newEnv(t)
	e.account(t, anna)
	e.account(t, "bert@example.org")
	delay := func(cfg *Config) { cfg.LoginDelay, cfg.MaxFailures = 90*time.Minute+time.Millisecond, 100 }
	e.start(t, delay)
	other := e.node(t, delay)
	try := func(e *env, user, password, want string) {
		t.Helper()
		c := e.dial(t)
		c.cmd("USER "+user, "+OK")
		c.cmd("PASS "+password, want)
		c.cmd("QUIT", "+OK")
	}
	c := e.dial(t)
	c.cmd("CAPA", "+OK")
	found := false
	for line := range strings.SplitSeq(c.body(), "\r\n") {
		found = found || line == "LOGIN-DELAY 5401"
	}
	if !found {
		t.Error("CAPA does not say LOGIN-DELAY 5401")
	}
	try(e, anna, "wrong", "-ERR [AUTH]")
	// One that finds the maildrop in use has not logged in.
	if err := e.meta.AcquireLease(t.Context(), "pop3:"+e.account(t, anna).ID.String(), "another", time.Hour); err != nil {
		t.Fatal(err)
	}
	try(e, anna, password, "-ERR [IN-USE]")
	if err := e.meta.ReleaseLease(t.Context(), "pop3:"+e.account(t, anna).ID.String(), "another"); err != nil {
		t.Fatal(err)
	}
	try(e, anna, password, "+OK")
	try(e, anna, password, "-ERR [LOGIN-DELAY]")
	try(other, anna, password, "-ERR [LOGIN-DELAY]")
	try(other, anna, "wrong", "-ERR [AUTH]") // nothing is said to strangers
	try(other, "bert@example.org", password, "+OK")
	none := e.node(t, nil)
	try(none, anna, password, "+OK")
}

// Names and passwords beyond ASCII are prepared; what is not UTF-8 is refused.
func TestPreparedCredentials(t *testing.T) {
	e := newEnv(t)
	ctx := t.Context()
	for address, password := range map[string]string{"jörg@example.org": "grün und blau", "old@example.org": "gru\u0308n"} {
		if _, err := e.local.AddAccount(ctx, address, password); err != nil {
			t.Fatal(err)
		}
	}
	e.start(t, func(cfg *Config) { cfg.MaxFailures = 100 })
	for _, c := range []struct{ user, password, want string }{
		{"jörg", "grün und blau", "+OK"},
		{"jo\u0308rg", "gru\u0308n\u00a0und\u2003blau", "+OK"}, // decomposed, other spaces
		{"jörg", "gr\xfcn und blau", "-ERR [AUTH]"},
		{"j\xf6rg", "grün und blau", "-ERR [AUTH]"},
		{"jörg", "grün und blau\u0007", "-ERR [AUTH]"},
		{"old", "gru\u0308n", "+OK"}, // stored as it was given
	} {
		conn := e.dial(t)
		conn.cmd("USER "+c.user, "+OK")
		conn.cmd("PASS "+c.password, c.want)
		conn.cmd("QUIT", "+OK")
	}
}
