package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/cmd/rookery/internal/config"
	"github.com/rookery-mail/rookery/delivery"
	"github.com/rookery-mail/rookery/directory"
	"github.com/rookery-mail/rookery/imapd"
	"github.com/rookery-mail/rookery/internal/listener"
	"github.com/rookery-mail/rookery/lmtpd"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/managesieved"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/notify"
	"github.com/rookery-mail/rookery/outbound"
	"github.com/rookery-mail/rookery/pop3d"
	"github.com/rookery-mail/rookery/sieve"
)

// lastWords bounds how long the storage may take to close after speakers have had shutdown_timeout.
const lastWords = 5 * time.Second

// node is a running server: storage, speakers, listeners.
type node struct {
	cfg   *config.Config
	log   *slog.Logger
	lock  *dataDirLock // nil in a cluster
	certs *certificates

	meta   metadata.Store
	blobs  blobstore.Store
	hints  notify.Notifier
	store  *mailstore.Store
	dir    *directory.Local
	queue  *outbound.Queue
	events *delivery.Events
	imap   *imapd.Server
	pop3   *pop3d.Server
	sieve  *managesieved.Server
	lmtp   *lmtpd.Server
	web    *web
	listen map[string]net.Listener // by key

	serving sync.WaitGroup
}

// newNode opens everything, in the order it is needed, and closes what was opened when something fails.
func newNode(ctx context.Context, cfg *config.Config, log *slog.Logger) (n *node, err error) {
	n = &node{cfg: cfg, log: log}
	defer func() {
		if err != nil {
			closeAll(n.listen)
			n.closeStorage(ctx)
			n = nil
		}
	}()
	if cfg.Embedded() {
		if n.lock, err = lockDataDir(cfg.DataDir); err != nil {
			return n, err
		}
	} else if err = makeDataDir(cfg.DataDir); err != nil {
		return n, err
	}
	if n.certs, err = newCertificates(cfg); err != nil {
		return n, err
	}
	// Before the storage: a port that is taken is the likeliest thing to be wrong, and quickly said.
	if n.listen, err = listen(ctx, cfg); err != nil {
		return n, err
	}
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), versionMetric())
	if err = n.openStorage(ctx, metrics); err != nil {
		return n, err
	}
	return n, n.newSpeakers(metrics)
}

// openStorage opens metadata, blobs and hints, and the mail store over them.
func (n *node) openStorage(ctx context.Context, metrics prometheus.Registerer) (err error) {
	if n.meta, err = openMetadata(ctx, n.cfg, n.log); err != nil {
		return fmt.Errorf("metadata: %w", err)
	}
	if err = prepareSchema(ctx, n.cfg, n.meta, n.log); err != nil {
		return fmt.Errorf("metadata: %w", err)
	}
	finishDeletions(ctx, n.meta, n.log)
	if n.blobs, err = openBlobs(ctx, n.cfg, n.log, metrics); err != nil {
		return fmt.Errorf("blobs: %w", err)
	}
	if n.hints, err = openNotify(n.cfg, n.log, metrics); err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	n.store, err = mailstore.New(mailstore.Config{
		Metadata: n.meta, Blobs: n.blobs, Notify: n.hints, Log: n.log, Metrics: metrics,
		Lanes: n.cfg.Lanes, CacheBytes: n.cfg.Cache.Memory, ViewBytes: n.cfg.Cache.Views, MaxMailboxes: n.cfg.Limits.Mailboxes,
		Contact:    n.cfg.Contact,
		QuotaGrace: int64(n.cfg.QuotaGrace), QuotaWarnings: slices.Sorted(slices.Values(n.cfg.QuotaWarnings)),
	})
	if err != nil {
		return err
	}
	if n.dir, err = newDirectory(n.cfg, n.meta, n.log); err != nil {
		return err
	}
	n.queue, err = n.newQueue(metrics)
	return err
}

// newSpeakers makes the protocols' servers; those with no listener are never used.
func (n *node) newSpeakers(metrics *prometheus.Registry) (err error) {
	cfg := n.cfg
	var administrators []string
	for _, s := range cfg.Administrators {
		address, err := n.dir.Canonical(context.Background(), s)
		if err != nil {
			return fmt.Errorf("imap.administrators: %w", err)
		}
		administrators = append(administrators, address)
	}
	deliverer, err := n.newDeliverer(metrics)
	if err != nil {
		return err
	}
	if n.events, err = newEvents(deliverer, cfg, metrics); err != nil {
		return err
	}
	n.imap, err = imapd.New(imapd.Config{
		Store: n.store, Directory: n.dir, TLS: n.certs.config(), AllowPlaintext: cfg.AllowPlaintext, Hostname: cfg.Hostname,
		SubmitUsers:    cfg.SubmitUsers,
		TextBytes:      cmp.Or(cfg.Cache.Envelopes, -1),
		MaxConnections: cfg.Limits.Connections, MaxConnectionsPerAccount: cfg.Limits.ConnectionsPerAccount,
		MaxConnectionsPerAddress: cfg.Limits.ConnectionsPerAddress, MaxConnectionRate: cfg.Limits.ConnectionRate,
		MaxMessageBytes: cfg.Limits.MessageSize, MaxCommandBytes: int(cfg.Limits.Command),
		MaxMessagesPerCommand: cfg.Limits.MessagesPerCommand, MaxMessagesPerSave: cfg.Limits.MessagesPerSave,
		LiteralMinus: cfg.Sessions.LiteralMinus, MaxFailures: cfg.Sessions.FailedLogins, MaxBadCommands: cfg.Sessions.BadCommands,
		LoginTimeout: cfg.Sessions.LoginTimeout, IdleTimeout: cfg.Sessions.IdleTimeout,
		StreamTimeout: cfg.Sessions.StreamTimeout, WriteTimeout: cfg.Sessions.WriteTimeout,
		Administrators: administrators, Events: imapEvents{n.events}, SieveURL: sieveURL(cfg),
		Log: n.log, Metrics: metrics,
	})
	if err != nil {
		return err
	}
	n.pop3, err = pop3d.New(pop3d.Config{
		Store: n.store, Directory: n.dir, TLS: n.certs.config(), AllowPlaintext: cfg.AllowPlaintext, Hostname: cfg.Hostname,
		MaxConnections: cfg.Limits.Connections, MaxConnectionsPerAddress: cfg.Limits.ConnectionsPerAddress,
		MaxConnectionRate: cfg.Limits.ConnectionRate, LoginDelay: cfg.POP3LoginDelay, ReadAhead: cfg.POP3ReadAhead,
		Log: n.log, Metrics: metrics,
	})
	if err != nil {
		return err
	}
	n.sieve, err = managesieved.New(managesieved.Config{
		Scripts: n.meta, Limits: scriptLimits(cfg), Compile: sieve.Options{Extensions: delivery.Extensions(), Limits: sieveLimits(cfg)},
		Lists: listSchemes(cfg), Directory: n.dir, TLS: n.certs.config(), AllowPlaintext: cfg.AllowPlaintext,
		MaxConnections: cfg.Limits.Connections, MaxConnectionsPerAddress: cfg.Limits.ConnectionsPerAddress,
		MaxConnectionRate: cfg.Limits.ConnectionRate,
		Log:               n.log, Metrics: metrics,
	})
	if err != nil {
		return err
	}
	n.lmtp, err = lmtpd.New(lmtpd.Config{
		Store: n.store, Directory: n.dir, Deliverer: deliverer, TLS: n.certs.config(), Hostname: cfg.Hostname,
		TrustedNetworks: cfg.LMTPTrusted,
		MaxConnections:  cfg.Limits.Connections, MaxMessageBytes: cfg.Limits.MessageSize, MaxRecipients: cfg.Limits.Recipients,
		MaxConnectionsPerAddress: cfg.Limits.ConnectionsPerAddress, MaxConnectionRate: cfg.Limits.ConnectionRate,
		MaxMessageRate: cfg.Limits.MessageRate, MaxTrustedMessageRate: cfg.LMTPTrustedRate,
		OverQuotaPermanent: cfg.OverQuotaPermanent,
		Log:                n.log, Metrics: metrics,
	})
	if err != nil {
		return err
	}
	n.web = newWeb(n.store.Ping, metrics, n.log)
	return nil
}

// start serves every listener. The channel gets the error of a listener that ends before stop.
func (n *node) start() <-chan error {
	serve := map[string]func(net.Listener) error{
		"imap.listen":        func(l net.Listener) error { return n.imap.Serve(l, false) },
		"imaps.listen":       func(l net.Listener) error { return n.imap.Serve(l, true) },
		"pop3.listen":        func(l net.Listener) error { return n.pop3.Serve(l, false) },
		"pop3s.listen":       func(l net.Listener) error { return n.pop3.Serve(l, true) },
		"managesieve.listen": func(l net.Listener) error { return n.sieve.Serve(l, false) },
		"lmtp.listen":        func(l net.Listener) error { return n.lmtp.Serve(l, false) },
		"lmtps.listen":       func(l net.Listener) error { return n.lmtp.Serve(l, true) },
		"http.listen":        n.web.server.Serve,
	}
	failed := make(chan error, len(n.listen))
	for _, ln := range n.cfg.Listeners() {
		l, ok := n.listen[ln.Key]
		if !ok {
			continue
		}
		n.log.Info("listening", "key", ln.Key, "address", n.address(ln.Key))
		if n.cfg.Proxied(ln.Key) {
			l = listener.Proxied(l, n.cfg.Proxy.Networks)
		}
		n.serving.Go(func() {
			if err := serve[ln.Key](l); err != nil && !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("%s: %w", ln.Key, err)
			}
		})
	}
	return failed
}

// address returns what a client of this machine connects to, "" when the listener is off.
func (n *node) address(key string) string {
	l, ok := n.listen[key]
	if !ok {
		return ""
	}
	if l.Addr().Network() == "unix" {
		return "unix:" + l.Addr().String()
	}
	return reachable(l.Addr().String())
}

// stop ends the node: no new connections, running commands end (as long as ctx), lanes are emptied, storage is closed.
// /readyz answers no from the first moment to the last, so that a balancer sees it.
func (n *node) stop(ctx context.Context) {
	n.web.draining.Store(true)
	var wg sync.WaitGroup
	for name, shutdown := range map[string]func(context.Context) error{"imap": n.imap.Shutdown, "pop3": n.pop3.Shutdown, "managesieve": n.sieve.Shutdown, "lmtp": n.lmtp.Shutdown} {
		wg.Go(func() {
			if err := shutdown(ctx); err != nil {
				n.log.Warn("connections were cut", "protocol", name, "error", err)
			}
		})
	}
	wg.Wait()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer cancel()
	if err := n.web.server.Shutdown(last); err != nil {
		_ = n.web.server.Close()
	}
	closeAll(n.listen)
	n.serving.Wait()
	n.closeStorage(last)
}

// closeStorage closes what is open, users before what they use.
func (n *node) closeStorage(ctx context.Context) {
	if n.events != nil {
		if err := n.events.Close(ctx); err != nil {
			n.log.Warn("what scripts make of IMAP events was given up", "error", err)
		}
	}
	if n.queue != nil {
		if err := n.queue.Close(ctx); err != nil {
			n.log.Warn("attempts to send mail were given up", "error", err)
		}
	}
	if n.store != nil {
		if err := n.store.Close(ctx); err != nil {
			n.log.Error("the mail store did not close in order", "error", err)
		}
	}
	if n.hints != nil {
		closeLogged(n.log, "notify", n.hints)
	}
	if n.blobs != nil {
		closeLogged(n.log, "blobs", n.blobs)
	}
	if n.meta != nil {
		closeLogged(n.log, "metadata", n.meta)
	}
	n.lock.release()
}

// versionMetric tells dashboards which version a node runs.
func versionMetric() prometheus.Collector {
	v := readVersion()
	g := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "rookery_build_info", Help: "Always 1; the labels say what was built.",
		ConstLabels: prometheus.Labels{"version": v.Version, "go": v.Go},
	})
	g.Set(1)
	return g
}
