package pop3d

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	connections prometheus.Gauge
	logins      *prometheus.CounterVec // by result: ok, failed, in_use, too_soon, error
	retrieved   prometheus.Counter
	deleted     prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		connections: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "rookery_pop3_connections", Help: "Open POP3 connections."}),
		logins: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rookery_pop3_logins_total", Help: "POP3 logins by result."}, []string{"result"}),
		retrieved: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "rookery_pop3_retrieved_messages_total", Help: "Messages sent whole by RETR."}),
		deleted: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "rookery_pop3_deleted_messages_total", Help: "Messages deleted at QUIT."}),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.connections, m.logins, m.retrieved, m.deleted} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}
