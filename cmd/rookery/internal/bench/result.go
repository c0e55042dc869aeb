package bench

import (
	"maps"
	"slices"
	"time"
)

// Result is one measurement.
type Result struct {
	Name        string  `json:"name"`
	Connections int     `json:"connections,omitempty"`
	Count       int     `json:"count"`            // operations (messages, selects) measured
	Seconds     float64 `json:"seconds"`          // wall time of all
	PerSecond   float64 `json:"per_second"`       // Count / Seconds
	MBPerSecond float64 `json:"mb_per_second"`    // payload, 10^6 bytes
	P50         float64 `json:"p50_ms,omitempty"` // of one operation, milliseconds
	P99         float64 `json:"p99_ms,omitempty"` // of one operation, milliseconds
	Extra       Extra   `json:"extra,omitempty"`  // figures of this measurement only
	Failed      int     `json:"failed,omitempty"` // operations answered with an error
	Note        string  `json:"note,omitempty"`   // what a reader must know
}

// Extra holds figures by name, such as "puts_per_message".
type Extra map[string]float64

// summarise turns the latencies of operations that took wall time together into a Result.
func summarise(name string, wall time.Duration, bytes int64, latencies []time.Duration) Result {
	r := Result{Name: name, Count: len(latencies), Seconds: wall.Seconds()}
	if wall > 0 {
		r.PerSecond = float64(r.Count) / wall.Seconds()
		r.MBPerSecond = float64(bytes) / 1e6 / wall.Seconds()
	}
	r.P50, r.P99 = percentile(latencies, 50), percentile(latencies, 99)
	return r
}

// percentile returns the p-th percentile in milliseconds, 0 of none. It sorts ds.
func percentile(ds []time.Duration, p int) float64 {
	if len(ds) == 0 {
		return 0
	}
	slices.Sort(ds)
	i := min(len(ds)*p/100, len(ds)-1)
	return float64(ds[i].Microseconds()) / 1000
}

// Names returns the figures' names in order.
func (e Extra) Names() []string { return slices.Sorted(maps.Keys(e)) }
