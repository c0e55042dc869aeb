package outbound

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rookery-mail/rookery/metadata"
)

// Bodies reads the bodies of items. A *mailstore.Store is one.
type Bodies interface {
	// OpenOutbound returns a reader of the whole message, prefix included. Reading gives Unavailable, Internal.
	OpenOutbound(ctx context.Context, b *metadata.OutboundBody) io.Reader
	// InlineOutbound returns a body that is in its row. TooBig.
	InlineOutbound(raw []byte) (metadata.OutboundBody, error)
}

// Config is what a Queue is made of. Metadata and Bodies are required; they stay the caller's to close, after Queue.Close.
type Config struct {
	Metadata   metadata.Store
	Bodies     Bodies
	Submission *Submission // nil: nothing is sent, what is enqueued waits

	Hostname string // in EHLO and in delivery status notifications

	Workers    int           // attempts at once; 0: 4
	Lease      time.Duration // how long a dead node's attempts stay its own; 0: 1 min
	Poll       time.Duration // how often the queue is looked at for items of other nodes and those whose time has come; 0: 5 s
	FirstRetry time.Duration // after the first attempt; doubled for each one; 0: 1 min
	MaxRetry   time.Duration // 0: 1 h
	MaxAge     time.Duration // after it an item fails; 0: 5 days (RFC 5321 section 4.5.4.1)
	Remember   time.Duration // ended items; 0: 1 day
	Attempt    time.Duration // bounds one attempt; 0: 20 min (RFC 5321 section 4.5.3.2 adds up to more only in theory)

	Log     *slog.Logger          // nil: slog.Default
	Metrics prometheus.Registerer // nil: none
	Now     func() time.Time      // nil: time.Now
}

func (c Config) withDefaults() (Config, error) {
	if c.Metadata == nil || c.Bodies == nil {
		return c, errors.New("outbound: Metadata and Bodies are needed")
	}
	if c.Hostname == "" {
		c.Hostname = "localhost"
	}
	if c.Workers <= 0 {
		c.Workers = 4
	}
	for _, d := range []struct {
		field    *time.Duration
		fallback time.Duration
	}{
		{&c.Lease, time.Minute}, {&c.Poll, 5 * time.Second}, {&c.FirstRetry, time.Minute}, {&c.MaxRetry, time.Hour},
		{&c.MaxAge, 5 * 24 * time.Hour}, {&c.Remember, 24 * time.Hour}, {&c.Attempt, 20 * time.Minute},
	} {
		if *d.field <= 0 {
			*d.field = d.fallback
		}
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c, nil
}
