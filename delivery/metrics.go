package delivery

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	runs    *prometheus.CounterVec // by result: done, failed, trouble
	seconds prometheus.Histogram
	actions *prometheus.CounterVec // by action
}

// eventMetrics count what IMAP events come to.
type eventMetrics struct {
	messages *prometheus.CounterVec // scripts run, by result
	learned  *prometheus.CounterVec // by class and result
	dropped  prometheus.Counter
	waiting  prometheus.Gauge
}

func newEventMetrics(reg prometheus.Registerer) (*eventMetrics, error) {
	m := &eventMetrics{
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rookery_imap_event_messages_total", Help: "Messages that Sieve scripts ran for at IMAP events, by result: done (also when a script failed), gone, trouble (ours)."}, []string{"result"}),
		learned: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rookery_spam_lessons_total", Help: "Messages given to the spam filter to learn, by class (spam, ham) and result: learned, refused, gone, failed, dropped."}, []string{"class", "result"}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "rookery_imap_event_messages_dropped_total", Help: "Messages of IMAP events that were not looked at: too many waited, or the node stopped."}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "rookery_imap_event_messages_waiting", Help: "Messages of IMAP events that wait in memory for scripts and the spam filter."}),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.messages, m.learned, m.dropped, m.waiting} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
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
