package listenertest

import (
	"context"
	"net"
	"testing"
	"time"
)

// What is reserved is handed out to nobody else, and its server can listen there again and again.
func TestReservedPorts(t *testing.T) {
	reserved := map[string]bool{}
	for range 500 {
		addr := FreeAddr(t)
		if reserved[addr] {
			t.Fatalf("%s was reserved twice", addr)
		}
		reserved[addr] = true
	}
	listen := func(addr string) net.Listener {
		t.Helper()
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	var d net.Dialer
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for addr := range reserved {
		if c, err := d.DialContext(ctx, "tcp", addr); err == nil {
			c.Close()
			t.Fatalf("somebody listens at %s", addr)
		}
		for range 2 {
			l := listen(addr)
			c, err := d.DialContext(ctx, "tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			if reserved[c.LocalAddr().String()] {
				t.Errorf("a connection was made from %s", c.LocalAddr())
			}
			c.Close()
			l.Close()
		}
		other := listen("127.0.0.1:0")
		if reserved[other.Addr().String()] {
			t.Errorf("%s was handed out", other.Addr())
		}
		other.Close()
	}
}
