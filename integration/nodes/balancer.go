package nodes

import (
	"io"
	"net"
	"sync"
	"testing"
)

// Balancer listens on one address and hands its connections to the given ones in turn, as a load balancer before the nodes does.
func Balancer(t testing.TB, backends ...string) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for i := 0; ; i++ {
			front, err := l.Accept()
			if err != nil {
				return
			}
			back, err := net.Dial("tcp", backends[i%len(backends)])
			if err != nil {
				front.Close()
				continue
			}
			for _, way := range [][2]net.Conn{{front, back}, {back, front}} {
				all.Go(func() {
					_, _ = io.Copy(way[0], way[1]) // a broken connection is what its client sees
					_ = way[0].(*net.TCPConn).CloseWrite()
				})
			}
		}
	})
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	return l.Addr().String()
}
