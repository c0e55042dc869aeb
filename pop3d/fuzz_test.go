package pop3d

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"regexp"
	"strconv"
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

var statusLine = regexp.MustCompile(`^(\+OK|-ERR|\+ ?)[^\x00-\x1f\x7f]*\r\n$`)

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
	return c.out.String()
}

// checkReplies takes a session's replies apart: commands are counted by their status lines.
func checkReplies(t *testing.T, out string) {
	t.Helper()
	many := false
	for line := range strings.Lines(out) {
		switch {
		case many:
			many = line != ".\r\n"
		case !statusLine.MatchString(line):
			t.Fatalf("said %q in %q", line, out)
		default:
			many = strings.HasPrefix(line, "+OK") &&
				(strings.HasSuffix(line, "follow\r\n") || strings.HasSuffix(line, "follows\r\n") || strings.HasSuffix(line, "octets\r\n"))
		}
	}
}

// fuzzStates are what a client may have said before.
var fuzzStates = []string{"", "USER anna\r\n", "AUTH PLAIN\r\n", "USER anna\r\nPASS " + password + "\r\n", "USER anna\r\nPASS " + password + "\r\nDELE 1\r\n"}

func FuzzServer(f *testing.F) {
	for state := range fuzzStates {
		for _, in := range []string{
			"CAPA\r\nQUIT\r\n", "STAT\r\nLIST\r\nLIST 1\r\nUIDL\r\nRSET\r\n", "RETR 1\r\nTOP 1 1\r\nRETR 2\r\n", "AUTH\r\nAUTH PLAIN =\r\n*\r\n",
			"STLS\r\n\x16\x03\x01", "TOP 1 99999999999999999999\r\n\x00\r\n", "DELE 1\nDELE 2\nRSET\n",
		} {
			f.Add(uint8(state), []byte(in))
		}
	}
	e := newEnv(f)
	e.deliver(f, anna, "Subject: one\r\n\r\n.\r\n", "Subject: two\n\n.\nx")
	e.start(f, func(cfg *Config) { cfg.FailureDelay = time.Nanosecond })
	f.Fuzz(func(t *testing.T, state uint8, in []byte) {
		if bytes.Contains(bytes.ToUpper(in), []byte("QUIT")) {
			return // it would delete what the next round reads
		}
		checkReplies(t, e.play(t, io.MultiReader(strings.NewReader(fuzzStates[int(state)%len(fuzzStates)]), bytes.NewReader(in))))
	})
}

// Random sessions against a model of the maildrop.
func TestRandomSessions(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	e := newEnv(t)
	e.start(t, nil)
	e.account(t, anna)
	var model []string // INBOX
	for round := range 40 {
		for range r.IntN(4) {
			m := "Subject: x\r\n\r\n" + strings.Repeat(".\r\n", r.IntN(5)) + strings.Repeat("text\r\n", r.IntN(100))
			e.deliver(t, anna, m)
			model = append(model, m)
		}
		deleted := make([]bool, len(model))
		c := e.login(t)
		for range r.IntN(20) {
			n := r.IntN(len(model) + 2)
			valid := n >= 1 && n <= len(model) && !deleted[n-1]
			want := "+OK"
			if !valid {
				want = "-ERR"
			}
			switch r.IntN(5) {
			case 0:
				c.cmd("DELE "+strconv.Itoa(n), want)
				if valid {
					deleted[n-1] = true
				}
			case 1:
				c.cmd("RSET", "+OK")
				clear(deleted)
			case 2:
				c.cmd("RETR "+strconv.Itoa(n), want)
				if valid {
					if got := c.body(); got != model[n-1] {
						t.Fatalf("seed %d, round %d: message %d is %q, want %q", seed, round, n, got, model[n-1])
					}
				}
			case 3:
				count, octets := 0, 0
				for i, m := range model {
					if !deleted[i] {
						count, octets = count+1, octets+len(m)
					}
				}
				c.cmd("STAT", "+OK "+strconv.Itoa(count)+" "+strconv.Itoa(octets)+"\r\n")
			case 4:
				if c.cmd("UIDL "+strconv.Itoa(n), want); valid {
					c.cmd("LIST "+strconv.Itoa(n), "+OK "+strconv.Itoa(n)+" "+strconv.Itoa(len(model[n-1])))
				}
			}
		}
		if r.IntN(3) == 0 {
			c.Close()
			e.idle(t)
			continue
		}
		c.cmd("QUIT", "+OK")
		var left []string
		for i, m := range model {
			if !deleted[i] {
				left = append(left, m)
			}
		}
		model = left
	}
}
