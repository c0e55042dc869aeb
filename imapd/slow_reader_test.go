package imapd

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// A client that asks for much and reads nothing holds one buffer, whatever it asked for, and is dropped.
func TestSlowReader(t *testing.T) {
	const (
		clients = 20
		asked   = 10
		size    = 4 << 20
	)
	e := newEnv(t)
	e.start(t, func(cfg *Config) { cfg.WriteTimeout = 500 * time.Millisecond })
	e.account(t, user)
	e.deliver(t, "INBOX", "Subject: x\r\n\r\n"+strings.Repeat("0123456789abcdef\r\n", size/18))
	warm := e.login(t) // what is cached is there before the measuring
	warm.ok("SELECT INBOX")
	warm.ok("FETCH 1 (BODY.PEEK[]<0.10>)")

	before := memory()
	all := make([]*client, clients)
	for i := range all {
		all[i] = e.login(t)
		_ = all[i].conn.(*net.TCPConn).SetReadBuffer(4 << 10)
		all[i].ok("SELECT INBOX")
	}
	for _, c := range all {
		for i := range asked {
			c.send(fmt.Sprintf("f%d FETCH 1 BODY.PEEK[]\r\n", i))
		}
	}
	var m runtime.MemStats
	most := uint64(0)
	for _, c := range all {
		// The server resets or closes the connection: a client that writes on learns of it.
		_ = c.conn.SetWriteDeadline(time.Now().Add(patience))
		for {
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapInuse+m.StackInuse)
			if _, err := c.conn.Write([]byte("n NOOP\r\n")); err != nil {
				if os.IsTimeout(err) {
					t.Fatal("a client that does not read is not dropped")
				}
				break
			}
			runtime.Gosched()
		}
	}
	t.Logf("%d KiB before, at most %d KiB with garbage", before>>10, most>>10)
	if most > before+clients*(2<<20) { // one message alone has 4 MiB
		t.Errorf("%d clients that read nothing held %d KiB", clients, (most-before)>>10)
	}
}
