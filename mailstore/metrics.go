package mailstore

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/rookery-mail/rookery/mailerr"
)

// metrics are what an operator watches of a Store.
type metrics struct {
	messages      *prometheus.CounterVec // by result
	packs         *prometheus.CounterVec // by result
	packBodies    prometheus.Histogram
	commitItems   prometheus.Histogram
	commitSeconds prometheus.Histogram
	viewLoads     prometheus.Counter
}

func newMetrics() *metrics {
	const ns, sub = "rookery", "mailstore"
	sizes := prometheus.ExponentialBuckets(1, 2, 10)
	return &metrics{
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: ns, Subsystem: sub,
			Name: "messages_total", Help: "Messages delivered or appended, one for each mailbox, by result."}, []string{"result"}),
		packs: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: ns, Subsystem: sub,
			Name: "packs_total", Help: "Packs written, by result."}, []string{"result"}),
		packBodies: prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: ns, Subsystem: sub,
			Name: "pack_bodies", Help: "Bodies in a pack of small messages.", Buckets: sizes}),
		commitItems: prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: ns, Subsystem: sub,
			Name: "commit_messages", Help: "Messages in one metadata transaction.", Buckets: sizes}),
		commitSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: ns, Subsystem: sub,
			Name: "commit_seconds", Help: "Duration of metadata transactions that add messages.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 14)}),
		viewLoads: prometheus.NewCounter(prometheus.CounterOpts{Namespace: ns, Subsystem: sub,
			Name: "view_loads_total", Help: "Mailboxes read whole from the database."}),
	}
}

// register makes the metrics visible, with gauges that read s.
func (m *metrics) register(r prometheus.Registerer, s *Store) error {
	collectors := []prometheus.Collector{m.messages, m.packs, m.packBodies, m.commitItems, m.commitSeconds, m.viewLoads,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "rookery", Subsystem: "mailstore",
			Name: "view_bytes", Help: "Memory of views."}, func() float64 { return float64(s.views.size()) }),
	}
	for i, c := range collectors {
		if err := r.Register(c); err != nil {
			for _, done := range collectors[:i] {
				r.Unregister(done)
			}
			return err
		}
	}
	return nil
}

func (m *metrics) answered(out []Delivered) {
	for i := range out {
		m.messages.WithLabelValues(outcome(out[i].Err)).Inc()
	}
}

func outcome(err error) string {
	if err == nil {
		return "stored"
	}
	return mailerr.KindOf(err).String()
}
