package imapd

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

// as starts a session of another account.
func (b *bed) as(address string, commands ...string) *tester {
	b.t.Helper()
	id := b.account(b.t, address).ID
	c := b.session()
	c.s.user, c.s.account = b.store.User(id), id
	for _, cmd := range commands {
		if got := c.do(cmd); !strings.Contains(got, "OK ") {
			b.t.Fatalf("%s: %s", cmd, got)
		}
	}
	return c
}

var generated = regexp.MustCompile(`\* GENURLAUTH "([^"]+)"`)

// vouched lets the session vouch for a URL.
func (c *tester) vouched(rump string) string {
	c.t.Helper()
	got := c.do(`GENURLAUTH "` + rump + `" INTERNAL`)
	m := generated.FindStringSubmatch(got)
	if m == nil || !strings.HasPrefix(m[1], rump+":INTERNAL:01") || !strings.HasSuffix(got, "OK GENURLAUTH completed") {
		c.t.Fatalf("%s: %s", rump, got)
	}
	return m[1]
}

func TestURLAuth(t *testing.T) {
	b := newBed(t)
	b.srv.cfg.SubmitUsers = []string{"submit@example.org"}
	b.append(binaryParts([]byte("Hello\x00, world")), "Subject: two\r\n\r\nsecond")
	c := b.session()
	const base = "imap://anna%40example.org@imap.example.org/INBOX/;UID=2"
	full := c.vouched(base + ";URLAUTH=anonymous")
	if again := c.vouched(base + ";URLAUTH=anonymous"); again != full {
		t.Errorf("two tokens: %s and %s", full, again)
	}
	other, third, submit := b.as("bob@example.org"), b.as("carl@example.org"), b.as("submit@example.org")
	got := func(url, text string) string {
		return fmt.Sprintf("* URLFETCH %q {%d}\n%s\nOK URLFETCH completed", url, len(text), text)
	}
	none := func(url string) string { return fmt.Sprintf("* URLFETCH %q NIL\nOK URLFETCH completed", url) }
	fetch := func(c *tester, url, want string) {
		t.Helper()
		c.expect(`URLFETCH "`+url+`"`, want)
	}
	const whole = "Subject: two\n\nsecond"
	raw := fmt.Sprintf("* URLFETCH %q {22}\n%s\nOK URLFETCH completed", full, whole)
	fetch(c, full, raw)
	fetch(other, full, raw)

	// Who may.
	for _, tc := range []struct {
		access string
		may    []*tester
	}{
		{"authuser", []*tester{c, other, third, submit}},
		{"user+bob%40example.org", []*tester{other}},
		{"user+nobody%40example.org", nil},
		{"submit+bob%40example.org", []*tester{submit}},
	} {
		url := c.vouched(base + "/;SECTION=TEXT;URLAUTH=" + tc.access)
		for _, session := range []*tester{c, other, third, submit} {
			want := none(url)
			for _, m := range tc.may {
				if m == session {
					want = got(url, "second")
				}
			}
			fetch(session, url, want)
		}
	}

	// Whatever is changed in it, it is worth nothing; nobody learns why.
	flip := "0"
	if strings.HasSuffix(full, "0") {
		flip = "1"
	}
	for _, url := range []string{
		strings.Replace(full, "UID=2", "UID=1", 1), strings.Replace(full, "anonymous", "authuser", 1), full[:len(full)-1] + flip,
		strings.Replace(full, ":01", ":02", 1), full + "00", strings.Replace(full, "anna", "bob", 1), strings.Replace(full, "INTERNAL", "EXTERNAL", 1),
		strings.Replace(full, "INBOX", "Trash", 1), base, base + ";URLAUTH=anonymous", "nonsense", strings.Replace(full, "imap.example.org", "other.example.org", 1),
		strings.Replace(full, "imap://anna%40example.org@imap.example.org", "", 1),
	} {
		fetch(other, url, none(url))
	}
	missing := c.vouched(strings.Replace(base, "UID=2", "UID=9", 1) + ";URLAUTH=anonymous")
	fetch(other, missing, none(missing))
	noPart := c.vouched(base + "/;SECTION=7;URLAUTH=anonymous")
	fetch(other, noPart, none(noPart))
	// Letters of the token do not matter.
	upper := full[:strings.LastIndexByte(full, ':')] + strings.ToUpper(full[strings.LastIndexByte(full, ':'):])
	fetch(other, upper, strings.Replace(raw, full, upper, 1))

	// For a time only, and a part of a part.
	b.now = time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	expiring := c.vouched(base + "/;SECTION=TEXT/;PARTIAL=1.3;EXPIRE=2026-01-02T03:30:00Z;URLAUTH=anonymous")
	fetch(other, expiring, got(expiring, "eco"))
	b.now = time.Date(2026, 1, 2, 3, 30, 0, 0, time.UTC) // the last moment (RFC 4467 section 3)
	fetch(other, expiring, got(expiring, "eco"))
	b.now = b.now.Add(time.Nanosecond)
	fetch(other, expiring, none(expiring))

	// What cannot be vouched for.
	for rump, want := range map[string]string{
		base: "BAD ", "/INBOX/;UID=1;URLAUTH=anonymous": "BAD ", full: "BAD ",
		strings.Replace(base, "anna", "bob", 1) + ";URLAUTH=anonymous":      "BAD ",
		strings.Replace(base, "INBOX", "Nothing", 1) + ";URLAUTH=anonymous": "BAD ",
		"imap://imap.example.org/INBOX/;UID=1;URLAUTH=anonymous":            "BAD ",
	} {
		if got := c.do(`GENURLAUTH "` + rump + `" INTERNAL`); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", rump, got)
		}
	}
	if got := c.do(`GENURLAUTH "` + base + `;URLAUTH=anonymous" XSAMPLE`); got != "NO [CANNOT] The only mechanism is INTERNAL" {
		t.Error(got)
	}

	// Keys are the mailbox's and the user's.
	other.expect("RESETKEY INBOX", "OK [URLMECH INTERNAL] RESETKEY completed")
	c.expect("RESETKEY Trash INTERNAL", "OK [URLMECH INTERNAL] RESETKEY completed")
	fetch(other, full, raw)
	c.expect("RESETKEY INBOX", "OK [URLMECH INTERNAL] RESETKEY completed")
	fetch(other, full, none(full))
	full = c.vouched(base + ";URLAUTH=anonymous")
	c.expect("RESETKEY", "OK [URLMECH INTERNAL] RESETKEY completed")
	fetch(other, full, none(full))
	c.expect("RESETKEY Nothing", "NO [NONEXISTENT] No such mailbox")
	c.expect("RESETKEY INBOX OTHER", "NO [CANNOT] The only mechanism is INTERNAL")
	c.expect("URLFETCH", "BAD Missing argument")
	c.expect(`URLFETCH ()`, "BAD Missing argument")
	c.expect(`URLFETCH ("x")`, `* URLFETCH "x" NIL`+"\nOK URLFETCH completed") // RFC 5524 section 5: as without parentheses
	c.expect(`URLFETCH ("x" NONSENSE)`, "BAD Unknown URLFETCH parameter")
}

// TestURLFetchBinary is RFC 5524.
func TestURLFetchBinary(t *testing.T) {
	b := newBed(t)
	b.append(binaryParts([]byte("Hello\x00, world")))
	c := b.session()
	const base = "imap://anna%40example.org@imap.example.org/INBOX/;UID=1/;SECTION="
	part, unknown, header := c.vouched(base+"1;URLAUTH=authuser"), c.vouched(base+"4;URLAUTH=authuser"), c.vouched(base+"HEADER;URLAUTH=authuser")
	const structure = `("application" "octet-stream" NIL NIL NIL "binary" 13 NIL NIL NIL NIL)` // of what is sent (section 3.2)
	c.expect(`URLFETCH ("`+part+`" BODYPARTSTRUCTURE BINARY)`, `* URLFETCH "`+part+`" (BODYPARTSTRUCTURE `+structure+") (BINARY ~{13}\nHello\x00, world)\nOK URLFETCH completed")
	c.expect(`URLFETCH ("`+part+`")`, `* URLFETCH "`+part+"\" {20}\nSGVsbG8ALCB3b3JsZA==\nOK URLFETCH completed")
	c.expect(`URLFETCH ("`+part+`" BODY) "`+part+`"`, `* URLFETCH "`+part+"\" (BODY {20}\nSGVsbG8ALCB3b3JsZA==)\n* URLFETCH \""+part+"\" {20}\nSGVsbG8ALCB3b3JsZA==\nOK URLFETCH completed")
	c.expect(`URLFETCH ("`+unknown+`" BINARY)`, `* URLFETCH "`+unknown+`" (BINARY NIL)`+"\nOK URLFETCH completed")
	c.expect(`URLFETCH ("`+header+`" BODYPARTSTRUCTURE)`, `* URLFETCH "`+header+`" NIL`+"\nOK URLFETCH completed")
	c.expect(`URLFETCH ("`+header+`" BODY BODYPARTSTRUCTURE)`, `* URLFETCH "`+header+"\" (BODY {64}\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n)\nOK URLFETCH completed")
	c.expect(`URLFETCH ("x" BODY BINARY)`, `* URLFETCH "x" NIL`+"\nOK URLFETCH completed")
	if err := b.user.Delete(context.Background(), "Trash"); err != nil {
		t.Fatal(err)
	}
}
