package imapd

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	connections prometheus.Gauge
	logins      *prometheus.CounterVec   // by result: ok, failed, error
	commands    *prometheus.CounterVec   // by name and result: ok, no, bad
	seconds     *prometheus.HistogramVec // by name
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		connections: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "rookery_imap_connections", Help: "Open IMAP connections."}),
		logins: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rookery_imap_logins_total", Help: "IMAP logins by result."}, []string{"result"}),
		commands: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rookery_imap_commands_total", Help: "IMAP commands by name and tagged response."}, []string{"command", "result"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "rookery_imap_command_seconds", Help: "Time from a command read to its tagged response written, IDLE left out.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 4, 9)}, []string{"command"}),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.connections, m.logins, m.commands, m.seconds} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}
