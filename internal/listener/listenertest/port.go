package listenertest

import (
	"fmt"
	"net"
	"strconv"
	"syscall"
	"testing"
)

// FreeAddr returns an address of loopback, HOST:PORT, where nobody listens and that is the test's until it ends, see ReservePort.
func FreeAddr(t testing.TB) string {
	t.Helper()
	port, release, err := ReservePort()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

// ReservePort returns a TCP port of 127.0.0.1 where nobody listens. Until release is called nobody gets it by chance, neither as a
// free port nor for a connection of his own: a server that is told of it can listen there, stop, and listen again. The port that a
// listener had which was closed again is anybody's, and is soon handed out a second time.
func ReservePort() (port int, release func(), err error) {
	// A socket that is bound and does not listen holds the port; SO_REUSEADDR, which servers set, lets them bind it too.
	syscall.ForkLock.RLock()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return 0, nil, fmt.Errorf("reserving a port: %w", err)
	}
	release = func() { _ = syscall.Close(fd) }
	if err = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err == nil {
		err = syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	}
	var addr syscall.Sockaddr
	if err == nil {
		addr, err = syscall.Getsockname(fd)
	}
	if err != nil {
		release()
		return 0, nil, fmt.Errorf("reserving a port: %w", err)
	}
	return addr.(*syscall.SockaddrInet4).Port, release, nil
}
