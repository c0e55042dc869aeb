package delivery_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rookery-mail/rookery/delivery"
	"github.com/rookery-mail/rookery/metadata"
)

// TestEventsDropped stops a node whose events cannot be worked on, after more than can wait have happened: every message is
// counted, and the log tells all of them in a few lines.
func TestEventsDropped(t *testing.T) {
	const events = 5000
	e := newEnv(t)
	id := e.account("user@example.org", "")
	box := e.mailboxOf(id, "Box", "")
	held := &heldMetadata{Store: e.meta}
	var log bytes.Buffer
	e.node = e.newNode(func(c *delivery.Config) {
		c.Metadata, c.Log = held, slog.New(slog.NewTextHandler(&log, nil))
	})
	reg := prometheus.NewPedanticRegistry()
	ev := e.events(delivery.EventsConfig{Rules: []delivery.Rule{{Mailbox: "Box", Script: "s"}}, Metrics: reg}, map[string]string{"s": `keep;`})
	for range events {
		ev.Happened(delivery.Event{Cause: "FLAG", User: id, Account: id, Mailbox: box.ID, UIDs: metadata.UIDSetOf(1, 2)})
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := ev.Close(ended); err == nil {
		t.Error("all was done")
	}
	dropped, failed := value(t, reg, "rookery_imap_event_messages_dropped_total"), value(t, reg, "rookery_imap_event_messages_total")
	if dropped+failed != 2*events {
		t.Errorf("%v messages were dropped, of %v nothing came", dropped, failed)
	}
	if waiting := value(t, reg, "rookery_imap_event_messages_waiting"); waiting != 0 {
		t.Errorf("%v messages wait", waiting)
	}
	if n := strings.Count(log.String(), "no scripts ran"); n == 0 || n > 3 {
		t.Errorf("%d lines in the log:\n%.2000s", n, log.String())
	}
}

// heldMetadata answers no question after a mailbox until its context ends.
type heldMetadata struct{ metadata.Store }

func (m *heldMetadata) MailboxByID(ctx context.Context, _ metadata.MailboxID) (*metadata.Mailbox, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// value is the sum of a metric over its labels.
func value(t *testing.T, reg *prometheus.Registry, name string) (sum float64) {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return sum
}
