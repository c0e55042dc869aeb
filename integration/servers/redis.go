package servers

import (
	"fmt"
	"os"
	"sync"
	"testing"
)

var sharedRedis = sync.OnceValues(func() (string, error) {
	if a := os.Getenv("ROOKERY_TEST_REDIS_ADDR"); a != "" {
		return a, nil
	}
	p, addr, err := newRedis()
	if err != nil {
		return "", err
	}
	return addr, p.Start()
})

// Redis returns HOST:PORT of a Redis shared by the test process.
func Redis(t testing.TB) string {
	t.Helper()
	addr, err := sharedRedis()
	if err != nil {
		missing(t, "Redis: %v", err)
	}
	return addr
}

// StartRedis returns a Redis of the test's own and its HOST:PORT.
func StartRedis(t testing.TB) (*Process, string) {
	t.Helper()
	p, addr, err := newRedis()
	if err == nil {
		err = p.Start()
	}
	if err != nil {
		missing(t, "Redis: %v", err)
	}
	t.Cleanup(p.Close)
	return p, addr
}

func newRedis() (*Process, string, error) {
	redis := find("redis-server")
	if redis == "" {
		return nil, "", fmt.Errorf("redis-server is not installed (apt-get install redis-server)")
	}
	dir, err := tempDir("redis", "")
	if err != nil {
		return nil, "", err
	}
	port, err := freePort()
	if err != nil {
		return nil, "", err
	}
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	return &Process{
		name: "Redis", dir: dir,
		argv:  []string{redis, "--port", fmt.Sprint(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"},
		ready: dial(addr),
	}, addr, nil
}
