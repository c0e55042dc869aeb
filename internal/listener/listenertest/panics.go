package listenertest

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
)

// PanicLog returns a log that drops everything but lines about panics: it counts them in n, and shows those that no test asked
// for. A test asks by panicking with "a fault", or in a method of a faultyStore.
func PanicLog(n *atomic.Int64) *slog.Logger { return slog.New(&panicCounter{slog.DiscardHandler, n}) }

type panicCounter struct {
	slog.Handler
	n *atomic.Int64
}

// Enabled implements slog.Handler.
func (h *panicCounter) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (h *panicCounter) Handle(_ context.Context, r slog.Record) error {
	if !strings.Contains(r.Message, "panic") {
		return nil
	}
	h.n.Add(1)
	text := r.Message
	r.Attrs(func(a slog.Attr) bool { text += " " + a.String(); return true })
	if !strings.Contains(text, "a fault") && !strings.Contains(text, "faultyStore") {
		fmt.Fprintln(os.Stderr, text)
	}
	return nil
}

// WithAttrs implements slog.Handler.
func (h *panicCounter) WithAttrs([]slog.Attr) slog.Handler { return h }

// WithGroup implements slog.Handler.
func (h *panicCounter) WithGroup(string) slog.Handler { return h }
