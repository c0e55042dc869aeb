package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func TestReadiness(t *testing.T) {
	var storage error
	w := newWeb(func(ctx context.Context) error {
		if _, ok := ctx.Deadline(); !ok {
			t.Error("a look at the storage without a deadline")
		}
		return storage
	}, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	status := func(method, path string) int {
		rec := httptest.NewRecorder()
		w.server.Handler.ServeHTTP(rec, httptest.NewRequest(method, path, nil))
		return rec.Code
	}
	check := func(ready int) {
		t.Helper()
		if got := status("GET", "/readyz"); got != ready {
			t.Errorf("readyz %d, want %d", got, ready)
		}
		if got := status("GET", "/healthz"); got != http.StatusOK {
			t.Errorf("healthz %d", got)
		}
	}
	check(http.StatusOK)
	storage = errors.New("gone")
	check(http.StatusServiceUnavailable)
	storage = nil
	check(http.StatusOK)
	w.draining.Store(true)
	check(http.StatusServiceUnavailable)
	for path, want := range map[string]int{"/": http.StatusNotFound, "/metrics": http.StatusOK} {
		if got := status("GET", path); got != want {
			t.Errorf("%s: %d", path, got)
		}
	}
	if got := status("POST", "/healthz"); got != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", got)
	}
}
