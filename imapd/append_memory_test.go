package imapd

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Messages that come in over many connections at once are never held whole. ROOKERY_TEST_APPEND_MB makes them larger.
func TestAppendMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("appends much")
	}
	const clients = 50
	size := 2 << 20
	if mb, err := strconv.Atoi(os.Getenv("ROOKERY_TEST_APPEND_MB")); err == nil {
		size = mb << 20
	}
	e := newEnv(t)
	e.start(t, nil)
	all := make([]*client, clients)
	for i := range all {
		all[i] = e.login(t)
	}
	line := strings.Repeat("0123456789abcdef", 4)[:62] + "\r\n"
	chunk := strings.Repeat(line, 1024)
	size -= size % len(chunk)
	before := memory()
	var most uint64
	var peak sync.WaitGroup
	stop := make(chan struct{})
	peak.Go(func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapInuse+m.StackInuse)
			}
		}
	})
	var appending sync.WaitGroup
	for _, c := range all {
		appending.Go(func() {
			c.send(fmt.Sprintf("a APPEND INBOX {%d+}\r\n", size))
			for sent := 0; sent < size; sent += len(chunk) {
				c.send(chunk)
			}
			c.send("\r\n")
			if got := c.answers("a"); !strings.HasPrefix(got[len(got)-1], "a OK ") {
				t.Errorf("%q", got)
			}
		})
	}
	appending.Wait()
	close(stop)
	peak.Wait()
	held := (most - before) >> 20
	t.Logf("%d times %d MiB at once: at most %d MiB more, garbage included", clients, size>>20, held)
	if held > 512 {
		t.Errorf("%d MiB", held)
	}
}
