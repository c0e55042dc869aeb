package managesieved

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	connections prometheus.Gauge
	logins      *prometheus.CounterVec // by result: ok, failed, error
	commands    *prometheus.CounterVec // by command and result: ok, no, bye
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		connections: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "rookery_managesieve_connections", Help: "Open ManageSieve connections."}),
		logins: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rookery_managesieve_logins_total", Help: "ManageSieve logins by result."}, []string{"result"}),
		commands: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rookery_managesieve_commands_total", Help: "ManageSieve commands by name and result."}, []string{"command", "result"}),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.connections, m.logins, m.commands} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}
