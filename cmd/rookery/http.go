package main

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// readyTimeout bounds one look at the storage.
const readyTimeout = 2 * time.Second

// web serves /healthz (the process runs), /readyz (it can serve mail) and /metrics.
type web struct {
	server   *http.Server
	ping     func(context.Context) error
	draining atomic.Bool // set once, at the start of shutdown
	log      *slog.Logger
}

func newWeb(ping func(context.Context) error, metrics *prometheus.Registry, log *slog.Logger) *web {
	w := &web{ping: ping, log: log}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(rw http.ResponseWriter, _ *http.Request) { say(rw, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", w.ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelError)}))
	w.server = &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	return w
}

func (w *web) ready(rw http.ResponseWriter, r *http.Request) {
	if w.draining.Load() {
		say(rw, http.StatusServiceUnavailable, "shutting down")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	if err := w.ping(ctx); err != nil {
		w.log.WarnContext(ctx, "not ready", "error", err)
		say(rw, http.StatusServiceUnavailable, "storage does not answer")
		return
	}
	say(rw, http.StatusOK, "ready")
}

func say(rw http.ResponseWriter, code int, text string) {
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	rw.WriteHeader(code)
	_, _ = rw.Write([]byte(text + "\n")) // the client may be gone
}
