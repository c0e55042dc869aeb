package listener

import (
	"net"
	"net/netip"
	"sync"
)

// Count counts what there is of each key. The zero value is ready.
type Count[K comparable] struct {
	mu sync.Mutex // guards n
	n  map[K]int
}

// Enter counts one more; false, and nothing counted, when there are limit already. 0 is no limit.
func (c *Count[K]) Enter(key K, limit int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if limit > 0 && c.n[key] >= limit {
		return false
	}
	if c.n == nil {
		c.n = make(map[K]int)
	}
	c.n[key]++
	return true
}

// Leave counts one less.
func (c *Count[K]) Leave(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n[key]--; c.n[key] <= 0 {
		delete(c.n, key)
	}
}

// address returns what limits of a client's address count by, see Client. false for loopback and unix sockets: behind them is a
// proxy or this machine's own administrator.
func address(a net.Addr) (netip.Prefix, bool) {
	p, local := Client(a)
	return p, !local
}

// Client returns what a client's address is counted by: IPv4 addresses, and IPv6 networks of 64 bits, because one client has as
// many addresses there as it likes. It is local on loopback and on unix sockets, which are all one.
func Client(a net.Addr) (p netip.Prefix, local bool) {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}, true
	}
	ip := tcp.AddrPort().Addr().Unmap().WithZone("")
	if !ip.IsValid() || ip.IsLoopback() {
		return netip.Prefix{}, true
	}
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	p, _ = ip.Prefix(bits) // there is no shorter address
	return p, false
}
