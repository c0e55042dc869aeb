package integration

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/integration/servers"
)

const password = "correct horse"

// cluster is a metadata store, an object store and Redis, and the environment that makes a node part of it.
type cluster struct {
	t     *testing.T
	env   []string
	minio *servers.Process // when it is the test's own
	redis *servers.Process // when it is the test's own
	nodes int
}

// own says which servers a test wants for itself, to stop and pause them.
type own struct{ minio, redis bool }

// newCluster migrates a fresh database and makes a fresh bucket. On a machine with CockroachDB it runs over that.
func newCluster(t *testing.T, o own) *cluster {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIPPED: needs servers (-short)")
	}
	c := &cluster{t: t}
	dsn, ok := servers.Cockroach(t)
	if ok {
		dsn = strings.Replace(dsn, "postgresql://", "cockroachdb://", 1)
	} else {
		dsn = servers.PostgreSQL(t)
	}
	var s3, redis string
	if o.minio {
		c.minio, s3 = servers.StartMinIO(t)
	} else {
		s3 = servers.MinIO(t)
	}
	if o.redis {
		c.redis, redis = servers.StartRedis(t)
	} else {
		redis = servers.Redis(t)
	}
	c.env = append(os.Environ(), "ROOKERY_METADATA="+dsn, "ROOKERY_BLOBS="+s3, "ROOKERY_NOTIFY=redis://"+redis+"/0",
		"ROOKERY_DEFAULT_DOMAIN=example.test", "ROOKERY_DATA_DIR="+t.TempDir())
	c.cli("migrate")
	return c
}

// cli runs a rookery command against the cluster and returns what it printed.
func (c *cluster) cli(args ...string) string {
	c.t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Env = c.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		c.t.Fatalf("rookery %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// accounts creates user1@example.test to userN@example.test, all with the same password.
func (c *cluster) accounts(n int) {
	c.t.Helper()
	var csv bytes.Buffer
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&csv, "user%d@example.test,%s\n", i, password)
	}
	file := filepath.Join(c.t.TempDir(), "accounts.csv")
	if err := os.WriteFile(file, csv.Bytes(), 0o600); err != nil {
		c.t.Fatal(err)
	}
	c.cli("account", "import", file)
}

// node is one running rookery.
type node struct {
	t                            *testing.T
	name                         string
	imap, imaps, pop3, lmtp, web string // HOST:PORT
	cmd                          *exec.Cmd
	log                          string
	done                         chan struct{}
	exit                         error // valid once done is closed
}

// start starts another node and waits until it is ready.
func (c *cluster) start(extra ...string) *node {
	c.t.Helper()
	c.nodes++
	n := &node{t: c.t, name: fmt.Sprintf("node%d", c.nodes), done: make(chan struct{})}
	dir := c.t.TempDir()
	n.log = filepath.Join(dir, "log")
	for _, a := range []*string{&n.imap, &n.imaps, &n.pop3, &n.lmtp, &n.web} {
		*a = freeAddr(c.t)
	}
	log, err := os.Create(n.log)
	if err != nil {
		c.t.Fatal(err)
	}
	defer log.Close()
	n.cmd = exec.Command(binary, "serve")
	n.cmd.Env = append(append([]string{}, c.env...), "ROOKERY_DATA_DIR="+dir, "ROOKERY_IMAP_LISTEN="+n.imap, "ROOKERY_IMAPS_LISTEN="+n.imaps,
		"ROOKERY_POP3_LISTEN="+n.pop3, "ROOKERY_POP3S_LISTEN=", "ROOKERY_LMTP_LISTEN="+n.lmtp, "ROOKERY_HTTP_LISTEN="+n.web)
	n.cmd.Env = append(n.cmd.Env, extra...)
	n.cmd.Dir = dir
	n.cmd.Stdout, n.cmd.Stderr = log, log
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := n.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	go func() {
		n.exit = n.cmd.Wait()
		close(n.done)
	}()
	c.t.Cleanup(func() {
		n.kill()
		if c.t.Failed() {
			b, _ := os.ReadFile(n.log)
			if len(b) > 3000 {
				b = b[len(b)-3000:]
			}
			c.t.Logf("log of %s ends:\n%s", n.name, b)
		}
	})
	eventually(c.t, 30*time.Second, n.name+" is ready", func() error {
		select {
		case <-n.done:
			b, _ := os.ReadFile(n.log)
			c.t.Fatalf("%s ended: %v\n%s", n.name, n.exit, b)
		default:
		}
		client := http.Client{Timeout: 5 * time.Second}
		defer client.CloseIdleConnections()
		res, err := client.Get("http://" + n.web + "/readyz")
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return fmt.Errorf("readyz: %s", res.Status)
		}
		return nil
	})
	return n
}

// kill ends the node as a power cut would.
func (n *node) kill() {
	_ = n.cmd.Process.Kill()
	<-n.done
}

// terminate asks the node to end, and returns its exit code.
func (n *node) terminate() int {
	n.t.Helper()
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		n.t.Fatal(err)
	}
	select {
	case <-n.done:
	case <-time.After(time.Minute):
		n.t.Fatalf("%s does not end after SIGTERM", n.name)
	}
	return n.cmd.ProcessState.ExitCode()
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// eventually waits until ok returns nil.
func eventually(t testing.TB, within time.Duration, what string, ok func() error) {
	t.Helper()
	deadline := time.Now().Add(within)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ok()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s: %v", within, what, err)
		}
		<-tick.C
	}
}
