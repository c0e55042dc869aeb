package nodes

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/internal/listener/listenertest"
)

// Node is one running rookery.
type Node struct {
	t                                         testing.TB
	Name                                      string
	IMAP, IMAPS, POP3, ManageSieve, LMTP, Web string // HOST:PORT
	cmd                                       *exec.Cmd
	log                                       string
	done                                      chan struct{}
	exit                                      error // valid once done is closed
}

// Start starts another node and waits until it is ready.
func (c *Cluster) Start(extra ...string) *Node {
	c.t.Helper()
	c.nodes++
	n := &Node{t: c.t, Name: fmt.Sprintf("node%d", c.nodes), done: make(chan struct{})}
	dir := c.t.TempDir()
	n.log = filepath.Join(dir, "log")
	for _, a := range []*string{&n.IMAP, &n.IMAPS, &n.POP3, &n.ManageSieve, &n.LMTP, &n.Web} {
		*a = listenertest.FreeAddr(c.t)
	}
	log, err := os.Create(n.log)
	if err != nil {
		c.t.Fatal(err)
	}
	defer log.Close()
	n.cmd = exec.Command(binary, "serve")
	n.cmd.Env = append(append([]string{}, c.Env...), "ROOKERY_DATA_DIR="+dir, "ROOKERY_IMAP_LISTEN="+n.IMAP, "ROOKERY_IMAPS_LISTEN="+n.IMAPS,
		"ROOKERY_POP3_LISTEN="+n.POP3, "ROOKERY_POP3S_LISTEN=", "ROOKERY_MANAGESIEVE_LISTEN="+n.ManageSieve, "ROOKERY_LMTP_LISTEN="+n.LMTP, "ROOKERY_LMTP_TRUSTED_NETWORKS=127.0.0.0/8", "ROOKERY_HTTP_LISTEN="+n.Web)
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
		n.Kill()
		if c.t.Failed() {
			b, _ := os.ReadFile(n.log)
			if len(b) > 3000 {
				b = b[len(b)-3000:]
			}
			c.t.Logf("log of %s ends:\n%s", n.Name, b)
		}
	})
	Eventually(c.t, time.Minute, n.Name+" is ready", func() error {
		select {
		case <-n.done:
			b, _ := os.ReadFile(n.log)
			c.t.Fatalf("%s ended: %v\n%s", n.Name, n.exit, b)
		default:
		}
		client := http.Client{Timeout: 5 * time.Second}
		defer client.CloseIdleConnections()
		res, err := client.Get("http://" + n.Web + "/readyz")
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

// Kill ends the node as a power cut would.
func (n *Node) Kill() {
	_ = n.cmd.Process.Kill()
	<-n.done
}

// Terminate asks the node to end, and returns its exit code.
func (n *Node) Terminate() int {
	n.t.Helper()
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		n.t.Fatal(err)
	}
	select {
	case <-n.done:
	case <-time.After(time.Minute):
		n.t.Fatalf("%s does not end after SIGTERM", n.Name)
	}
	return n.cmd.ProcessState.ExitCode()
}
