package main

import (
	"maps"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/blobstore/blobstoretest"
	"github.com/rookery-mail/rookery/blobstore/filestore"
)

func openMeasured(t *testing.T, metrics prometheus.Registerer) blobstore.Store {
	t.Helper()
	s, err := filestore.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	m, err := newMeasured(s, metrics)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMeasuredConformance(t *testing.T) {
	blobstoretest.Run(t, func(t *testing.T) blobstore.Store { return openMeasured(t, prometheus.NewRegistry()) })
}

func TestMeasuredCounts(t *testing.T) {
	metrics := prometheus.NewRegistry()
	m := openMeasured(t, metrics)
	defer m.Close()
	ctx := t.Context()
	if err := m.Put(ctx, "a", []byte("12345")); err != nil {
		t.Fatal(err)
	}
	if _, err := m.ReadRange(ctx, "a", 1, 2); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Stat(ctx, "none"); err == nil {
		t.Fatal("there is an object of that name")
	}
	got := map[string]float64{}
	families, err := metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, metric := range f.GetMetric() {
			var labels []string
			for _, l := range metric.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			if metric.GetCounter() != nil {
				got[f.GetName()+" "+strings.Join(labels, " ")] = metric.GetCounter().GetValue()
			}
		}
	}
	want := map[string]float64{
		"rookery_blobstore_bytes_total read": 2, "rookery_blobstore_bytes_total written": 5,
		"rookery_blobstore_operations_total put ok": 1, "rookery_blobstore_operations_total read ok": 1,
		"rookery_blobstore_operations_total stat not found": 1,
	}
	if !maps.Equal(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
}
