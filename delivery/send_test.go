package delivery_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/rookery-mail/rookery/delivery"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

func TestRedirect(t *testing.T) {
	e := newEnv(t)
	u := e.account("user@example.org", `redirect "a@example.com";`)
	both := e.account("both@example.org", `require ["copy", "editheader"]; redirect :copy "b@example.com"; addheader "X-New" "1"; redirect :copy "c@example.com";`)
	e.send(mail("m"), "user@example.org", "both@example.org")
	e.wantContent(u, "")
	e.wantContent(both, "INBOX: m")
	items := e.items()
	if len(items) != 3 {
		t.Fatalf("%+v", items)
	}
	for i, want := range []struct{ to, from, text string }{
		{"a@example.com", "user@example.org", mail("m")}, {"b@example.com", "both@example.org", mail("m")}, {"c@example.com", "both@example.org", "X-New: 1\r\n" + mail("m")},
	} {
		it := &items[i]
		if it.To != want.to || it.From != "sender@example.net" || it.Kind != metadata.OutboundRedirect {
			t.Errorf("%+v", it)
		}
		if got := e.outgoing(it); got != "X-Sieve-Redirected-From: "+want.from+"\r\nReceived: from a by b\r\n"+want.text {
			t.Errorf("%s gets %q", it.To, got)
		}
	}
}

// TestRedirectLoop redirects nothing twice, nor what has been on its way for long; the message stays here.
func TestRedirectLoop(t *testing.T) {
	e := newEnv(t)
	u := e.account("user@example.org", `redirect "a@example.com";`)
	e.send(mail("m", "X-Sieve-Redirected-From: other@example.org", "x-sieve-redirected-from: USER@example.org"), "user@example.org")
	e.send(strings.Repeat("Received: from x by y\r\n", 60)+mail("n"), "user@example.org")
	e.wantContent(u, "INBOX: m, Your mail filter has an error, n")
	if items := e.items(); len(items) != 0 {
		t.Errorf("%+v", items)
	}
}

// TestRetry delivers as an MTA does that got no answer: nothing is sent twice; what comes without an MTA's mark is another
// message.
func TestRetry(t *testing.T) {
	e := newEnv(t)
	u := e.account("user@example.org", `redirect "a@example.com";`)
	broken := e.newNode(func(c *delivery.Config) {
		c.Queue = &queue{meta: e.meta, sends: true, fail: mailerr.New("x", mailerr.Unavailable, "")}
	})
	if err := e.deliver(broken, "s@example.net", mail("m"), "user@example.org")[0]; !mailerr.Is(err, mailerr.Unavailable) {
		t.Errorf("%v", err)
	}
	for range 2 {
		for _, n := range []*delivery.Deliverer{e.newNode(nil), e.newNode(nil)} {
			e.must(e.deliver(n, "s@example.net", mail("m"), "user@example.org")[0])
		}
	}
	if items := e.items(); len(items) != 1 {
		t.Errorf("%d items, want 1", len(items))
	}
	for range 2 {
		e.must(e.deliver(e.node, "s@example.net", "Subject: alarm\r\n\r\n", "user@example.org")[0])
	}
	if items := e.items(); len(items) != 3 {
		t.Errorf("%d items, want 3", len(items))
	}
	e.wantContent(u, "")
}

// TestVacationOnce lets two nodes take mail from one sender at the same time.
func TestVacationOnce(t *testing.T) {
	e := newEnv(t)
	u := e.account("user@example.org", `require ["vacation", "fcc", "mailbox"]; vacation :days 1 :fcc "Answers" :create :subject "Away" "I am away.";`)
	nodes := []*delivery.Deliverer{e.newNode(nil), e.newNode(nil)}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if err := e.deliver(nodes[i%2], "sender@example.net", mail("m"+string(rune('a'+i))), "user@example.org")[0]; err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	items := e.items()
	if len(items) != 1 || items[0].Kind != metadata.OutboundVacation || items[0].From != "" || items[0].To != "sender@example.net" {
		t.Fatalf("%+v", items)
	}
	text := e.outgoing(&items[0])
	for _, want := range []string{"Subject: Away\r\n", "Auto-Submitted: auto-replied", "I am away.", "To: sender@example.net\r\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if got := e.content(u); !strings.HasPrefix(got, "Answers: Away; INBOX: ") || strings.Count(got, ",") != 19 {
		t.Error(got)
	}
	e.must(e.deliver(e.node, "another@example.net", mail("x"), "user@example.org")[0])
	e.must(e.deliver(e.node, "", mail("bounce"), "user@example.org")[0])
	e.must(e.deliver(e.node, "l@example.net", mail("list", "List-Id: <l>"), "user@example.org")[0])
	if items := e.items(); len(items) != 2 {
		t.Errorf("%+v", items)
	}
}

func TestNotify(t *testing.T) {
	e := newEnv(t)
	u := e.account("user@example.org", `require "enotify"; notify :message "You have mail" "mailto:a@example.com,b@example.com";`)
	e.send(mail("m"), "user@example.org")
	e.wantContent(u, "INBOX: m")
	items := e.items()
	if len(items) != 2 || items[0].To != "a@example.com" || items[1].To != "b@example.com" || items[0].Kind != metadata.OutboundNotify {
		t.Fatalf("%+v", items)
	}
	if text := e.outgoing(&items[0]); !strings.Contains(text, "Subject: You have mail\r\n") || !strings.Contains(text, "Auto-Submitted: auto-notified") {
		t.Error(text)
	}
}

// TestDuplicate drops the second copy of a message, but not a delivery that is tried again because it failed.
func TestDuplicate(t *testing.T) {
	e := newEnv(t)
	u := e.account("user@example.org", `require ["duplicate", "copy"]; if duplicate { discard; stop; } redirect :copy "a@example.com";`)
	first, second := mail("m", "Message-ID: <1@x>"), mail("n", "Message-ID: <1@x>")
	failing := e.newNode(func(c *delivery.Config) { c.Queue = &queue{meta: e.meta, sends: true, fail: errors.New("down")} })
	for range 2 {
		if err := e.deliver(failing, "s@example.net", first, "user@example.org")[0]; err == nil {
			t.Error("no error")
		}
	}
	e.send(first, "user@example.org") // from another sender: not the same delivery
	e.wantContent(u, "")
	e.must(e.deliver(e.node, "s@example.net", first, "user@example.org")[0])
	e.must(e.deliver(e.newNode(nil), "s@example.net", second, "user@example.org")[0])
	e.must(e.deliver(e.newNode(nil), "s@example.net", first, "user@example.org")[0])
	e.wantContent(u, "INBOX: m")
}

// TestLargeMessage redirects and files a message that is streamed; its body is stored once.
func TestLargeMessage(t *testing.T) {
	e := newEnv(t)
	u := e.account("user@example.org", `require ["copy", "body", "fileinto"]; if body :raw :contains "needle" { redirect :copy "a@example.com"; fileinto "Archive"; }`)
	text := mail("big") + "needle\r\n" + strings.Repeat("0123456789abcdef\r\n", 400_000)
	e.send(text, "user@example.org")
	e.wantContent(u, "Archive: big")
	items := e.items()
	if len(items) != 1 || !items[0].Body.InPack() {
		t.Fatalf("%d items", len(items))
	}
	if got := e.outgoing(&items[0]); !strings.HasSuffix(got, text) {
		t.Errorf("%d bytes would be sent", len(got))
	}
	packs, err := e.meta.OutboundPacks(t.Context(), []metadata.PackID{items[0].Body.Pack})
	e.must(err)
	if len(packs) != 1 {
		t.Error("the pack may be deleted")
	}
}
