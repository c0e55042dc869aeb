package listener

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds what a test waits for.
const patience = time.Minute

// echo says who its client is and repeats lines until it is stopped, or its client ends.
type echo struct {
	Conn
	once sync.Once
	stop chan struct{}
}

func newEcho(c Conn) Session { return &echo{Conn: c, stop: make(chan struct{})} }

func (e *echo) Serve() {
	where := "far"
	if e.Local {
		where = "local"
	}
	_, _ = io.WriteString(e.Net, "hello "+where+" "+e.Net.RemoteAddr().String()+"\n")
	in := bufio.NewReader(e.Net)
	for {
		line, err := in.ReadString('\n')
		switch {
		case err != nil:
			select {
			case <-e.stop:
				_, _ = io.WriteString(e.Net, "bye\n")
			default:
			}
			return
		case line == "panic\n":
			panic("asked for")
		case line == "busy\n":
			_, _ = io.WriteString(e.Net, "ok\n")
			_, _ = io.Copy(io.Discard, deaf{e.Net}) // no stop ends this
			return
		}
		_, _ = io.WriteString(e.Net, line)
	}
}

func (e *echo) Stop() {
	e.once.Do(func() { close(e.stop) })
	e.Net.SetReadDeadline(time.Unix(1, 0))
}

func (e *echo) Abort() {}

// deaf reads until the socket is closed.
type deaf struct{ net.Conn }

func (d deaf) Read(p []byte) (int, error) {
	for {
		_ = d.SetReadDeadline(time.Time{})
		n, err := d.Conn.Read(p)
		if !errors.Is(err, context.DeadlineExceeded) && !isTimeout(err) {
			return n, err
		}
	}
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

// start serves on a port of loopback; wrap may make connections look otherwise.
func start(t *testing.T, cfg Config, wrap func(net.Listener) net.Listener) (*Server, string) {
	t.Helper()
	cfg.Protocol, cfg.Busy, cfg.Log = "echo", "busy\n", slog.New(slog.DiscardHandler)
	if cfg.Open == nil {
		cfg.Open = newEcho
	}
	s := New(cfg)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if wrap != nil {
		l = wrap(l)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l, cfg.TLS != nil) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return s, addr
}

type client struct {
	net.Conn
	t  *testing.T
	in *bufio.Reader
}

func dial(t *testing.T, addr string) *client {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return &client{c, t, bufio.NewReader(c)}
}

// expect reads a line; "" is the connection's end.
func (c *client) expect(want string) {
	c.t.Helper()
	got, err := c.in.ReadString('\n')
	if isTimeout(err) || got != want {
		c.t.Fatalf("got %q, %v; want %q", got, err, want)
	}
}

func (c *client) send(s string) {
	c.t.Helper()
	if _, err := io.WriteString(c, s); err != nil {
		c.t.Fatal(err)
	}
}

func hello(c *client) string { return "hello local " + c.LocalAddr().String() + "\n" }

// waitFor waits until there are n connections.
func waitFor(t *testing.T, s *Server, n int) {
	t.Helper()
	for deadline := time.Now().Add(patience); s.Len() != n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d connections, want %d", s.Len(), n)
		}
	}
}

func TestMaxConnections(t *testing.T) {
	s, addr := start(t, Config{MaxConnections: 2}, nil)
	a, b := dial(t, addr), dial(t, addr)
	a.expect(hello(a))
	b.expect(hello(b))
	c := dial(t, addr)
	c.expect("busy\n")
	c.expect("")
	a.Close()
	waitFor(t, s, 1)
	d := dial(t, addr)
	d.expect(hello(d))
}

func TestPanicEndsOneConnection(t *testing.T) {
	s, addr := start(t, Config{}, nil)
	a, b := dial(t, addr), dial(t, addr)
	a.expect(hello(a))
	b.expect(hello(b))
	a.send("panic\n")
	a.expect("")
	waitFor(t, s, 1)
	b.send("still here\n")
	b.expect("still here\n")
}

func TestShutdown(t *testing.T) {
	s, addr := start(t, Config{}, nil)
	a := dial(t, addr)
	a.expect(hello(a))
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.expect("bye\n")
	a.expect("")
	if s.Context().Err() == nil {
		t.Error("the context goes on")
	}
	if c, err := net.Dial("tcp", addr); err == nil {
		c.Close()
		t.Error("connections are still accepted")
	}
}

// A session that hears neither Stop nor Abort loses its socket.
func TestShutdownCuts(t *testing.T) {
	s, addr := start(t, Config{}, nil)
	a := dial(t, addr)
	a.expect(hello(a))
	a.send("busy\n")
	a.expect("ok\n")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown: %v", err)
	}
	a.expect("")
	if n := s.Len(); n != 0 {
		t.Errorf("%d sessions go on", n)
	}
}

func TestImplicitTLSNeedsConfiguration(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := New(Config{Protocol: "echo", Open: newEcho}).Serve(l, true); err == nil {
		t.Error("served without")
	}
}

// Who never shakes hands is refused nothing and holds up nobody, and the session sees a connection of crypto/tls.
func TestImplicitTLS(t *testing.T) {
	opened := make(chan Conn, 1)
	s, addr := start(t, Config{TLS: &tls.Config{}, Open: func(c Conn) Session { opened <- c; return newEcho(c) }}, nil)
	c := dial(t, addr)
	got := <-opened
	if _, ok := got.Net.(*tls.Conn); !ok || !got.Local || got.ID == "" {
		t.Errorf("%T local %v id %q", got.Net, got.Local, got.ID)
	}
	c.Close()
	waitFor(t, s, 0)
}

// farListener makes connections look as if they came from addresses of other machines, one after the other.
type farListener struct {
	net.Listener
	mu   sync.Mutex
	from []string
}

func (l *farListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	addr := l.from[0]
	if len(l.from) > 1 {
		l.from = l.from[1:]
	}
	return farConn{c, net.TCPAddrFromAddrPort(netip.MustParseAddrPort(addr))}, nil
}

func far(from ...string) func(net.Listener) net.Listener {
	return func(l net.Listener) net.Listener { return &farListener{Listener: l, from: from} }
}

type farConn struct {
	net.Conn
	from net.Addr
}

func (c farConn) RemoteAddr() net.Addr { return c.from }

func TestMaxPerAddress(t *testing.T) {
	s, addr := start(t, Config{MaxPerAddress: 2},
		far("192.0.2.1:1", "192.0.2.1:2", "192.0.2.1:3", "192.0.2.2:4", "[2001:db8::1]:5", "[2001:db8::2]:6", "[2001:db8::ffff]:7", "192.0.2.1:8"))
	a, b := dial(t, addr), dial(t, addr)
	a.expect("hello far 192.0.2.1:1\n")
	b.expect("hello far 192.0.2.1:2\n")
	dial(t, addr).expect("busy\n")
	dial(t, addr).expect("hello far 192.0.2.2:4\n")
	dial(t, addr).expect("hello far [2001:db8::1]:5\n")
	dial(t, addr).expect("hello far [2001:db8::2]:6\n")
	dial(t, addr).expect("busy\n") // of the same /64
	waitFor(t, s, 5)
	a.Close()
	waitFor(t, s, 4)
	dial(t, addr).expect("hello far 192.0.2.1:8\n")
}

// This machine's own connections are not counted.
func TestLoopbackIsNotLimited(t *testing.T) {
	_, addr := start(t, Config{MaxPerAddress: 1, MaxRate: 1}, nil)
	for range 3 {
		c := dial(t, addr)
		c.expect(hello(c))
	}
}

func TestMaxRate(t *testing.T) {
	_, addr := start(t, Config{MaxRate: 2}, far("192.0.2.1:1", "192.0.2.1:2", "192.0.2.1:3", "192.0.2.9:4"))
	dial(t, addr).expect("hello far 192.0.2.1:1\n")
	dial(t, addr).expect("hello far 192.0.2.1:2\n")
	dial(t, addr).expect("busy\n")
	dial(t, addr).expect("hello far 192.0.2.9:4\n")
}

// The memory of rates is as large as what it has to remember.
func TestRatesForget(t *testing.T) {
	r := NewRates(60_000_000) // full again after a microsecond
	for i := range 10 * leastSweep {
		a, _ := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}).Prefix(32)
		if !r.Allow(a) {
			t.Fatal(i)
		}
	}
	if n := len(r.by); n > 2*leastSweep {
		t.Errorf("%d addresses remembered", n)
	}
}

var proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func proxied(l net.Listener) net.Listener { return Proxied(l, proxies) }

func header(t *testing.T, version byte, from string) string {
	t.Helper()
	addr := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(from))
	to := &net.TCPAddr{IP: net.IPv4(198, 51, 100, 1), Port: 143}
	if addr.IP.To4() == nil {
		to.IP = net.ParseIP("2001:db8::143")
	}
	b, err := proxyproto.HeaderProxyFromAddrs(version, addr, to).Format()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestProxied(t *testing.T) {
	_, addr := start(t, Config{MaxPerAddress: 1}, proxied)
	// Silent at first: it holds up nobody.
	slow := dial(t, addr)
	for _, version := range []byte{1, 2} {
		for _, from := range []string{"192.0.2.1:1000", "[2001:db8::1]:1000"} {
			c := dial(t, addr)
			c.send(header(t, version, from) + "first\n")
			c.expect("hello far " + from + "\n")
			c.expect("first\n")
			// The limit is the client's, not the proxy's.
			other := dial(t, addr)
			other.send(header(t, version, from))
			other.expect("busy\n")
			c.Close()
			waitForFree(t, addr, version, from)
		}
	}
	slow.send(header(t, 1, "127.0.0.1:5"))
	slow.expect("hello local 127.0.0.1:5\n")
}

// waitForFree waits until an address may connect again, by connecting; the connection is closed when it returns.
func waitForFree(t *testing.T, addr string, version byte, from string) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		c := dial(t, addr)
		c.send(header(t, version, from))
		line, _ := c.in.ReadString('\n')
		c.send("panic\n")
		c.Close()
		if line != "busy\n" {
			return
		}
	}
	t.Fatal("the address stays counted")
}

// A health check of the proxy itself.
func TestProxiedLocalCommand(t *testing.T) {
	_, addr := start(t, Config{}, proxied)
	c := dial(t, addr)
	c.send("\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00")
	c.expect(hello(c))
}

func TestProxiedWithoutHeader(t *testing.T) {
	for _, first := range []string{"a LOGIN x y\r\n", "PROXY TCP4 nonsense\r\n", "\r\n\r\n\x00\r\nQUIT\n\xff\xff\xff\xff"} {
		_, addr := start(t, Config{ProxyHeaderTimeout: time.Second}, proxied)
		c := dial(t, addr)
		c.send(first)
		got, _ := c.in.ReadString('\n')
		if got != "" {
			t.Errorf("%q: %q", first, got)
		}
	}
	s, addr := start(t, Config{ProxyHeaderTimeout: 20 * time.Millisecond}, proxied)
	c := dial(t, addr)
	c.expect("")
	waitFor(t, s, 0)
}

// Elsewhere a header is not one.
func TestHeaderFromUntrustedNetwork(t *testing.T) {
	_, addr := start(t, Config{}, func(l net.Listener) net.Listener { return proxied(far("192.0.2.7:1")(l)) })
	c := dial(t, addr)
	c.expect("hello far 192.0.2.7:1\n")
	h := header(t, 1, "127.0.0.1:5")
	c.send(h)
	c.expect(h)
}

// A proxy on another machine does not make clients local.
func TestFarProxyIsNotLocal(t *testing.T) {
	nets := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	_, addr := start(t, Config{}, func(l net.Listener) net.Listener { return Proxied(far("192.0.2.7:1")(l), nets) })
	c := dial(t, addr)
	c.send(header(t, 2, "127.0.0.1:5"))
	c.expect("hello far 127.0.0.1:5\n")
}

func TestShutdownInProxyHeader(t *testing.T) {
	s, addr := start(t, Config{}, proxied)
	c := dial(t, addr)
	waitFor(t, s, 1)
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	c.expect("")
}
