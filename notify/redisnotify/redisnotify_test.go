package redisnotify_test

import (
	"bytes"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/rookery-mail/rookery/integration/servers"
	"github.com/rookery-mail/rookery/internal/listener/listenertest"
	"github.com/rookery-mail/rookery/notify"
	"github.com/rookery-mail/rookery/notify/notifytest"
	"github.com/rookery-mail/rookery/notify/redisnotify"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lines is a log.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer // guarded by mu
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) count(level string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.buf.String(), "level="+level)
}

func open(t testing.TB, addr string) *redisnotify.Notifier {
	n, _ := openLogged(t, addr)
	return n
}

func openLogged(t testing.TB, addr string) (*redisnotify.Notifier, *lines) {
	t.Helper()
	log := &lines{}
	n, err := redisnotify.Open(redisnotify.Options{URL: "redis://" + addr + "/1", Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = n.Close()
		if t.Failed() {
			log.mu.Lock()
			defer log.mu.Unlock()
			t.Log(log.buf.String())
		}
	})
	return n, log
}

func TestRedis(t *testing.T) {
	addr := servers.Redis(t)
	openNode := func(t *testing.T) notify.Notifier { return open(t, addr) }
	t.Run("Node", func(t *testing.T) { notifytest.Run(t, openNode) })
	t.Run("Cluster", func(t *testing.T) { notifytest.RunCluster(t, openNode) })
}

// TestMiniredis runs on a server that does not know sharded pub/sub.
func TestMiniredis(t *testing.T) {
	addr := miniredis.RunT(t).Addr()
	openNode := func(t *testing.T) notify.Notifier { return open(t, addr) }
	t.Run("Node", func(t *testing.T) { notifytest.Run(t, openNode) })
	t.Run("Cluster", func(t *testing.T) { notifytest.RunCluster(t, openNode) })
}

// TestNoServer: without Redis a node still hears itself.
func TestNoServer(t *testing.T) {
	addr := listenertest.FreeAddr(t)
	notifytest.Run(t, func(t *testing.T) notify.Notifier {
		n, log := openLogged(t, addr)
		if n.Healthy() || log.count("WARN") != 1 {
			t.Errorf("Healthy = %v, %d warnings", n.Healthy(), log.count("WARN"))
		}
		return n
	})
}

// TestSilentServer: a server that accepts and says nothing is as good as none.
func TestSilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	n := open(t, l.Addr().String())
	if n.Healthy() {
		t.Error("Healthy")
	}
	ear := notifytest.NewEar()
	defer n.Subscribe([16]byte{1}, ear.Hear).Close()
	n.Publish(t.Context(), notify.Hint{Account: [16]byte{1}})
	if len(ear.Hints()) != 1 {
		t.Error("own hint not heard")
	}
}

func TestBadURLs(t *testing.T) {
	for _, u := range []string{"", "http://:s3cr3t@host/0", "redis://:s3cr3t@host/x", "redis://:s3cr3t/x@host/0", "redis://:s3cr3t%zz@host/0", "redis://:s3cr3t@host/0?colour=red"} {
		n, err := redisnotify.Open(redisnotify.Options{URL: u})
		if err == nil {
			_ = n.Close()
			t.Errorf("%s is accepted", u)
		} else if strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

// TestRedisGoneAndBack stops and starts the server: one line each, and what was missed is looked up.
func TestRedisGoneAndBack(t *testing.T) {
	server, addr := servers.StartRedis(t)
	a := open(t, addr)
	b, log := openLogged(t, addr)
	notifytest.WaitHealthy(t, a)
	notifytest.WaitHealthy(t, b)
	recovered := make(chan struct{}, 10)
	b.OnRecover(func() { recovered <- struct{}{} })
	account, ear := notifytest.ID(), notifytest.NewEar()
	defer b.Subscribe(account, ear.Hear).Close()

	for round := range 2 {
		if err := server.Stop(); err != nil {
			t.Fatal(err)
		}
		notifytest.WaitUnhealthy(t, a)
		notifytest.WaitUnhealthy(t, b)
		a.Publish(t.Context(), notify.Hint{Account: account, ModSeq: 1}) // lost
		own := notify.Hint{Account: account, ModSeq: uint64(100 + round)}
		b.Publish(t.Context(), own)
		ear.WaitFor(t, own)
		late := notifytest.ID()
		lateEar := notifytest.NewEar()
		sub := b.Subscribe(late, lateEar.Hear)

		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		<-recovered
		notifytest.WaitHealthy(t, a)
		if !b.Healthy() {
			t.Error("not Healthy when OnRecover is called")
		}
		for _, h := range []notify.Hint{{Account: account, ModSeq: uint64(200 + round)}, {Account: late, ModSeq: 1}} {
			to := ear
			if h.Account == late {
				to = lateEar
			}
			a.Publish(t.Context(), h)
			to.WaitFor(t, h)
		}
		sub.Close()
		if w, i := log.count("WARN"), log.count("INFO"); w != round+1 || i != round+2 {
			t.Errorf("%d warnings and %d notes after round %d", w, i, round)
		}
	}
}

// TestRedisPaused: a server that hangs is noticed although its connections stay open.
func TestRedisPaused(t *testing.T) {
	server, addr := servers.StartRedis(t)
	n := open(t, addr)
	notifytest.WaitHealthy(t, n)
	if err := server.Pause(); err != nil {
		t.Fatal(err)
	}
	quickest := time.Hour // of three: the machine may be slow at one
	for range 3 {
		start := time.Now()
		n.Publish(t.Context(), notify.Hint{Account: notifytest.ID()})
		quickest = min(quickest, time.Since(start))
	}
	if quickest > 100*time.Millisecond {
		t.Errorf("Publish took %v", quickest)
	}
	notifytest.WaitUnhealthy(t, n)
	if err := server.Resume(); err != nil {
		t.Fatal(err)
	}
	notifytest.WaitHealthy(t, n)
}

func TestGarbageIsIgnored(t *testing.T) {
	addr := servers.Redis(t)
	n := open(t, addr)
	notifytest.WaitHealthy(t, n)
	account, ear := notifytest.ID(), notifytest.NewEar()
	defer n.Subscribe(account, ear.Hear).Close()
	client := redis.NewClient(&redis.Options{Addr: addr})
	defer client.Close()
	name := redisnotify.ChannelName(account)
	for _, m := range []string{"", "x", "\x01", strings.Repeat("\x02", 60), strings.Repeat("\x01", 30), strings.Repeat("\x01", 26+15)} {
		if err := client.SPublish(t.Context(), name, m).Err(); err != nil {
			t.Fatal(err)
		}
	}
	other := open(t, addr)
	h := notify.Hint{Account: account, ModSeq: 5}
	other.Publish(t.Context(), h)
	ear.WaitFor(t, h)
	if got := ear.Hints(); len(got) != 1 {
		t.Errorf("heard %+v", got)
	}
	if s := n.Stats(); s.Garbage != 6 || s.Received != 1 {
		t.Errorf("Stats = %+v", s)
	}
}

func TestMetrics(t *testing.T) {
	reg := prometheus.NewRegistry()
	n, err := redisnotify.Open(redisnotify.Options{URL: "redis://" + miniredis.RunT(t).Addr(), Metrics: reg, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	notifytest.WaitHealthy(t, n)
	families, err := reg.Gather()
	if err != nil || len(families) != 5 {
		t.Fatalf("Gather: %d families, %v", len(families), err)
	}
	for _, f := range families {
		if f.GetName() == "rookery_notify_healthy" && f.GetMetric()[0].GetGauge().GetValue() != 1 {
			t.Error("not healthy")
		}
	}
}

// BenchmarkHint measures from Publish on one node to fn on another.
func BenchmarkHint(b *testing.B) {
	addr := servers.Redis(b)
	from, to := open(b, addr), open(b, addr)
	notifytest.WaitHealthy(b, from)
	notifytest.WaitHealthy(b, to)
	account := notifytest.ID()
	heard := make(chan struct{}, 1)
	defer to.Subscribe(account, func(notify.Hint) { heard <- struct{}{} }).Close()
	for i := uint64(0); b.Loop(); i++ {
		from.Publish(b.Context(), notify.Hint{Account: account, ModSeq: i})
		<-heard
	}
}
