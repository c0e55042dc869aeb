package imapd

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

// heard writes down events.
type heard struct {
	flags bool

	mu     sync.Mutex
	events []Event // guarded by mu
}

func (h *heard) WantsFlags() bool { return h.flags }

func (h *heard) Happened(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
}

// take returns the events since the last call, a line each.
func (h *heard) take(names map[string]string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []string
	for _, e := range h.events {
		line := e.Cause
		if e.From != nil {
			line += " " + names[e.From.String()] + ">"
		}
		line += " " + names[e.Mailbox.String()] + " " + formatUIDs(slices.Collect(e.UIDs.All)) + " " + strings.Join(e.Changed, " ")
		out = append(out, strings.TrimSpace(line))
	}
	h.events = nil
	return strings.Join(out, "; ")
}

func TestEvents(t *testing.T) {
	b := newBed(t)
	h := &heard{flags: true}
	b.srv.cfg.Events = h
	b.append("Subject: 1\r\n\r\n1\r\n", "Subject: 2\r\n\r\n2\r\n", "Subject: 3\r\n\r\n3\r\n")
	c := b.session("CREATE Box", "SELECT INBOX")
	names := map[string]string{}
	for _, name := range []string{"INBOX", "Box"} {
		m, err := b.user.Mailbox(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		names[m.ID.String()] = name
	}
	literal := func(s string) string { return fmt.Sprintf("{%d+}\r\n%s", len(s), s) }
	for _, s := range []struct{ command, want string }{
		{"APPEND Box " + literal("Subject: a\r\n\r\na"), "APPEND Box 1"},
		{"APPEND Box (\\Seen) " + literal("Subject: b\r\n\r\nb") + " " + literal("Subject: c\r\n\r\nc"), "APPEND Box 2:3"},
		{"APPEND Missing " + literal("Subject: d\r\n\r\nd"), ""},
		{"COPY 1:2 Box", "COPY INBOX> Box 4:5"},
		{"COPY 1 Missing", ""},
		{"STORE 1 +FLAGS (\\Seen $Junk)", "FLAG INBOX 1 \\Seen $Junk"},
		{"STORE 1 +FLAGS (\\Seen $JUNK)", ""},
		{"STORE 1:2 FLAGS.SILENT (\\Seen)", "FLAG INBOX 1 $Junk; FLAG INBOX 2 \\Seen"},
		{"STORE 1:3 FLAGS (\\Flagged)", "FLAG INBOX 1:2 \\Flagged \\Seen; FLAG INBOX 3 \\Flagged"},
		{"STORE 3 -FLAGS (\\Flagged)", "FLAG INBOX 3 \\Flagged"},
		{"FETCH 1 BODY.PEEK[]", ""},
		{"FETCH 1:2 BODY[]", "FLAG INBOX 1:2 \\Seen"},
		{"FETCH 1:2 BODY[]", ""},
		{"MOVE 1 Box", "COPY INBOX> Box 6"},
		{"UID REPLACE 2 Box " + literal("Subject: e\r\n\r\ne"), "APPEND Box 7"},
		{"EXPUNGE", ""},
	} {
		c.do(s.command)
		if got := h.take(names); got != s.want {
			t.Errorf("%s: happened %q, want %q", strings.ReplaceAll(s.command, "\r\n", "|"), got, s.want)
		}
	}
	h.flags = false
	c.do("STORE 1 +FLAGS (\\Answered)")
	if got := h.take(names); got != "" {
		t.Errorf("nobody wants to know of flags, yet happened %q", got)
	}
}

func TestIMAPSieveIsAnnounced(t *testing.T) {
	b := newBed(t)
	b.srv.cfg.SieveURL = "sieve://mail.example.org"
	if got := b.session().do("CAPABILITY"); !strings.Contains(got, " IMAPSIEVE=sieve://mail.example.org ") {
		t.Error(got)
	}
}
