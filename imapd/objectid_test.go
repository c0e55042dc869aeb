package imapd

import (
	"regexp"
	"strings"
	"testing"
)

var objectIDs = regexp.MustCompile(`EMAILID \((\w+)\) THREADID \((\w+)\)`)

// idsOf returns EMAILID and THREADID of each message of the selected mailbox.
func idsOf(t *testing.T, c *client, items string) (emails, threads []string) {
	t.Helper()
	for _, line := range c.do("FETCH 1:* (" + items + ")") {
		if m := objectIDs.FindStringSubmatch(line); m != nil {
			emails, threads = append(emails, m[1]), append(threads, m[2])
		}
	}
	return emails, threads
}

// TestObjectIDs is the example of RFC 8474 section 5.3, and what becomes of the identifiers afterwards.
func TestObjectIDs(t *testing.T) {
	e := newEnv(t)
	e.account(t, user)
	e.start(t, nil)
	e.deliver(t, "INBOX", "Subject: Message A\r\nMessage-ID: <fake.1521475657.54797@example.com>\r\n\r\nA\r\n")
	e.deliver(t, "INBOX", "Subject: Re: Message A\r\nMessage-ID: <fake.1521475657.21213@example.org>\r\n"+
		"References: <fake.1521475657.54797@example.com>\r\n\r\nB\r\n")
	e.deliver(t, "INBOX", "Subject: Message C\r\nMessage-ID: <fake.1521475657.60280@example.com>\r\n\r\nC\r\n")
	c := e.login(t)
	c.do("CREATE foo")
	c.do("SELECT INBOX")
	emails, threads := idsOf(t, c, "EMAILID THREADID")
	if len(emails) != 3 || threads[0] != threads[1] || threads[0] == threads[2] {
		t.Fatalf("EMAILIDs %v, THREADIDs %v", emails, threads)
	}
	for i, id := range emails {
		if len(id) != 33 || id[0] != 'M' || threads[i][0] != 'T' {
			t.Errorf("identifiers %s and %s", id, threads[i])
		}
	}
	// Beside items that need the body.
	if again, same := idsOf(t, c, "ENVELOPE EMAILID THREADID"); strings.Join(again, " ") != strings.Join(emails, " ") ||
		strings.Join(same, " ") != strings.Join(threads, " ") {
		t.Errorf("beside ENVELOPE: %v, %v", again, same)
	}
	for query, want := range map[string]string{
		"EMAILID " + emails[1]:                              "* SEARCH 2",
		"THREADID " + threads[0]:                            "* SEARCH 1 2",
		"THREADID " + threads[2]:                            "* SEARCH 3",
		"NOT THREADID " + threads[0]:                        "* SEARCH 3",
		"OR EMAILID " + emails[0] + " EMAILID " + emails[2]: "* SEARCH 1 3",
		"EMAILID " + threads[0]:                             "* SEARCH",
		"EMAILID " + strings.ToUpper(emails[0]):             "* SEARCH",
		"THREADID " + threads[0] + "0":                      "* SEARCH",
	} {
		if got := c.do("SEARCH " + query); len(got) == 0 || got[0] != want {
			t.Errorf("SEARCH %s: %v, want %s", query, got, want)
		}
	}
	c.do("MOVE 2 foo")
	c.do("COPY 1 foo")
	c.do("SELECT foo")
	moved, of := idsOf(t, c, "EMAILID THREADID")
	if len(moved) != 2 || moved[0] != emails[1] || moved[1] != emails[0] || of[0] != threads[0] || of[1] != threads[0] {
		t.Errorf("moved and copied: %v, %v; they were %v, %v", moved, of, emails, threads)
	}
}
