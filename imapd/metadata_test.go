package imapd

import (
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
