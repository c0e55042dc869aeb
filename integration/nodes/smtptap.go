package nodes

import (
	"bufio"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
)

// SMTPStage is a moment of an SMTP transaction.
type SMTPStage int

// The moments at which an SMTPTap can hold a transaction.
const (
	SMTPPass    SMTPStage = iota // none
	SMTPBegin                    // before MAIL reaches the server
	SMTPContent                  // the server has the header and a part of the body
	SMTPAnswer                   // the server has answered to the message, and the client has not heard it
)

// SMTPMessage is what a transaction was about.
type SMTPMessage struct{ To, Subject string }

// SMTPTap stands between SMTP or LMTP clients and a server, and stops time for transactions. A transaction has one recipient.
type SMTPTap struct {
	Addr string

	upstream string

	mu    sync.Mutex
	stage func(n int) SMTPStage // guarded by mu: of transaction n
	count int                   // guarded by mu: transactions begun since Hold
	held  int                   // guarded by mu
	taken []SMTPMessage         // guarded by mu
	lost  []SMTPMessage         // guarded by mu
	ended chan struct{}         // guarded by mu: closed by Drop
}

// TapSMTP returns a tap in front of a server: everything passes.
func TapSMTP(t testing.TB, upstream string) *SMTPTap {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tap := &SMTPTap{Addr: l.Addr().String(), upstream: upstream, ended: make(chan struct{})}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { tap.serve(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		tap.Drop()
		all.Wait()
	})
	return tap
}

// Hold stops transactions from now on: the nth one, counted from 0, at the stage of n.
func (tap *SMTPTap) Hold(stage func(n int) SMTPStage) {
	tap.mu.Lock()
	defer tap.mu.Unlock()
	tap.stage, tap.count = stage, 0
}

// Held returns how many transactions stand still.
func (tap *SMTPTap) Held() int {
	tap.mu.Lock()
	defer tap.mu.Unlock()
	return tap.held
}

// Drop breaks all connections and lets what comes later pass. It returns the messages that the server has taken and whose client
// will never know.
func (tap *SMTPTap) Drop() []SMTPMessage {
	tap.mu.Lock()
	defer tap.mu.Unlock()
	close(tap.ended)
	taken := tap.taken
	tap.ended, tap.stage, tap.taken = make(chan struct{}), nil, nil
	return taken
}

// Lost returns the messages that the server got whole and gave no answer to.
func (tap *SMTPTap) Lost() []SMTPMessage {
	tap.mu.Lock()
	defer tap.mu.Unlock()
	return slices.Clone(tap.lost)
}

// begin returns the stage at which a new transaction stops.
func (tap *SMTPTap) begin() SMTPStage {
	tap.mu.Lock()
	defer tap.mu.Unlock()
	if tap.stage == nil {
		return SMTPPass
	}
	tap.count++
	return tap.stage(tap.count - 1)
}

var errDropped = errors.New("dropped")

// hold waits for Drop. taken is nil unless the server has taken the message.
func (tap *SMTPTap) hold(taken *SMTPMessage) error {
	tap.mu.Lock()
	tap.held++
	if taken != nil {
		tap.taken = append(tap.taken, *taken)
	}
	ended := tap.ended
	tap.mu.Unlock()
	<-ended
	tap.mu.Lock()
	tap.held--
	tap.mu.Unlock()
	return errDropped
}

func (tap *SMTPTap) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", tap.upstream)
	if err != nil {
		return
	}
	defer server.Close()
	tap.mu.Lock()
	ended := tap.ended
	tap.mu.Unlock()
	done := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-ended:
		case <-done:
		}
		client.Close()
		server.Close()
	})
	s := smtpSession{tap: tap, client: client, server: server, fromClient: bufio.NewReader(client), fromServer: bufio.NewReader(server)}
	_ = s.run() // a broken connection is what its client sees
	close(done)
	watch.Wait()
}

// smtpSession is one connection, a command and its reply at a time.
type smtpSession struct {
	tap                    *SMTPTap
	client, server         net.Conn
	fromClient, fromServer *bufio.Reader
	stage                  SMTPStage
	message                SMTPMessage
}

func (s *smtpSession) run() error {
	if _, err := s.reply(); err != nil {
		return err
	}
	for {
		line, err := s.fromClient.ReadString('\n')
		if err != nil {
			return err
		}
		verb := strings.ToUpper(strings.TrimSpace(line[:min(4, len(line))]))
		switch verb {
		case "MAIL":
			s.message, s.stage = SMTPMessage{}, s.tap.begin()
			if s.stage == SMTPBegin {
				return s.tap.hold(nil)
			}
		case "RCPT":
			_, to, _ := strings.Cut(line, "<")
			s.message.To, _, _ = strings.Cut(to, ">")
		}
		if _, err := io.WriteString(s.server, line); err != nil {
			return err
		}
		code, err := s.reply()
		if err != nil {
			return err
		}
		if verb == "DATA" && code == '3' {
			if err := s.content(); err != nil {
				return err
			}
		}
	}
}

// content passes on a message and the answer to it.
func (s *smtpSession) content() error {
	header := true
	for {
		line, err := s.fromClient.ReadString('\n')
		if err != nil {
			return err
		}
		if subject, ok := strings.CutPrefix(line, "Subject: "); ok && header {
			s.message.Subject = strings.TrimSpace(subject)
		}
		if header && line == "\r\n" {
			header = false
			if s.stage == SMTPContent {
				return s.tap.hold(nil)
			}
		}
		if _, err := io.WriteString(s.server, line); err != nil {
			return err
		}
		if line == ".\r\n" {
			break
		}
	}
	text, err := s.read()
	if err != nil {
		s.tap.mu.Lock()
		s.tap.lost = append(s.tap.lost, s.message)
		s.tap.mu.Unlock()
		return err
	}
	if s.stage != SMTPAnswer {
		_, err := io.WriteString(s.client, text)
		return err
	}
	if text[0] != '2' {
		return s.tap.hold(nil)
	}
	return s.tap.hold(&s.message)
}

// reply passes on the server's reply and returns its first digit.
func (s *smtpSession) reply() (byte, error) {
	text, err := s.read()
	if err != nil {
		return 0, err
	}
	_, err = io.WriteString(s.client, text)
	return text[0], err
}

func (s *smtpSession) read() (string, error) {
	var b strings.Builder
	for {
		line, err := s.fromServer.ReadString('\n')
		b.WriteString(line)
		if err != nil {
			return "", err
		}
		if len(line) < 4 || line[3] != '-' {
			return b.String(), nil
		}
	}
}
