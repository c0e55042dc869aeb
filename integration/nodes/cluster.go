package nodes

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/integration/servers"
)

// Password is every account's.
const Password = "correct horse"

// Cluster is a metadata store, an object store and Redis, and the environment that makes a node part of it.
type Cluster struct {
	t     testing.TB
	Env   []string         // of every process of the cluster
	MinIO *servers.Process // when it is the test's own
	Redis *servers.Process // when it is the test's own
	nodes int
}

// Own says which servers a test wants for itself, to stop and pause them.
type Own struct{ MinIO, Redis bool }

// NewCluster migrates a fresh database and makes a fresh bucket. On a machine with CockroachDB it runs over that.
func NewCluster(t testing.TB, o Own) *Cluster {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIPPED: needs servers (-short)")
	}
	c := &Cluster{t: t}
	dsn, ok := servers.Cockroach(t)
	if ok {
		dsn = strings.Replace(dsn, "postgresql://", "cockroachdb://", 1)
	} else {
		dsn = servers.PostgreSQL(t)
	}
	var s3, redis string
	if o.MinIO {
		c.MinIO, s3 = servers.StartMinIO(t)
	} else {
		s3 = servers.MinIO(t)
	}
	if o.Redis {
		c.Redis, redis = servers.StartRedis(t)
	} else {
		redis = servers.Redis(t)
	}
	c.Env = append(os.Environ(), "ROOKERY_METADATA="+dsn, "ROOKERY_BLOBS="+s3, "ROOKERY_NOTIFY=redis://"+redis+"/0",
		"ROOKERY_DEFAULT_DOMAIN=example.test", "ROOKERY_DATA_DIR="+t.TempDir())
	c.CLI("migrate")
	return c
}

// CLI runs a rookery command against the cluster and returns what it printed.
func (c *Cluster) CLI(args ...string) string {
	c.t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Env = c.Env
	out, err := cmd.CombinedOutput()
	if err != nil {
		c.t.Fatalf("rookery %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// Accounts creates user1@example.test to userN@example.test, all with the same Password.
func (c *Cluster) Accounts(n int) {
	c.t.Helper()
	var csv bytes.Buffer
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&csv, "user%d@example.test,%s\n", i, Password)
	}
	file := filepath.Join(c.t.TempDir(), "accounts.csv")
	if err := os.WriteFile(file, csv.Bytes(), 0o600); err != nil {
		c.t.Fatal(err)
	}
	c.CLI("account", "import", file)
}
