package delivery_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/rookery-mail/rookery/delivery"
)

// controller is what a test looks at of rspamd's.
type controller struct {
	*httptest.Server
	mu      sync.Mutex
	asked   []string // guarded by mu: path and subject
	answers []int    // guarded by mu: the next ones; then 200
}

func newController(t *testing.T) *controller {
	c := &controller{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		_, subject, _ := strings.Cut(string(body), "Subject: ")
		subject, _, _ = strings.Cut(subject, "\r\n")
		c.mu.Lock()
		defer c.mu.Unlock()
		c.asked = append(c.asked, strings.TrimPrefix(r.URL.Path, "/")+" "+subject)
		code := http.StatusOK
		if len(c.answers) > 0 {
			code, c.answers = c.answers[0], c.answers[1:]
		}
		if err != nil || r.Method != http.MethodPost || r.Header.Get("Password") != "secret" || int64(len(body)) != r.ContentLength {
			t.Errorf("%s %s: %d of %d bytes, password %q, %v", r.Method, r.URL, len(body), r.ContentLength, r.Header.Get("Password"), err)
		}
		w.WriteHeader(code)
	}))
	t.Cleanup(c.Close)
	return c
}

func TestTraining(t *testing.T) {
	for name, c := range map[string]struct {
		from, to string
		answers  []int
		want     string
	}{
		"into junk":        {"Box", "Spam", nil, "learnspam one"},
		"out of junk":      {"Spam", "Box", nil, "learnham one"},
		"to INBOX":         {"Spam", "INBOX", nil, "learnham one"},
		"to trash":         {"Spam", "Bin", nil, ""},
		"from trash":       {"Bin", "Spam", nil, "learnspam one"},
		"elsewhere":        {"Box", "INBOX", nil, ""},
		"within junk":      {"Spam", "Spam", nil, ""},
		"learned already":  {"Box", "Spam", []int{208}, "learnspam one"},
		"cannot be":        {"Box", "Spam", []int{404}, "learnspam one"},
		"trouble":          {"Box", "Spam", []int{500, 503}, "learnspam one; learnspam one; learnspam one"},
		"lasting trouble":  {"Box", "Spam", []int{500, 500, 500, 500, 500, 500}, strings.Repeat("learnspam one; ", 4) + "learnspam one"},
		"another password": {"Box", "Spam", []int{401}, "learnspam one; learnspam one"},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			id := e.account("user@example.org", "")
			e.mailboxOf(id, "Spam", `\Junk`)
			e.mailboxOf(id, "Bin", `\Trash`)
			e.mailboxOf(id, c.to, "")
			ctl := newController(t)
			ctl.answers = c.answers
			ev := e.events(delivery.EventsConfig{Training: delivery.Training{URL: ctl.URL + "/", Password: "secret"}}, nil)
			ev.Happened(e.appendTo(id, c.from, mail("one"), 0))
			ev.Happened(e.move(id, c.from, c.to))
			done(t, ev)
			if got := strings.Join(ctl.asked, "; "); got != c.want {
				t.Errorf("asked %q, want %q", got, c.want)
			}
		})
	}
}

// TestTrainingPassesOver checks that messages that are gone or too big teach nothing, and keep none from it.
func TestTrainingPassesOver(t *testing.T) {
	e := newEnv(t)
	id := e.account("user@example.org", "")
	e.mailboxOf(id, "Spam", `\Junk`)
	for _, subject := range []string{"one", "two", "three"} {
		text := mail(subject)
		if subject == "two" {
			text += strings.Repeat("far too long\r\n", 100)
		}
		e.appendTo(id, "Box", text, 0)
	}
	ctl := newController(t)
	ev := e.events(delivery.EventsConfig{Training: delivery.Training{URL: ctl.URL, Password: "secret", MaxBytes: 1000}}, nil)
	happened := e.move(id, "Box", "Spam")
	happened.UIDs[0].Last += 200
	ev.Happened(happened)
	done(t, ev)
	if got := strings.Join(ctl.asked, "; "); got != "learnspam one; learnspam three" {
		t.Errorf("asked %q", got)
	}
}
