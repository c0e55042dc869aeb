package outbound_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/rookery-mail/rookery/blobstore/filestore"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/sqlstore"
	"github.com/rookery-mail/rookery/notify"
	"github.com/rookery-mail/rookery/outbound"
)

// site is a database and a mail store for any number of queues.
type site struct {
	t     *testing.T
	meta  metadata.Store
	store *mailstore.Store
}

func newSite(t *testing.T) *site {
	t.Helper()
	meta, err := sqlstore.Open(t.Context(), sqlstore.Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "m.sqlite")})
	if err != nil {
		t.Fatal(err)
	}
	if err := meta.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	blobs, err := filestore.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	hints := notify.NewLocal()
	store, err := mailstore.New(mailstore.Config{Metadata: meta, Blobs: blobs, Notify: hints})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, err := range []error{store.Close(context.Background()), hints.Close(), blobs.Close(), meta.Close()} {
			if err != nil {
				t.Error(err)
			}
		}
	})
	return &site{t, meta, store}
}

// queue starts a queue that is quick to try again.
func (s *site) queue(url string, change func(*outbound.Config)) *outbound.Queue {
	s.t.Helper()
	sub, err := outbound.ParseSubmission(url)
	if err != nil {
		s.t.Fatal(err)
	}
	cfg := outbound.Config{Metadata: s.meta, Bodies: s.store, Submission: sub, Hostname: "node.example",
		Poll: 20 * time.Millisecond, FirstRetry: 20 * time.Millisecond, MaxRetry: 100 * time.Millisecond,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	if change != nil {
		change(&cfg)
	}
	q, err := outbound.New(cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { s.close(q) })
	return q
}

func (s *site) close(q *outbound.Queue) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := q.Close(ctx); err != nil {
		s.t.Errorf("Close: %v", err)
	}
}

func (s *site) item(from, to, text string) metadata.Enqueue {
	s.t.Helper()
	body, err := s.store.InlineOutbound([]byte(text))
	if err != nil {
		s.t.Fatal(err)
	}
	body.Prefix = []byte("X-Prefix: 1\r\n")
	return metadata.Enqueue{Item: metadata.OutboundItem{ID: metadata.NewOutboundID(), Account: metadata.NewAccountID(),
		Kind: metadata.OutboundRedirect, From: from, To: to, Body: body}}
}

func (s *site) enqueue(q *outbound.Queue, items ...metadata.Enqueue) {
	s.t.Helper()
	if _, err := q.Enqueue(s.t.Context(), items); err != nil {
		s.t.Fatal(err)
	}
}

// ended waits until nothing waits any more and returns all items by recipient.
func (s *site) ended() map[string]metadata.OutboundItem {
	s.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		items, err := s.meta.Outbound(s.t.Context(), metadata.OutboundQuery{Limit: 1000, All: true})
		if err != nil {
			s.t.Fatal(err)
		}
		byRecipient := map[string]metadata.OutboundItem{}
		waiting := 0
		for _, it := range items {
			byRecipient[it.To] = it
			if it.State == metadata.OutboundWaiting {
				waiting++
			}
		}
		if waiting == 0 {
			return byRecipient
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%d items still wait: %+v", waiting, byRecipient)
		}
		time.Sleep(5 * time.Millisecond) // the database tells nobody
	}
}

const text = "From: a@example.net\r\nSubject: hi\r\n\r\n.dot\r\nbody\r\n"

func TestSends(t *testing.T) {
	for _, mode := range []string{"starttls", "implicit", "none"} {
		t.Run(mode, func(t *testing.T) {
			s, srv := newSite(t), newSubmission(t, mode)
			q := s.queue("smtp://rookery:se%3Acret@"+srv.addr+"?verify=false&tls="+mode, nil)
			s.enqueue(q, s.item("a@example.net", "b@example.com", text), s.item("", "c@example.com", text), s.item("a@example.net", "ü@example.com", text))
			got := srv.wait(3)
			for _, m := range got {
				if m.data != "X-Prefix: 1\r\n"+text || m.utf8 != (m.to == "ü@example.com") {
					t.Errorf("%+v", m)
				}
				if from := map[string]string{"c@example.com": ""}; m.to == "c@example.com" && m.from != from[m.to] {
					t.Errorf("%+v", m)
				}
			}
			for to, it := range s.ended() {
				if it.State != metadata.OutboundSent || it.Attempts != 1 || it.Body.Data != nil {
					t.Errorf("%s: %+v", to, it)
				}
			}
			if srv.logins == 0 || !srv.hosts["node.example"] {
				t.Errorf("%d logins, EHLO %v", srv.logins, srv.hosts)
			}
		})
	}
}

// TestAnswers takes every class of answer at every place to its end.
func TestAnswers(t *testing.T) {
	s, srv := newSite(t), newSubmission(t, "none")
	smtpError := func(code int) error {
		return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: "because"}
	}
	srv.answer = func(to string, n int) error {
		switch {
		case to == "gone@example.com", to == "quiet@example.com":
			return smtpError(550)
		case to == "later@example.com" && n < 3:
			return smtpError(450)
		case to == "login@example.com" && n < 3:
			return smtpError(530)
		case to == "never@example.com":
			return smtpError(451)
		}
		return nil
	}
	srv.after = func(to string, n int) error {
		switch {
		case to == "big@example.com":
			return smtpError(552)
		case to == "busy@example.com" && n < 2:
			return smtpError(452)
		}
		return nil
	}
	old := time.Now().Add(10 * 24 * time.Hour)
	q := s.queue("smtp://"+srv.addr+"?tls=none", func(c *outbound.Config) {
		// Items are young until they have been tried once.
		c.Now = func() time.Time {
			srv.mu.Lock()
			defer srv.mu.Unlock()
			if srv.tries["never@example.com"] >= 3 {
				return old
			}
			return time.Now()
		}
	})
	quiet := s.item("", "quiet@example.com", text)
	for _, to := range []string{"gone", "later", "login", "big", "busy", "fine"} {
		s.enqueue(q, s.item(to+"-sender@example.net", to+"@example.com", text))
	}
	s.enqueue(q, quiet)
	s.ended()
	s.enqueue(q, s.item("never-sender@example.net", "never@example.com", text))
	items := s.ended()
	for to, want := range map[string]metadata.OutboundState{
		"gone@example.com": metadata.OutboundFailed, "quiet@example.com": metadata.OutboundFailed, "big@example.com": metadata.OutboundFailed,
		"never@example.com": metadata.OutboundFailed, "later@example.com": metadata.OutboundSent, "login@example.com": metadata.OutboundSent,
		"busy@example.com": metadata.OutboundSent, "fine@example.com": metadata.OutboundSent,
		"gone-sender@example.net": metadata.OutboundSent, "big-sender@example.net": metadata.OutboundSent, "never-sender@example.net": metadata.OutboundSent,
	} {
		if it, ok := items[to]; !ok || it.State != want {
			t.Errorf("%s: %+v", to, it)
		}
		delete(items, to)
	}
	if len(items) > 0 {
		t.Errorf("bounces for nobody: %+v", items)
	}
	for _, m := range srv.messages() {
		if !strings.HasSuffix(m.to, "-sender@example.net") {
			continue
		}
		who := strings.TrimSuffix(m.to, "-sender@example.net")
		status := map[string]string{"gone": "5.1.1", "big": "5.1.1", "never": "4.4.7"}[who]
		for _, want := range []string{"Status: " + status + "\r\n", "Final-Recipient: rfc822; " + who + "@example.com\r\n", "Subject: hi\r\n",
			"Auto-Submitted: auto-replied\r\n", "report-type=delivery-status"} {
			if !strings.Contains(m.data, want) {
				t.Errorf("the bounce for %s lacks %q:\n%s", who, want, m.data)
			}
		}
		if m.from != "" || strings.Contains(m.data, "body\r\n") {
			t.Errorf("%+v", m)
		}
	}
}

// TestServerAway queues while the server cannot be reached, and sends when it can.
func TestServerAway(t *testing.T) {
	s := newSite(t)
	q := s.queue("smtp://127.0.0.1:1?tls=none", nil)
	it := s.item("a@example.net", "b@example.com", text)
	s.enqueue(q, it)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		items, err := s.meta.Outbound(t.Context(), metadata.OutboundQuery{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		if items[0].Attempts > 2 && items[0].LastError != "" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%+v", items[0])
		}
	}
	s.close(q)
	srv := newSubmission(t, "none")
	s.queue("smtp://"+srv.addr+"?tls=none", nil)
	srv.wait(1)
	s.ended()
}

// TestNodeDies lets a node die while it sends: another one goes on when the lease is over, and nothing else is sent twice.
func TestNodeDies(t *testing.T) {
	s, srv := newSite(t), newSubmission(t, "none")
	// The dead node has leased an item and says nothing more.
	dead := s.item("a@example.net", "dead@example.com", text)
	if _, err := s.meta.Enqueue(t.Context(), []metadata.Enqueue{dead}); err != nil {
		t.Fatal(err)
	}
	if items, err := s.meta.ClaimOutbound(t.Context(), "dead", 300*time.Millisecond, 10); err != nil || len(items) != 1 {
		t.Fatal(items, err)
	}
	queues := []*outbound.Queue{s.queue("smtp://"+srv.addr+"?tls=none", nil), s.queue("smtp://"+srv.addr+"?tls=none", nil)}
	const n = 40
	for i := range n {
		s.enqueue(queues[i%2], s.item("a@example.net", fmt.Sprintf("r%d@example.com", i), text))
	}
	srv.wait(n + 1)
	s.ended()
	count := map[string]int{}
	for _, m := range srv.messages() {
		count[m.to]++
	}
	for to, k := range count {
		if k != 1 {
			t.Errorf("%s got %d", to, k)
		}
	}
	if len(count) != n+1 {
		t.Errorf("%d recipients", len(count))
	}
}

// renewals tells of each renewal that was granted.
type renewals struct {
	metadata.Store
	granted chan struct{}
}

func (r renewals) RenewOutbound(ctx context.Context, holder string, lease time.Duration, ids []metadata.OutboundID) ([]metadata.OutboundID, error) {
	kept, err := r.Store.RenewOutbound(ctx, holder, lease, ids)
	if err == nil && len(kept) > 0 {
		r.granted <- struct{}{}
	}
	return kept, err
}

// TestSlowServer renews the lease of an attempt that takes longer than it.
func TestSlowServer(t *testing.T) {
	t.Parallel()
	s, srv := newSite(t), newSubmission(t, "none")
	granted := make(chan struct{}, 1000)
	release := make(chan struct{})
	srv.after = func(string, int) error { <-release; return nil }
	quick := func(c *outbound.Config) { c.Lease, c.Metadata = 4*time.Second, renewals{s.meta, granted} }
	q := s.queue("smtp://"+srv.addr+"?tls=none", quick)
	s.queue("smtp://"+srv.addr+"?tls=none", quick)
	s.enqueue(q, s.item("a@example.net", "b@example.com", text))
	timeout := time.NewTimer(time.Minute)
	defer timeout.Stop()
	for range 5 { // each at a quarter of the lease
		select {
		case <-granted:
		case <-timeout.C:
			t.Error("the lease is not renewed")
		}
	}
	close(release)
	srv.wait(1)
	if it := s.ended()["b@example.com"]; it.Attempts != 1 || it.State != metadata.OutboundSent {
		t.Errorf("%+v", it)
	}
}

func TestParseSubmission(t *testing.T) {
	for in, want := range map[string]string{
		"smtp://u:p%40@h.example":                  "h.example:587 starttls u p@",
		"smtps://h.example":                        "h.example:465 implicit  ",
		"smtp://h.example:25?tls=none":             "h.example:25 none  ",
		"smtp://u:p@127.0.0.1:25?tls=none":         "127.0.0.1:25 none u p",
		"smtp://h.example?tls=implicit":            "h.example:465 implicit  ",
		"smtp://u:p@h.example:25?tls=none":         "",
		"http://h.example":                         "",
		"smtp://":                                  "",
		"smtp://h.example/path":                    "",
		"smtp://h.example?tls=maybe":               "",
		"smtps://h.example?tls=none":               "",
		"smtp://h.example?verify=perhaps&tls=none": "",
	} {
		s, err := outbound.ParseSubmission(in)
		got := ""
		if err == nil {
			got = fmt.Sprintf("%s %s %s %s", s.Address, s.TLS, s.User, s.Password)
		}
		if got != want {
			t.Errorf("%s gives %q, %v; want %q", in, got, err, want)
		}
	}
}
