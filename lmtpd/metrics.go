package lmtpd

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	connections prometheus.Gauge
	recipients  *prometheus.CounterVec // by the reply's class after the message: 2xx, 4xx, 5xx
	rejected    *prometheus.CounterVec // the same at RCPT
	throttled   prometheus.Counter
	bytes       prometheus.Counter
	seconds     prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		connections: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "rookery_lmtp_connections", Help: "Open LMTP connections."}),
		recipients: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rookery_lmtp_recipients_total", Help: "Recipients answered after a message, by class of reply."}, []string{"reply"}),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rookery_lmtp_rejected_recipients_total", Help: "Recipients refused at RCPT, by class of reply."}, []string{"reply"}),
		throttled: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "rookery_lmtp_throttled_messages_total", Help: "Messages refused for a time because their client sent too many."}),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "rookery_lmtp_received_bytes_total", Help: "Bytes of messages received, whatever became of them."}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "rookery_lmtp_delivery_seconds", Help: "From a message's last byte to its answers.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 16)}),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.connections, m.recipients, m.rejected, m.throttled, m.bytes, m.seconds} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// class returns the label of a reply code.
func class(code int) string { return string(rune('0'+code/100)) + "xx" }
