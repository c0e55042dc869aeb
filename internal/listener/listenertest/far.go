package listenertest

import "net"

// FarAddress is where clients of Far seem to come from.
const FarAddress = "192.0.2.7:4321"

// Far returns a listener whose clients look as if they came from another machine.
func Far(l net.Listener) net.Listener { return farListener{l} }

type farListener struct{ net.Listener }

// Accept implements net.Listener.
func (l farListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return farConn{c}, nil
}

type farConn struct{ net.Conn }

// RemoteAddr implements net.Conn.
func (farConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 4321} }
