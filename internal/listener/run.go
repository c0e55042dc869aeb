package listener

import (
	"net"
	"runtime/debug"
)

// run serves a connection that counts already.
func (s *Server) run(c *open, implicitTLS bool) {
	log := s.cfg.Log.With("protocol", s.cfg.Protocol)
	defer func() {
		if v := recover(); v != nil {
			log.Error("panic", "value", v, "stack", string(debug.Stack()))
		}
	}()
	client, local, err := s.client(c.nc)
	if err != nil {
		log.Warn("PROXY header expected, connection closed", "peer", c.nc.RemoteAddr().String(), "error", err)
		return
	}
	from := client.RemoteAddr()
	if addr, ok := address(from); ok {
		if !s.rates.Allow(addr) || !s.addresses.Enter(addr, s.cfg.MaxPerAddress) {
			log.Warn("too many connections of one address", "peer", from.String())
			s.refuse(client, implicitTLS)
			return
		}
		defer s.addresses.Leave(addr)
	}
	if implicitTLS {
		client = s.implicit(client)
	}
	id := s.cfg.NewID()
	ses := s.cfg.Open(Conn{Net: client, Local: local, ID: id, Log: log.With("conn", id, "peer", from.String())})
	if !s.enter(c, ses) {
		ses.Stop()
	}
	s.cfg.Connections.Inc()
	defer s.cfg.Connections.Dec()
	ses.Serve()
}

// enter lets Shutdown know of a session; false when it has begun already.
func (s *Server) enter(c *open, ses Session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.ses = ses
	return !s.stopping
}

// isLocal reports whether what comes from an address has not left this machine.
func isLocal(a net.Addr) bool {
	switch a := a.(type) {
	case *net.TCPAddr:
		return a.IP.IsLoopback()
	case *net.UnixAddr:
		return true
	}
	return false
}
