package imapd

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/metadata"
)

// TestMetadataLimits: a value that is too large, and more entries than a command may name.
func TestMetadataLimits(t *testing.T) {
	c := newBed(t).session()
	value := func(n int) string { return "{" + strconv.Itoa(n) + "+}\r\n" + strings.Repeat("x", n) }
	if got := c.do("SETMETADATA INBOX (/private/a \"b\" /private/x " + value(metadata.MaxAnnotationValue+1) + ")"); got != "NO [METADATA MAXSIZE 32768] The value is too large" {
		t.Error(got)
	}
	if got := c.do("SETMETADATA INBOX (/private/x " + value(metadata.MaxAnnotationValue) + ")"); !strings.HasPrefix(got, "OK ") {
		t.Error(got)
	}
	if got := c.do("GETMETADATA INBOX (/private/a /private/x)"); !strings.HasPrefix(got, "* METADATA INBOX (/private/a NIL /private/x {32768}\nxxx") {
		t.Error(got[:min(len(got), 100)])
	}
	entries := strings.Repeat(" /private/a", maxEntries)[1:]
	if got := c.do("GETMETADATA INBOX (" + entries + ")"); got != "* METADATA INBOX (/private/a NIL)\nOK GETMETADATA completed" {
		t.Error(got)
	}
	if got := c.do("GETMETADATA INBOX (" + entries + " /private/b)"); got != "BAD [LIMIT] Too many entries" {
		t.Error(got)
	}
	if got := c.do("SETMETADATA INBOX (" + strings.ReplaceAll(entries, "/a", "/a NIL") + " /private/b NIL)"); !strings.HasPrefix(got, "BAD ") {
		t.Error(got)
	}
	if got := c.do(`LIST "" * RETURN (METADATA (` + entries + `))`); got != "BAD [LIMIT] Too many entries" {
		t.Error(got)
	}
}

// TestManyFilters: more filters than a search may have.
func TestManyFilters(t *testing.T) {
	c := newBed(t).session("SELECT INBOX")
	var keys []string
	for i := range maxFilters + 1 {
		name := "f" + strconv.Itoa(i)
		keys = append(keys, "FILTER "+name)
		if got := c.do(`SETMETADATA "" (/private/filters/values/` + name + ` "ALL")`); !strings.HasPrefix(got, "OK ") {
			t.Fatal(got)
		}
	}
	if got := c.do("SEARCH " + strings.Join(keys[1:], " ")); !strings.Contains(got, "OK SEARCH") {
		t.Error(got)
	}
	if got := c.do("SEARCH " + strings.Join(keys, " ")); got != "NO [LIMIT] Too many search keys" {
		t.Error(got)
	}
	long := strings.Repeat("x", metadata.MaxAnnotationName)
	if got := c.do("SEARCH FILTER " + long); got != "NO [UNDEFINED-FILTER "+long+"] No such filter" {
		t.Error(got)
	}
}

// More annotations than can be compared are not watched: NOTIFY is refused, or ends.
func TestNotifyTooManyAnnotations(t *testing.T) {
	e := newEnv(t)
	e.start(t, nil)
	id := e.account(t, user).ID
	fill := func(mailbox metadata.MailboxID, n int) {
		t.Helper()
		var changes []metadata.AnnotationChange
		for i := range n {
			changes = append(changes, metadata.AnnotationChange{Entry: fmt.Sprintf("/private/%d", i), Value: []byte{}})
		}
		if err := e.meta.SetAnnotations(t.Context(), metadata.SetAnnotations{Account: id, Mailbox: mailbox, Owner: id, Changes: changes}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range metadata.MaxAnnotationsCompared / metadata.MaxAnnotations {
		m, err := e.store.User(id).Create(t.Context(), fmt.Sprintf("x%d", i), "")
		if err != nil {
			t.Fatal(err)
		}
		fill(m.ID, metadata.MaxAnnotations)
	}
	const set = "NOTIFY SET (personal (MailboxMetadataChange))"
	c := e.login(t)
	for _, step := range []struct{ command, want string }{
		{set, "OK NOTIFY completed"},
		{`SETMETADATA "" (/private/one "more")`, "* OK [NOTIFICATIONOVERFLOW] There are too many annotations|OK SETMETADATA completed"},
		{set, "NO [NOTIFICATIONOVERFLOW] There are too many annotations"},
		{"NOTIFY SET (personal (MailboxName))", "OK NOTIFY completed"},
	} {
		if got := strings.Join(c.do(step.command), "|"); got != step.want {
			t.Errorf("%s: got %q", step.command, got)
		}
	}
}
