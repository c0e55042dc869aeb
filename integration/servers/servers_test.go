package servers

import (
	"context"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestServersServe(t *testing.T) {
	dsn := PostgreSQL(t)
	c, err := pgx.Connect(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if other := PostgreSQL(t); other == dsn {
		t.Error("two tests got the same database")
	}
	if err := dial(Redis(t))(context.Background()); err != nil {
		t.Error(err)
	}
	if a, b := MinIO(t), MinIO(t); a == b || !strings.HasPrefix(a, "s3://") {
		t.Errorf("buckets %q, %q", a, b)
	}
}

func TestStopStartPause(t *testing.T) {
	p, addr := StartRedis(t)
	if err := p.Pause(); err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", addr) // the kernel still accepts
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("PING\r\n")); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 7)
	_ = c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if n, err := c.Read(buf); err == nil {
		t.Fatalf("a paused server answered %q", buf[:n])
	}
	if err := p.Resume(); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := c.Read(buf); err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := dial(addr)(context.Background()); err == nil {
		t.Error("a stopped server accepts connections")
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
}

// TestServersEndWithTheTestProcess runs this test binary in a child that starts a Redis and is killed.
func TestServersEndWithTheTestProcess(t *testing.T) {
	if os.Getenv("ROOKERY_TEST_CHILD") != "" {
		p, addr, err := newRedis()
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString("ADDR=" + addr + "\n")
		select {}
	}
	Redis(t) // fail or skip here when there is none
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), "ROOKERY_TEST_CHILD=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 256)
	n, err := out.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	_, addr, ok := strings.Cut(strings.TrimSpace(string(buf[:n])), "ADDR=")
	if !ok {
		t.Fatalf("child said %q", buf[:n])
	}
	if err := dial(addr)(context.Background()); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for dial(addr)(context.Background()) == nil {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("the server outlived its test process")
		}
	}
}
