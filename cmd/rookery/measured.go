package main

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/mailerr"
)

// measured counts and times the operations of an object store, retries included as operations of their own.
type measured struct {
	next    blobstore.Store
	total   *prometheus.CounterVec   // by operation and result
	seconds *prometheus.HistogramVec // by operation
	bytes   *prometheus.CounterVec   // by direction
}

func newMeasured(next blobstore.Store, metrics prometheus.Registerer) (blobstore.Store, error) {
	m := &measured{
		next: next,
		total: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rookery_blobstore_operations_total", Help: "Operations of the object store, by result."}, []string{"op", "result"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "rookery_blobstore_operation_seconds", Help: "Duration of the object store's operations.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 16)}, []string{"op"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rookery_blobstore_bytes_total", Help: "Bytes written to and read from the object store."}, []string{"direction"}),
	}
	return m, errors.Join(metrics.Register(m.total), metrics.Register(m.seconds), metrics.Register(m.bytes))
}

func (m *measured) done(op string, begin time.Time, err error) {
	result := "ok"
	if err != nil {
		result = mailerr.KindOf(err).String()
	}
	m.total.WithLabelValues(op, result).Inc()
	m.seconds.WithLabelValues(op).Observe(time.Since(begin).Seconds())
}

// Put implements blobstore.Store.
func (m *measured) Put(ctx context.Context, key string, data []byte) error {
	begin := time.Now()
	err := m.next.Put(ctx, key, data)
	m.done("put", begin, err)
	if err == nil {
		m.bytes.WithLabelValues("written").Add(float64(len(data)))
	}
	return err
}

// Create implements blobstore.Store. An upload counts when it is committed.
func (m *measured) Create(ctx context.Context, key string) (blobstore.Upload, error) {
	begin := time.Now()
	u, err := m.next.Create(ctx, key)
	if err != nil {
		m.done("upload", begin, err)
		return nil, err
	}
	return &measuredUpload{Upload: u, m: m, begin: begin}, nil
}

// ReadRange implements blobstore.Store.
func (m *measured) ReadRange(ctx context.Context, key string, offset, length int64) ([]byte, error) {
	begin := time.Now()
	data, err := m.next.ReadRange(ctx, key, offset, length)
	m.done("read", begin, err)
	m.bytes.WithLabelValues("read").Add(float64(len(data)))
	return data, err
}

// Stat implements blobstore.Store.
func (m *measured) Stat(ctx context.Context, key string) (blobstore.ObjectInfo, error) {
	begin := time.Now()
	info, err := m.next.Stat(ctx, key)
	m.done("stat", begin, err)
	return info, err
}

// List implements blobstore.Store.
func (m *measured) List(ctx context.Context, prefix string, yield func(blobstore.ObjectInfo) error) error {
	begin := time.Now()
	err := m.next.List(ctx, prefix, yield)
	m.done("list", begin, err)
	return err
}

// Delete implements blobstore.Store.
func (m *measured) Delete(ctx context.Context, key string) error {
	begin := time.Now()
	err := m.next.Delete(ctx, key)
	m.done("delete", begin, err)
	return err
}

// Ping implements blobstore.Store.
func (m *measured) Ping(ctx context.Context) error {
	begin := time.Now()
	err := m.next.Ping(ctx)
	m.done("ping", begin, err)
	return err
}

// Close implements blobstore.Store.
func (m *measured) Close() error { return m.next.Close() }

type measuredUpload struct {
	blobstore.Upload
	m     *measured
	begin time.Time
	bytes int
}

// Write implements blobstore.Upload.
func (u *measuredUpload) Write(p []byte) (int, error) {
	n, err := u.Upload.Write(p)
	u.bytes += n
	return n, err
}

// Commit implements blobstore.Upload.
func (u *measuredUpload) Commit(ctx context.Context) error {
	err := u.Upload.Commit(ctx)
	u.m.done("upload", u.begin, err)
	if err == nil {
		u.m.bytes.WithLabelValues("written").Add(float64(u.bytes))
	}
	return err
}
