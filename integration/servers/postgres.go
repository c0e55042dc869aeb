package servers

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

var databases atomic.Int64

var sharedPostgres = sync.OnceValues(func() (string, error) {
	if u := os.Getenv("ROOKERY_TEST_POSTGRES_URL"); u != "" {
		return u, nil
	}
	p, dsn, err := newPostgres()
	if err != nil {
		return "", err
	}
	return dsn, p.Start()
})

// PostgreSQL returns the DSN of a fresh, empty database on a server shared by the test process.
func PostgreSQL(t testing.TB) string {
	t.Helper()
	dsn, err := sharedPostgres()
	if err != nil {
		missing(t, "PostgreSQL: %v", err)
	}
	return freshDatabase(t, dsn)
}

// StartPostgreSQL returns a PostgreSQL of the test's own and the DSN of a database on it.
func StartPostgreSQL(t testing.TB) (*Process, string) {
	t.Helper()
	p, dsn, err := newPostgres()
	if err == nil {
		err = p.Start()
	}
	if err != nil {
		missing(t, "PostgreSQL: %v", err)
	}
	t.Cleanup(p.Close)
	return p, dsn
}

func newPostgres() (*Process, string, error) {
	const versions = "/usr/lib/postgresql/*/bin/"
	initdb, postgres := find("initdb", versions+"initdb"), find("postgres", versions+"postgres")
	if initdb == "" || postgres == "" {
		return nil, "", fmt.Errorf("initdb and postgres are not installed (apt-get install postgresql)")
	}
	user := ""
	if os.Geteuid() == 0 {
		user = "postgres" // it refuses to run as root
	}
	dir, err := tempDir("postgres", user)
	if err != nil {
		return nil, "", err
	}
	data := filepath.Join(dir, "data")
	argv := []string{initdb, "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync"}
	if user != "" {
		argv = append([]string{"runuser", "-u", user, "--"}, argv...)
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, "", fmt.Errorf("initdb: %w: %s", err, out)
	}
	port, err := freePort()
	if err != nil {
		return nil, "", err
	}
	dsn := fmt.Sprintf("postgresql://postgres@127.0.0.1:%d/postgres?sslmode=disable", port)
	// The test kills Rookery's nodes, not the machine: PostgreSQL need not wait for the disk. Benchmarks set ROOKERY_TEST_FSYNC.
	fsync := "fsync=off"
	if os.Getenv("ROOKERY_TEST_FSYNC") != "" {
		fsync = "fsync=on"
	}
	return &Process{
		name: "PostgreSQL", dir: dir, user: user,
		argv: []string{postgres, "-D", data, "-p", fmt.Sprint(port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=" + dir,
			"-c", "max_connections=200", "-c", "shared_buffers=256MB", "-c", fsync},
		ready: func(ctx context.Context) error {
			c, err := pgx.Connect(ctx, dsn)
			if err != nil {
				return err
			}
			return c.Close(ctx)
		},
	}, dsn, nil
}

// freshDatabase creates a database on the server of dsn and drops it after the test.
func freshDatabase(t testing.TB, dsn string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := pgx.Connect(ctx, dsn)
	if err != nil {
		missing(t, "connecting to the database server: %v", err)
	}
	defer func() { _ = c.Close(ctx) }()
	name := fmt.Sprintf("rookery_test_%d_%d", os.Getpid(), databases.Add(1))
	if _, err := c.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		t.Fatalf("creating a database: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		c, err := pgx.Connect(ctx, dsn)
		if err != nil {
			return // the server went away, and the database with it
		}
		defer func() { _ = c.Close(ctx) }()
		// A test that leaks connections should fail by itself; the next test must not suffer for it.
		_, _ = c.Exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
		_, _ = c.Exec(ctx, "DROP DATABASE IF EXISTS "+name)
	})
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatalf("database URL: %v", err)
	}
	u.Path = "/" + name
	return u.String()
}
