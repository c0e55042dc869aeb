package listener

import (
	"net"
	"net/netip"

	"github.com/pires/go-proxyproto"
)

// Proxied returns a listener whose connections from the networks begin with a PROXY header, which says who the client is.
// Connections from elsewhere are the clients' own. l without networks is l itself.
func Proxied(l net.Listener, networks []netip.Prefix) net.Listener {
	if len(networks) == 0 {
		return l
	}
	return &proxiedListener{l, networks}
}

type proxiedListener struct {
	net.Listener
	networks []netip.Prefix
}

// Accept returns the next connection, its header still to be read.
func (l *proxiedListener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err == nil && Within(l.networks, nc.RemoteAddr()) {
		nc = &proxiedConn{nc}
	}
	return nc, err
}

// proxiedConn is a connection that begins with a header.
type proxiedConn struct{ net.Conn }

// Within reports whether an address is in one of the networks. A unix socket's is in the one of 127.0.0.1: its permissions say
// who may use it.
func Within(networks []netip.Prefix, a net.Addr) bool {
	ip := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	switch a := a.(type) {
	case *net.TCPAddr:
		ip = a.AddrPort().Addr().Unmap().WithZone("")
	case *net.UnixAddr:
	default:
		return false
	}
	for _, n := range networks {
		if n.Contains(ip) {
			return true
		}
	}
	return false
}

// client returns the connection as the client made it, its header read, and whether the client is on this machine. A proxy on
// another machine cannot make its own clients local ones.
func (s *Server) client(nc net.Conn) (client net.Conn, local bool, err error) {
	local = isLocal(nc.RemoteAddr())
	p, ok := nc.(*proxiedConn)
	if !ok {
		return nc, local, nil
	}
	pc := proxyproto.NewConn(p.Conn, proxyproto.WithPolicy(proxyproto.REQUIRE), proxyproto.SetReadHeaderTimeout(s.cfg.ProxyHeaderTimeout))
	// Reading nothing reads the header, and no more than what came in with it.
	if _, err := pc.Read(nil); err != nil {
		return nil, false, err
	}
	return pc, local && isLocal(pc.RemoteAddr()), nil
}
