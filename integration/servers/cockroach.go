package servers

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

var sharedCockroach = sync.OnceValues(func() (string, error) {
	if u := os.Getenv("ROOKERY_TEST_COCKROACH_URL"); u != "" {
		return u, nil
	}
	cockroach := find("cockroach")
	if cockroach == "" {
		return "", nil
	}
	dir, err := tempDir("cockroach", "")
	if err != nil {
		return "", err
	}
	sql, err := freePort()
	if err != nil {
		return "", err
	}
	http, err := freePort()
	if err != nil {
		return "", err
	}
	dsn := fmt.Sprintf("postgresql://root@127.0.0.1:%d/defaultdb?sslmode=disable", sql)
	p := &Process{
		name: "CockroachDB", dir: dir,
		argv: []string{cockroach, "start-single-node", "--insecure", "--store=type=mem,size=1GiB",
			fmt.Sprintf("--listen-addr=127.0.0.1:%d", sql), fmt.Sprintf("--http-addr=127.0.0.1:%d", http)},
		ready: func(ctx context.Context) error {
			c, err := pgx.Connect(ctx, dsn)
			if err != nil {
				return err
			}
			return c.Close(ctx)
		},
	}
	return dsn, p.Start()
})

// Cockroach returns the DSN of a fresh, empty database on a real CockroachDB: the one ROOKERY_TEST_COCKROACH_URL names, or a
// single in-memory node of the cockroach binary on PATH. ok is false when there is neither: CockroachDB is no package of
// any distribution, so its absence fails nothing, not even in CI.
func Cockroach(t testing.TB) (dsn string, ok bool) {
	t.Helper()
	dsn, err := sharedCockroach()
	if err != nil {
		t.Fatalf("CockroachDB: %v", err)
	}
	if dsn == "" {
		return "", false
	}
	return freshDatabase(t, dsn), true
}
