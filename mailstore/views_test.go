package mailstore_test

import (
	"fmt"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// gauge reads one metric.
func gauge(t *testing.T, r *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			m := f.GetMetric()[0]
			return m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

func TestIdleSessionsDoNotHoldRows(t *testing.T) {
	c := newCluster(t)
	metrics := prometheus.NewRegistry()
	const budget = 256 << 10
	s := c.node(func(cfg *mailstore.Config) { cfg.ViewBytes, cfg.Metrics = budget, metrics })
	var boxes []string
	for i := range 12 {
		boxes = append(boxes, fmt.Sprintf("Box%02d", i))
	}
	u := s.User(c.account(boxes...))
	c.append(u, s, "INBOX", mail("x"))
	inbox := c.open(u, "INBOX")
	for range 10 { // 1,024 messages, 64 KiB of rows
		if _, err := inbox.Copy(c.ctx, inbox.AllUIDs(), "INBOX"); err != nil {
			t.Fatal(err)
		}
		c.sync(inbox, fresh)
	}
	var idle []*mailstore.Selected
	for _, box := range boxes {
		if _, err := inbox.Copy(c.ctx, inbox.AllUIDs(), box); err != nil {
			t.Fatal(err)
		}
		idle = append(idle, c.open(u, box))
	}
	if n := gauge(t, metrics, "rookery_mailstore_view_bytes"); n > budget || n < 64<<10 {
		t.Errorf("views hold %.0f bytes, the budget is %d", n, budget)
	}
	// A message that comes does not make the node read a whole mailbox again.
	loads := gauge(t, metrics, "rookery_mailstore_view_loads_total")
	for i, sel := range idle {
		c.append(u, s, boxes[i], mail("new"))
		if u := c.sync(sel, fresh); !u.Exists || u.NumMessages != 1025 || sel.UID(1025) != 1025 {
			t.Errorf("%s: %s", boxes[i], describe(u))
		}
	}
	if n := gauge(t, metrics, "rookery_mailstore_view_loads_total"); n != loads {
		t.Errorf("%.0f mailboxes were read whole to learn of one message each", n-loads)
	}
	// STORE needs the rows; others' go.
	mark(c, idle[0], metadata.FlagSeen, 5)
	c.expect(idle[0], fresh, "")
	if n := gauge(t, metrics, "rookery_mailstore_view_bytes"); n > budget {
		t.Errorf("views hold %.0f bytes, the budget is %d", n, budget)
	}
}

func TestSecondStoreOverOneRegistry(t *testing.T) {
	c := newCluster(t)
	metrics := prometheus.NewRegistry()
	c.node(func(cfg *mailstore.Config) { cfg.Metrics = metrics })
	if s, err := mailstore.New(mailstore.Config{Metadata: c.meta, Blobs: c.blobs, Notify: c.hints, Metrics: metrics}); err == nil {
		_ = s.Close(c.ctx)
		t.Error("two stores share one registry")
	}
	if _, err := mailstore.New(mailstore.Config{}); err == nil {
		t.Error("a store of nothing")
	}
}
