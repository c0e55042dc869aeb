package redisnotify

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are read from the counters when they are asked for.
func (n *Notifier) metrics() []prometheus.Collector {
	counter := func(name, help string, value func(Stats) uint64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help},
			func() float64 { return float64(value(n.Stats())) })
	}
	return []prometheus.Collector{
		counter("rookery_notify_published_total", "Hints handed to Redis.", func(s Stats) uint64 { return s.Published }),
		counter("rookery_notify_dropped_total", "Hints that could not be handed to Redis.", func(s Stats) uint64 { return s.Dropped }),
		counter("rookery_notify_received_total", "Hints of other nodes.", func(s Stats) uint64 { return s.Received }),
		counter("rookery_notify_garbage_total", "Messages on our channels that nobody of ours has written.", func(s Stats) uint64 { return s.Garbage }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "rookery_notify_healthy", Help: "1 while hints are expected to arrive."},
			func() float64 {
				if n.Healthy() {
					return 1
				}
				return 0
			}),
	}
}

// register adds the metrics to reg, which may be nil.
func (n *Notifier) register(reg prometheus.Registerer) error {
	if reg == nil {
		return nil
	}
	var errs []error
	for _, c := range n.metrics() {
		errs = append(errs, reg.Register(c))
	}
	return errors.Join(errs...)
}
