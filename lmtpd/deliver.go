package lmtpd

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/rookery-mail/rookery/delivery"
	"github.com/rookery-mail/rookery/directory"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// receive reads a message to its end, whatever happens to it, and returns a reply for each recipient.
func (s *session) receive(b *body) []*smtp.SMTPError {
	b.begin()
	id := s.srv.cfg.NewID()
	var in io.Reader = b
	var content *fingerprint
	if s.severalTargets() {
		content = newFingerprint()
		in = io.TeeReader(b, content)
	}
	staged, err := s.srv.cfg.Store.Stage(s.conn.ctx, in, s.srv.cfg.MaxMessageBytes)
	if err != nil {
		_, _ = io.Copy(io.Discard, b) // the client listens only behind the end; b remembers its own error
	}
	s.srv.metrics.bytes.Add(float64(b.n))
	switch {
	case b.err != nil:
		if staged != nil {
			staged.Discard()
		}
		return s.all(refuse(451, 4, 4, 2, "Message not received")) // nobody hears it
	case err != nil:
		if mailerr.KindOf(err) == mailerr.TooBig {
			return s.all(refuse(552, 5, 3, 4, "Message too big"))
		}
		logTrouble(s.conn.log.With("id", id), "lmtp stage", err)
		return s.all(withID(s.srv.replyFor(err, atData), id))
	}
	began := time.Now()
	defer func() { s.srv.metrics.seconds.Observe(time.Since(began).Seconds()) }()
	return s.deliver(staged, id, content)
}

// all returns the same reply for each recipient.
func (s *session) all(reply *smtp.SMTPError) []*smtp.SMTPError {
	replies := make([]*smtp.SMTPError, len(s.rcpts))
	for i := range replies {
		replies[i] = reply
	}
	return replies
}

func (s *session) severalTargets() bool {
	for _, r := range s.rcpts {
		if len(r.targets) > 1 {
			return true
		}
	}
	return false
}

// copyKey names a copy within a transaction: one RCPT given twice is one copy, two addresses of an account are two.
type copyKey struct {
	account metadata.AccountID
	address string
	mailbox string
}

func keyOf(t directory.Target) copyKey { return copyKey{t.Account.ID, t.Address, t.Mailbox} }

// deliver stores a complete message. content is nil unless some recipient leads to several accounts.
func (s *session) deliver(staged *mailstore.Staged, id string, content *fingerprint) []*smtp.SMTPError {
	var (
		now    = s.srv.cfg.Now()
		copies []delivery.Recipient
		index  = map[copyKey]int{}
	)
	for _, r := range s.rcpts {
		for _, t := range r.targets {
			k := keyOf(t)
			if _, ok := index[k]; ok {
				continue
			}
			index[k] = len(copies)
			copies = append(copies, delivery.Recipient{
				Target:       t,
				To:           r.path,
				Alone:        len(r.targets) == 1,
				Body:         content.id(s.from, t),
				Prefix:       s.prefix(t.Address, r.path, id, now),
				InternalDate: now,
			})
		}
	}
	size := staged.Size()
	results := s.store(staged, id, copies)

	replies := make([]*smtp.SMTPError, len(s.rcpts))
	names := make(map[metadata.AccountID]string, len(copies)) // for the log: what an operator searches for
	for i, r := range s.rcpts {
		errs := make([]error, 0, len(r.targets))
		for _, t := range r.targets {
			names[t.Account.ID] = t.Account.Address
			errs = append(errs, results[index[keyOf(t)]].Err)
		}
		replies[i] = withID(s.srv.combine(errs), id)
	}
	attrs := []any{"id", id, "bytes", size}
	if f := s.conn.forwarded; len(f) > 0 {
		attrs = append(attrs, "origin", f.literal(), "origin_helo", f["HELO"], "queue_id", f["IDENT"])
	}
	attrs = attrs[:len(attrs):len(attrs)]
	for at, k := range copies {
		account := names[k.Target.Account.ID]
		if err := results[at].Err; err != nil {
			logTrouble(s.conn.log.With(attrs...), "lmtp not delivered", err, "account", account)
			continue
		}
		s.conn.log.Info("lmtp delivered", append(attrs, "account", account, "uid", results[at].UID)...)
	}
	return replies
}

// store is Deliver in bounded time, with a result for each copy whatever the store returns.
func (s *session) store(staged *mailstore.Staged, id string, copies []delivery.Recipient) []mailstore.Delivered {
	ctx, cancel := context.WithTimeout(s.conn.ctx, s.srv.cfg.DeliverTimeout)
	defer cancel()
	var results []mailstore.Delivered
	if d := s.srv.cfg.Deliverer; d != nil {
		results = d.Deliver(ctx, staged, s.envelope(id), copies)
	} else {
		plain := make([]mailstore.Recipient, len(copies))
		for i := range copies {
			plain[i] = copies[i].Plain()
		}
		results = s.srv.cfg.Store.Deliver(ctx, staged, plain)
	}
	for len(results) < len(copies) {
		results = append(results, mailstore.Delivered{Err: errors.New("lmtpd: the store gave no result")})
	}
	return results
}

// envelope is what scripts may know: of the client the MTA had the message from, if it said so.
func (s *session) envelope(id string) delivery.Envelope {
	env := delivery.Envelope{From: s.from, ID: id, RemoteHost: s.smtp.Hostname(), RemoteIP: remoteIP(s.conn.remote)}
	if f := s.conn.forwarded; len(f) > 0 {
		env.RemoteHost, env.RemoteIP = f["NAME"], strings.TrimPrefix(f["ADDR"], "IPV6:")
	}
	return env
}
