package blobstore

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rookery-mail/rookery/mailerr"
)

// Counter is a Store that counts what passes through it.
type Counter struct {
	Store
	totals  [opCount]opTotals
	calls   *prometheus.CounterVec
	bytes   *prometheus.CounterVec
	seconds *prometheus.HistogramVec
}

// op is a kind of call.
type op int

const (
	opPut op = iota
	opUpload
	opRead
	opStat
	opList
	opDelete
	opPing
	opCount
)

var opNames = [opCount]string{"put", "upload", "read", "stat", "list", "delete", "ping"}

type opTotals struct{ calls, failed, bytes atomic.Int64 }

// OpTotals are the calls of one kind so far.
type OpTotals struct {
	Calls  int64 // that have ended
	Failed int64 // of these
	Bytes  int64 // of bodies, in those that succeeded
}

// Totals are all calls so far.
type Totals struct{ Put, Upload, Read, Stat, List, Delete, Ping OpTotals }

// Count returns s with its calls counted. layer tells several Counters of a process apart ("store" below the caches, say); reg
// may be nil. The metrics are rookery_blobstore_calls_total{layer,op,result}, rookery_blobstore_bytes_total{layer,op} and
// rookery_blobstore_seconds{layer,op}.
func Count(s Store, layer string, reg prometheus.Registerer) *Counter {
	labels := prometheus.Labels{"layer": layer}
	return &Counter{
		Store: s,
		calls: register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rookery_blobstore_calls_total", ConstLabels: labels,
			Help: "Calls of the object store by result: ok or the kind of error."}, []string{"op", "result"})),
		bytes: register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rookery_blobstore_bytes_total", ConstLabels: labels,
			Help: "Bytes of bodies written to and read from the object store."}, []string{"op"})),
		seconds: register(reg, prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "rookery_blobstore_seconds", ConstLabels: labels,
			Help: "Time of calls of the object store.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 16)}, []string{"op"})),
	}
}

// register registers c, or returns the collector that is registered already for the same.
func register[C prometheus.Collector](reg prometheus.Registerer, c C) C {
	if reg == nil {
		return c
	}
	err := reg.Register(c)
	var already prometheus.AlreadyRegisteredError
	if errors.As(err, &already) {
		if existing, ok := already.ExistingCollector.(C); ok {
			return existing
		}
	}
	return c
}

// Totals returns the counts so far.
func (c *Counter) Totals() Totals {
	get := func(o op) OpTotals {
		t := &c.totals[o]
		return OpTotals{t.calls.Load(), t.failed.Load(), t.bytes.Load()}
	}
	return Totals{get(opPut), get(opUpload), get(opRead), get(opStat), get(opList), get(opDelete), get(opPing)}
}

func (c *Counter) count(o op, start time.Time, bytes int64, err error) {
	t := &c.totals[o]
	t.calls.Add(1)
	result := "ok"
	if err != nil {
		result = mailerr.KindOf(err).String()
		t.failed.Add(1)
	} else if bytes > 0 {
		t.bytes.Add(bytes)
		c.bytes.WithLabelValues(opNames[o]).Add(float64(bytes))
	}
	c.calls.WithLabelValues(opNames[o], result).Inc()
	c.seconds.WithLabelValues(opNames[o]).Observe(time.Since(start).Seconds())
}

// Put is counted as one call of its bytes.
func (c *Counter) Put(ctx context.Context, key string, data []byte) error {
	start := time.Now()
	err := c.Store.Put(ctx, key, data)
	c.count(opPut, start, int64(len(data)), err)
	return err
}

// ReadRange is counted as one call of its bytes.
func (c *Counter) ReadRange(ctx context.Context, key string, offset, length int64) ([]byte, error) {
	start := time.Now()
	data, err := c.Store.ReadRange(ctx, key, offset, length)
	c.count(opRead, start, int64(len(data)), err)
	return data, err
}

// Stat is counted.
func (c *Counter) Stat(ctx context.Context, key string) (ObjectInfo, error) {
	start := time.Now()
	info, err := c.Store.Stat(ctx, key)
	c.count(opStat, start, 0, err)
	return info, err
}

// List is counted as one call, with the time that yield takes.
func (c *Counter) List(ctx context.Context, prefix string, yield func(ObjectInfo) error) error {
	start := time.Now()
	err := c.Store.List(ctx, prefix, yield)
	c.count(opList, start, 0, err)
	return err
}

// Delete is counted.
func (c *Counter) Delete(ctx context.Context, key string) error {
	start := time.Now()
	err := c.Store.Delete(ctx, key)
	c.count(opDelete, start, 0, err)
	return err
}

// Ping is counted.
func (c *Counter) Ping(ctx context.Context) error {
	start := time.Now()
	err := c.Store.Ping(ctx)
	c.count(opPing, start, 0, err)
	return err
}

// Create begins an upload, which is counted when it ends: as a call of its bytes, failed when it was aborted.
func (c *Counter) Create(ctx context.Context, key string) (Upload, error) {
	start := time.Now()
	u, err := c.Store.Create(ctx, key)
	if err != nil {
		c.count(opUpload, start, 0, err)
		return nil, err
	}
	return &countUpload{Upload: u, c: c, start: start}, nil
}

type countUpload struct {
	Upload
	c     *Counter
	start time.Time
	bytes int64
	ended bool
}

var errAborted = mailerr.New("blobstore.Upload", mailerr.Unavailable, "")

func (u *countUpload) Write(p []byte) (int, error) {
	n, err := u.Upload.Write(p)
	u.bytes += int64(n)
	return n, err
}

func (u *countUpload) Commit(ctx context.Context) error {
	err := u.Upload.Commit(ctx)
	u.end(err)
	return err
}

func (u *countUpload) Abort(ctx context.Context) {
	u.Upload.Abort(ctx)
	u.end(errAborted)
}

func (u *countUpload) end(err error) {
	if !u.ended {
		u.ended = true
		u.c.count(opUpload, u.start, u.bytes, err)
	}
}
