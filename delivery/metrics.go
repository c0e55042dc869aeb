package delivery

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	runs    *prometheus.CounterVec // by result: done, failed, trouble
	seconds prometheus.Histogram
	actions *prometheus.CounterVec // by action
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rookery_sieve_runs_total", Help: "Chains of Sieve scripts run for a recipient, by result: done, failed (the script's fault), trouble (ours)."}, []string{"result"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "rookery_sieve_run_seconds", Help: "Time of one run, look-ups included.", Buckets: prometheus.ExponentialBuckets(0.00005, 4, 10)}),
		actions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rookery_sieve_actions_total", Help: "Actions of Sieve scripts, by action."}, []string{"action"}),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.runs, m.seconds, m.actions} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}
