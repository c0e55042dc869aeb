package outbound_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// submission is a server that takes mail, or does not.
type submission struct {
	t    *testing.T
	addr string

	mu       sync.Mutex
	answer   func(to string, n int) error // guarded by mu: for RCPT; n counts the tries of a recipient from 1
	after    func(to string, n int) error // guarded by mu: for the message
	tries    map[string]int               // guarded by mu
	received []received                   // guarded by mu
	logins   int                          // guarded by mu
	hosts    map[string]bool              // guarded by mu: names in EHLO
	came     chan struct{}                // one token for each message taken
}

type received struct {
	from, to, data string
	utf8           bool
}

// newSubmission starts a server; mode is "starttls", "implicit" or "none".
func newSubmission(t *testing.T, mode string) *submission {
	t.Helper()
	s := &submission{t: t, tries: map[string]int{}, hosts: map[string]bool{}, came: make(chan struct{}, 1000)}
	srv := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &submissionSession{s: s, conn: c}, nil }))
	srv.Domain, srv.EnableSMTPUTF8, srv.ReadTimeout = "submission.example", true, time.Minute
	srv.ErrorLog = silent{}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = ln.Addr().String()
	switch mode {
	case "none":
		srv.AllowInsecureAuth = true
	case "starttls":
		srv.TLSConfig = selfSigned(t)
	case "implicit":
		srv.TLSConfig = selfSigned(t)
		ln = tls.NewListener(ln, srv.TLSConfig)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(ln) }()
	t.Cleanup(func() { _ = srv.Close(); <-done })
	return s
}

type silent struct{}

func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

func (s *submission) messages() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]received(nil), s.received...)
}

// wait waits for n messages in all.
func (s *submission) wait(n int) []received {
	s.t.Helper()
	deadline := time.After(time.Minute)
	for {
		if got := s.messages(); len(got) >= n {
			return got
		}
		select {
		case <-s.came:
		case <-deadline:
			s.t.Fatalf("%d messages came, want %d", len(s.messages()), n)
		}
	}
}

type submissionSession struct {
	s        *submission
	conn     *smtp.Conn
	from, to string
	utf8     bool
}

var _ smtp.AuthSession = (*submissionSession)(nil)

func (x *submissionSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (x *submissionSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "rookery" || password != "se:cret" {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "no"}
		}
		x.s.mu.Lock()
		defer x.s.mu.Unlock()
		x.s.logins++
		return nil
	}), nil
}

func (x *submissionSession) Mail(from string, o *smtp.MailOptions) error {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	x.s.hosts[x.conn.Hostname()] = true
	x.from, x.utf8 = from, o.UTF8
	return nil
}

func (x *submissionSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	x.to = to
	x.s.tries[to]++
	if x.s.answer != nil {
		return x.s.answer(to, x.s.tries[to])
	}
	return nil
}

func (x *submissionSession) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	x.s.mu.Lock()
	after, n := x.s.after, x.s.tries[x.to]
	x.s.mu.Unlock()
	if after != nil {
		if err := after(x.to, n); err != nil {
			return err
		}
	}
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	x.s.received = append(x.s.received, received{x.from, x.to, string(data), x.utf8})
	x.s.came <- struct{}{}
	return nil
}

func (x *submissionSession) Reset()        {}
func (x *submissionSession) Logout() error { return nil }

func selfSigned(t *testing.T) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "submission"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}
