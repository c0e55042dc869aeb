package outbound

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	enqueued *prometheus.CounterVec // by kind
	attempts *prometheus.CounterVec // by result: sent, retry, failed
	waiting  prometheus.Gauge
	oldest   prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		enqueued: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rookery_outbound_enqueued_total", Help: "Items put into the outbound queue by this node, by kind."}, []string{"kind"}),
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rookery_outbound_attempts_total", Help: "Attempts to send, by result: sent, retry, failed."}, []string{"result"}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "rookery_outbound_waiting", Help: "Items that wait in the outbound queue of the installation (at most 100,000 are counted)."}),
		oldest: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "rookery_outbound_oldest_seconds", Help: "Age of the oldest item that waits in the outbound queue."}),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.enqueued, m.attempts, m.waiting, m.oldest} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}
