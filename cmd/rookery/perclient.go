package main

import (
	"net"
	"net/netip"
	"sync"
)

// perClient is a listener that closes connections at once when their address has too many already. Loopback and unix sockets
// are not counted: behind them is a proxy or this machine's own administrator.
type perClient struct {
	net.Listener
	limit int

	mu   sync.Mutex // guards open
	open map[netip.Addr]int
}

func newPerClient(l net.Listener, limit int) net.Listener {
	return &perClient{Listener: l, limit: limit, open: make(map[netip.Addr]int)}
}

// Accept returns the next connection that may stay.
func (p *perClient) Accept() (net.Conn, error) {
	for {
		c, err := p.Listener.Accept()
		if err != nil {
			return nil, err
		}
		tcp, ok := c.RemoteAddr().(*net.TCPAddr)
		if !ok {
			return c, nil
		}
		addr := tcp.AddrPort().Addr().Unmap()
		if addr.IsLoopback() {
			return c, nil
		}
		if !p.enter(addr) {
			_ = c.Close()
			continue
		}
		return &countedConn{Conn: c, leave: sync.OnceFunc(func() { p.leave(addr) })}, nil
	}
}

func (p *perClient) enter(addr netip.Addr) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open[addr] >= p.limit {
		return false
	}
	p.open[addr]++
	return true
}

func (p *perClient) leave(addr netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open[addr]--; p.open[addr] <= 0 {
		delete(p.open, addr)
	}
}

// countedConn leaves the count when it is closed.
type countedConn struct {
	net.Conn
	leave func()
}

// Close closes the connection.
func (c *countedConn) Close() error {
	c.leave()
	return c.Conn.Close()
}

// NetConn returns the connection itself, as tls.Conn does, for those who look whether it is loopback or set TCP options.
func (c *countedConn) NetConn() net.Conn { return c.Conn }
