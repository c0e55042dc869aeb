package lmtpd

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// scriptConn is a connection whose client has said everything already and listens to the end.
type scriptConn struct {
	in     io.Reader
	mu     sync.Mutex
	out    bytes.Buffer // guarded by mu
	closed chan struct{}
	once   sync.Once
}

func newScriptConn(in io.Reader) *scriptConn {
	return &scriptConn{in: in, closed: make(chan struct{})}
}

func (c *scriptConn) Read(p []byte) (int, error) { return c.in.Read(p) }
func (c *scriptConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.out.Write(p)
}
func (c *scriptConn) Close() error                     { c.once.Do(func() { close(c.closed) }); return nil }
func (c *scriptConn) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }
func (c *scriptConn) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv6loopback} }
func (c *scriptConn) SetDeadline(time.Time) error      { return nil }
func (c *scriptConn) SetReadDeadline(time.Time) error  { return nil }
func (c *scriptConn) SetWriteDeadline(time.Time) error { return nil }

var replyLine = regexp.MustCompile(`^[2-5][0-9][0-9][ -][^\x00-\x08\x0b-\x1f\x7f]*\r$`)

// play gives a whole input to the server and returns what it said; it must have ended the connection, without a panic.
func (e *env) play(t *testing.T, in io.Reader) string {
	t.Helper()
	c := newScriptConn(in)
	e.srv.conns.ServeConn(c)
	select {
	case <-c.closed:
	case <-time.After(patience):
		t.Fatal("the server hangs")
	}
	if n := e.panics.Load(); n > 0 {
		t.Fatalf("%d panics", n)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.out.String()
	for line := range strings.Lines(out) {
		if !replyLine.MatchString(strings.TrimSuffix(line, "\n")) {
			t.Fatalf("said %q", line)
		}
	}
	return out
}

// states are what a client may have said before.
var states = []string{
	"",
	"LHLO client.example\r\n",
	"LHLO client.example\r\nMAIL FROM:<a@example.net>\r\n",
	"LHLO client.example\r\nMAIL FROM:<a@example.net>\r\nRCPT TO:<anna@example.org>\r\nRCPT TO:<anna@example.org>\r\n",
	"LHLO client.example\r\nMAIL FROM:<a@example.net>\r\nRCPT TO:<anna@example.org>\r\nDATA\r\n",
	"LHLO client.example\r\nMAIL FROM:<a@example.net>\r\nRCPT TO:<anna@example.org>\r\nBDAT 5\r\nhello",
}

func FuzzServer(f *testing.F) {
	for state := range states {
		for _, in := range []string{
			"MAIL FROM:<a@b>\r\n", "RCPT TO:<postmaster>\r\nDATA\r\n.\r\n", "BDAT 3 LAST\r\nabcRSET\r\n", "..\r\n.\r\nQUIT\r\n",
			"STARTTLS\r\n\x16\x03\x01", "LHLO x\r\nAUTH PLAIN AAAA\r\nVRFY x\r\n", "BDAT 99999999999999999999 LAST\r\n", "\r\n\r\n.\r\n\x00",
		} {
			f.Add(uint8(state), []byte(in))
		}
	}
	e := newEnv(f)
	e.account(f, "anna@example.org")
	e.start(f, func(cfg *Config) { cfg.MaxMessageBytes = 1000 })
	f.Fuzz(func(t *testing.T, state uint8, in []byte) {
		e.play(t, io.MultiReader(strings.NewReader(states[int(state)%len(states)]), bytes.NewReader(in)))
	})
}

// Random commands in random pieces. Whatever they were, the server counts answers: a transaction that got through is
// answered once for each accepted recipient, and what was answered 250 is stored.
func TestRandomCommands(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	e := newEnv(t)
	anna := e.account(t, "anna@example.org")
	e.start(t, func(cfg *Config) { cfg.MaxMessageBytes = 200; cfg.MaxRecipients = 3 })
	words := []string{
		"LHLO x\r\n", "MAIL FROM:<a@example.net>\r\n", "MAIL FROM:<>\r\n", "RCPT TO:<anna@example.org>\r\n", "RCPT TO:<anna>\r\n",
		"RCPT TO:<nobody@example.org>\r\n", "DATA\r\n", "line\r\n", "..\r\n", ".\r\n", "\r\n", "BDAT 0\r\n", "BDAT 0 LAST\r\n", "BDAT 5\r\nab\r\n.",
		"BDAT 6 LAST\r\nRSET\r\n", "RSET\r\n", "NOOP\r\n", "QUIT\r\n", "VRFY x\r\n", "STARTTLSX\r\n", "\x00\r\n", strings.Repeat("y", 300) + "\r\n",
	}
	stored := 0
	for range 400 {
		var in strings.Builder
		in.WriteString("LHLO x\r\n")
		for range r.IntN(30) {
			in.WriteString(words[r.IntN(len(words))])
		}
		out := e.play(t, &pieces{r: r, rest: in.String()})
		// One copy for each address and transaction: "anna" is anna@example.org.
		seen := map[string]bool{}
		for line := range strings.Lines(out) {
			if strings.HasPrefix(line, "250 2.1.5 <") {
				id := line[strings.LastIndexByte(line, '('):]
				if !seen[id] {
					seen[id] = true
					stored++
				}
			}
		}
	}
	if got := len(e.stored(t, anna.Address)); got != stored {
		t.Errorf("seed %d: %d messages answered 250, %d stored", seed, stored, got)
	}
}

// pieces reads a string in random pieces.
type pieces struct {
	r    *rand.Rand
	rest string
}

func (p *pieces) Read(b []byte) (int, error) {
	if p.rest == "" {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), 1+p.r.IntN(20))], p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// What goes through go-smtp and conn is what a client of few words expects: replies in order, each in its place.
func TestRepliesAreCounted(t *testing.T) {
	e := newEnv(t)
	e.account(t, "anna@example.org")
	e.start(t, nil)
	var in strings.Builder
	in.WriteString("LHLO x\r\n")
	const n = 50
	for i := range n {
		fmt.Fprintf(&in, "MAIL FROM:<a@example.net>\r\nRCPT TO:<anna@example.org>\r\nBDAT 4\r\n%04dBDAT 0 LAST\r\n", i)
	}
	in.WriteString("QUIT\r\n")
	out := e.play(t, strings.NewReader(in.String()))
	s := bufio.NewScanner(strings.NewReader(out))
	replies := 0
	for s.Scan() {
		if s.Text()[3] == ' ' {
			replies++
		}
	}
	if want := 1 + 1 + 4*n + 1; replies != want {
		t.Errorf("%d replies, want %d", replies, want)
	}
	for i, m := range e.stored(t, "anna@example.org") {
		if got := string(withoutPrefix(t, m)); got != fmt.Sprintf("%04d", i) {
			t.Fatalf("message %d is %q", i, got)
		}
	}
}

// FuzzAttributes: what XCLIENT and XFORWARD take ends up in logs and header lines.
func FuzzAttributes(f *testing.F) {
	for _, s := range []string{"NAME=a ADDR=192.0.2.1", "HELO=a+2Eb addr=IPV6:::1 port=25", "IDENT=+", "NAME=+FF", "NAME=[UNAVAILABLE] SOURCE=LOCAL", "=", "PROTO=x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a := attributes{"NAME": "before"}
		if err := a.merge(s, xforwardNames); err != nil && (len(a) != 1 || a["NAME"] != "before") {
			t.Errorf("%q: refused, and changed to %v", s, a)
		}
		for name, v := range a {
			if v == "" || len(v) > maxAttribute || hasControl([]byte(v)) || !contains(xforwardNames, name) {
				t.Errorf("%q: %s=%q", s, name, v)
			}
		}
	})
}
