package outbound

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/rookery-mail/rookery/metadata"
)

// Time-outs of RFC 5321 section 4.5.3.2, the longer of those the library puts together.
const (
	dialTimeout    = 30 * time.Second
	commandTimeout = 5 * time.Minute
	answerTimeout  = 10 * time.Minute
)

// client is a connection to the submission server.
type client struct {
	*smtp.Client
	conn net.Conn
	used int // transactions
}

// maxTransactions of one connection: servers have limits of their own.
const maxTransactions = 100

// quit ends a connection in good order, if there is one.
func (c *client) quit() {
	if c == nil {
		return
	}
	c.CommandTimeout = 2 * time.Second
	_ = c.Quit() // the connection is closed by it, or by the next line
	_ = c.Close()
}

// refusal is an answer of the server to a transaction: to MAIL, RCPT or the message.
type refusal struct {
	permanent bool
	err       *smtp.SMTPError
}

func (r *refusal) Error() string {
	if r.err.EnhancedCode == smtp.EnhancedCodeNotSet || r.err.EnhancedCode == smtp.NoEnhancedCode {
		return fmt.Sprintf("%d %s", r.err.Code, r.err.Message)
	}
	return fmt.Sprintf("%d %s %s", r.err.Code, enhanced(r.err.EnhancedCode), r.err.Message)
}

func (r *refusal) Unwrap() error { return r.err }

func enhanced(c smtp.EnhancedCode) string { return fmt.Sprintf("%d.%d.%d", c[0], c[1], c[2]) }

// refused classifies what a command of a transaction returned.
func refused(err error) error {
	var se *smtp.SMTPError
	if !errors.As(err, &se) {
		return err
	}
	r := &refusal{err: se, permanent: se.Code/100 == 5}
	switch se.Code {
	case 500, 501, 502, 503, 504: // what we said was wrong: a fault of ours, or of the server
		r.permanent = se.Code == 501
	case 530, 534, 535, 538: // login or encryption (RFC 4954 section 6): the configuration's, not the message's
		r.permanent = false
	}
	return r
}

// send makes one attempt. c may be nil. It returns the connection if it can be used again, and the server's answer.
func (q *Queue) send(ctx context.Context, c *client, it *metadata.OutboundItem) (_ *client, answer string, err error) {
	if c != nil && c.used >= maxTransactions {
		c.quit()
		c = nil
	}
	if c != nil {
		// The server may have closed it meanwhile: that is no reason to wait for the next attempt.
		stop := c.watch(ctx)
		err := c.Reset()
		if stop(); err != nil {
			_ = c.Close()
			c = nil
		}
	}
	if c == nil {
		if c, err = q.dial(ctx); err != nil {
			return nil, "", fmt.Errorf("submission server: %w", err)
		}
	}
	stop := c.watch(ctx)
	defer stop()
	c.used++
	answer, err = q.transact(ctx, c, it)
	var no *refusal
	switch {
	case err == nil:
		return c, answer, nil
	case errors.As(err, &no) && no.err.Code != 421:
		return c, "", err
	}
	_ = c.Close()
	if ctx.Err() != nil {
		err = fmt.Errorf("%w (%w)", context.Cause(ctx), err)
	}
	return nil, "", err
}

// watch closes the connection when ctx ends, until stop is called.
func (c *client) watch(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() { _ = c.conn.SetDeadline(time.Unix(1, 0)); _ = c.conn.Close() })
}

func (q *Queue) dial(ctx context.Context) (_ *client, err error) {
	sub := q.cfg.Submission
	d := net.Dialer{Timeout: dialTimeout}
	conn, err := d.DialContext(ctx, "tcp", sub.Address)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = conn.Close()
		}
	}()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	tlsConfig := &tls.Config{ServerName: sub.Host, InsecureSkipVerify: sub.Insecure, MinVersion: tls.VersionTLS12} //nolint:gosec // by configuration
	c := &client{conn: conn}
	switch sub.TLS {
	case ImplicitTLS:
		tc := tls.Client(conn, tlsConfig)
		_ = conn.SetDeadline(time.Now().Add(dialTimeout))
		if err := tc.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		_ = conn.SetDeadline(time.Time{})
		c.Client = smtp.NewClient(tc)
	case StartTLS:
		if c.Client, err = smtp.NewClientStartTLS(conn, tlsConfig); err != nil {
			return nil, err
		}
	case NoTLS:
		c.Client = smtp.NewClient(conn)
	}
	c.CommandTimeout, c.SubmissionTimeout = commandTimeout, answerTimeout
	if err := c.Hello(q.cfg.Hostname); err != nil { // after STARTTLS again, as RFC 3207 section 4.2 has it
		return nil, err
	}
	if sub.User != "" {
		if err := c.login(sub); err != nil {
			return nil, fmt.Errorf("login: %w", err)
		}
	}
	return c, nil
}

func (c *client) login(sub *Submission) error {
	_, mechanisms := c.Extension("AUTH")
	offered := strings.Fields(strings.ToUpper(mechanisms))
	for _, m := range offered {
		if m == sasl.Plain {
			return c.Auth(sasl.NewPlainClient("", sub.User, sub.Password))
		}
	}
	for _, m := range offered {
		if m == sasl.Login {
			return c.Auth(sasl.NewLoginClient(sub.User, sub.Password))
		}
	}
	return fmt.Errorf("the server offers neither PLAIN nor LOGIN but %q", mechanisms)
}

// transact is MAIL, RCPT, DATA.
func (q *Queue) transact(ctx context.Context, c *client, it *metadata.OutboundItem) (answer string, err error) {
	opts := &smtp.MailOptions{Size: it.Body.Stored + int64(len(it.Body.Prefix))}
	if !isASCII(it.From) || !isASCII(it.To) {
		if ok, _ := c.Extension("SMTPUTF8"); !ok {
			return "", &refusal{permanent: true, err: &smtp.SMTPError{Code: 553, EnhancedCode: smtp.EnhancedCode{5, 6, 7},
				Message: "the submission server takes no international addresses"}}
		}
		opts.UTF8 = true
	}
	if err := c.Mail(it.From, opts); err != nil {
		return "", refused(err)
	}
	if err := c.Rcpt(it.To, nil); err != nil {
		return "", refused(err)
	}
	w, err := c.Data()
	if err != nil {
		return "", refused(err)
	}
	if _, err := io.Copy(w, q.cfg.Bodies.OpenOutbound(ctx, &it.Body)); err != nil {
		return "", fmt.Errorf("the message ended early: %w", err) // the connection is closed without the final dot
	}
	resp, err := w.CloseWithResponse()
	if err != nil {
		return "", refused(err)
	}
	return resp.StatusText, nil
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}
