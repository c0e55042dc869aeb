package main

import (
	"net"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rookery-mail/rookery/cmd/rookery/internal/config"
	"github.com/rookery-mail/rookery/delivery"
	"github.com/rookery-mail/rookery/imapd"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/outbound"
	"github.com/rookery-mail/rookery/sieve"
)

// newQueue starts this node's part in the outbound queue.
func (n *node) newQueue(metrics prometheus.Registerer) (*outbound.Queue, error) {
	cfg := outbound.Config{Metadata: n.meta, Bodies: n.store, Hostname: n.cfg.Hostname, MaxAge: n.cfg.Outbound.Expire, Log: n.log, Metrics: metrics}
	if n.cfg.Outbound.Submission != "" {
		var err error
		if cfg.Submission, err = outbound.ParseSubmission(n.cfg.Outbound.Submission); err != nil {
			return nil, err // not with a configuration that was read
		}
	}
	return outbound.New(cfg)
}

// newDeliverer makes what runs scripts at delivery.
func (n *node) newDeliverer(metrics prometheus.Registerer) (*delivery.Deliverer, error) {
	return delivery.New(delivery.Config{
		Store: n.store, Metadata: n.meta, Queue: n.queue, Hostname: n.cfg.Hostname, Version: readVersion().Version, Delimiter: n.cfg.Delimiter,
		Limits: sieveLimits(n.cfg), Spam: spamConfig(n.cfg), Verdicts: n.cfg.Sieve.Verdicts, Lists: scriptLists(n.cfg), Members: n.dir,
		Log: n.log, Metrics: metrics,
	})
}

// scriptLists returns the lists that all scripts may use.
func scriptLists(cfg *config.Config) []delivery.List {
	lists := slices.Clone(cfg.Sieve.Lists)
	for _, l := range cfg.Sieve.RedirectLists {
		l.Redirect = true
		lists = append(lists, l)
	}
	return lists
}

// listSchemes returns the schemes of the lists' names, each once.
func listSchemes(cfg *config.Config) []string {
	var schemes []string
	for _, l := range scriptLists(cfg) {
		scheme, _, _ := strings.Cut(l.Name, ":")
		schemes = append(schemes, scheme)
	}
	slices.Sort(schemes)
	return slices.Compact(schemes)
}

func spamConfig(cfg *config.Config) delivery.Spam {
	return delivery.Spam{Header: cfg.Spam.Header, Limit: float64(cfg.Spam.Limit), Off: !cfg.Spam.StandardScript}
}

// newEvents starts what runs scripts, and trains the spam filter, at IMAP events.
func newEvents(d *delivery.Deliverer, cfg *config.Config, metrics prometheus.Registerer) (*delivery.Events, error) {
	return d.NewEvents(delivery.EventsConfig{
		Rules: cfg.Sieve.Events, Training: delivery.Training{URL: cfg.Spam.RspamdURL, Password: cfg.Spam.RspamdPassword},
		MailboxScripts: cfg.Sieve.MailboxScripts, Metrics: metrics,
	})
}

// sieveURL names the ManageSieve server that holds the scripts of mailboxes, "" when IMAP clients are not told.
func sieveURL(cfg *config.Config) string {
	_, port, err := net.SplitHostPort(cfg.ManageSieve)
	switch {
	case err != nil || cfg.Hostname == "" || !cfg.Sieve.MailboxScripts:
		return ""
	case port == "4190": // RFC 5804 section 3
		return "sieve://" + cfg.Hostname
	}
	return "sieve://" + net.JoinHostPort(cfg.Hostname, port)
}

// imapEvents hands on what imapd says has happened.
type imapEvents struct{ *delivery.Events }

var _ imapd.Events = imapEvents{}

func (e imapEvents) Happened(ev imapd.Event) { e.Events.Happened(delivery.Event(ev)) }

// sieveLimits bound what one script may cost.
func sieveLimits(cfg *config.Config) sieve.Limits {
	return sieve.Limits{ScriptSize: int(cfg.Sieve.ScriptBytes), Redirects: cfg.Sieve.Redirects}
}

// scriptLimits bound what an account may store.
func scriptLimits(cfg *config.Config) metadata.ScriptLimits {
	return metadata.ScriptLimits{Scripts: cfg.Sieve.Scripts, ScriptBytes: cfg.Sieve.ScriptBytes, TotalBytes: cfg.Sieve.TotalBytes}
}
