package servers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/internal/listener/listenertest"
)

// Process is a server of the test's own. Stop, Start, Pause and Resume are how tests make it fail.
type Process struct {
	name  string
	dir   string   // temporary folder, removed with the test process
	argv  []string // how it is started, again and again
	env   []string
	user  string // run as this user when the test is root; "" for the same
	ready func(ctx context.Context) error

	pid    int // 0 while it does not run
	reaper io.Closer
}

// missing ends the test: as a failure in CI, skipped aloud elsewhere.
func missing(t testing.TB, format string, args ...any) {
	t.Helper()
	msg := fmt.Sprintf(format, args...)
	if os.Getenv("CI") != "" {
		t.Fatal(msg)
	}
	t.Skip("SKIPPED: " + msg)
}

// find returns the path of a program: in the repository's .cache/bin, on PATH, or among extra.
func find(name string, extra ...string) string {
	candidates := []string{}
	if root := repositoryRoot(); root != "" {
		candidates = append(candidates, filepath.Join(root, ".cache", "bin", name))
	}
	if p, err := exec.LookPath(name); err == nil {
		candidates = append(candidates, p)
	}
	for _, pattern := range extra {
		found, _ := filepath.Glob(pattern)
		candidates = append(candidates, found...)
	}
	for _, c := range candidates {
		if info, err := os.Stat(c); err == nil && !info.IsDir() {
			return c
		}
	}
	return ""
}

// repositoryRoot returns the folder that holds go.mod, "" when there is none above the working folder.
func repositoryRoot() string {
	dir, err := os.Getwd()
	for err == nil {
		if _, serr := os.Stat(filepath.Join(dir, "go.mod")); serr == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
	return ""
}

// freePort returns a loopback TCP port nobody listens on. It is this process's to its end: a server comes back to its port.
func freePort() (int, error) {
	port, _, err := listenertest.ReservePort()
	return port, err
}

// tempDir makes a folder that the given user may enter.
func tempDir(name, user string) (string, error) {
	dir, err := os.MkdirTemp("", "rookery-"+name+"-")
	if err != nil {
		return "", err
	}
	if user != "" {
		if out, err := exec.Command("chown", user, dir).CombinedOutput(); err != nil {
			return "", fmt.Errorf("chown %s %s: %w: %s", user, dir, err, out)
		}
	}
	return dir, nil
}

// reap makes sure that dir and the process group in dir/pid go away with this process.
func (p *Process) reap() error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	// The reaper waits for the end of its input, which comes when this process is gone, killed or not.
	cmd := exec.Command("sh", "-c", `trap "" INT TERM HUP; cat >/dev/null; [ -f "$1/pid" ] && kill -KILL -$(cat "$1/pid") 2>/dev/null; `+
		`sleep 0.2; rm -rf "$1"`, "reaper", p.dir)
	cmd.Stdin = r
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	_ = cmd.Process.Release() // it outlives this process
	_ = r.Close()
	p.reaper = w
	running.Store(p, nil)
	return nil
}

// running holds every Process that was not closed: one that nobody holds would be collected as garbage, its end of the pipe
// be closed, and its server killed.
var running sync.Map

// startPatience is how long a server may take to serve; it is over only when a test fails.
const startPatience = 5 * time.Minute

// Start starts the process (again) and waits until it serves.
func (p *Process) Start() error {
	if p.reaper == nil {
		if err := p.reap(); err != nil {
			return err
		}
	}
	log, err := os.OpenFile(filepath.Join(p.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	argv := p.argv
	if p.user != "" {
		argv = append([]string{"runuser", "-u", p.user, "--"}, argv...)
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), p.env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	// Waited for by pid and without a goroutine, which tests would take for a leak of what they test.
	p.pid = cmd.Process.Pid
	_ = cmd.Process.Release()
	if err := os.WriteFile(filepath.Join(p.dir, "pid"), []byte(strconv.Itoa(p.pid)), 0o644); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startPatience)
	defer cancel()
	for {
		if err = p.ready(ctx); err == nil {
			return nil
		}
		if p.ended() {
			return fmt.Errorf("%s ended while starting: %s", p.name, p.lastLog())
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not serve after %v: %w: %s", p.name, startPatience, err, p.lastLog())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// lastLog returns the end of what the process printed.
func (p *Process) lastLog() string {
	b, _ := os.ReadFile(filepath.Join(p.dir, "log"))
	if len(b) > 2000 {
		b = b[len(b)-2000:]
	}
	return strings.TrimSpace(string(b))
}

// ended reports whether the process has ended, and takes notice of it.
func (p *Process) ended() bool {
	if p.pid != 0 {
		if pid, err := syscall.Wait4(p.pid, nil, syscall.WNOHANG, nil); pid == p.pid || err != nil {
			p.pid = 0
		}
	}
	return p.pid == 0
}

// signal sends sig to the whole process group.
func (p *Process) signal(sig syscall.Signal) error {
	if p.ended() {
		return errors.New(p.name + " does not run")
	}
	return syscall.Kill(-p.pid, sig)
}

// Stop kills the process at once and waits until it is gone. Its data stay for the next Start.
func (p *Process) Stop() error {
	if err := p.signal(syscall.SIGKILL); err != nil {
		return err
	}
	for {
		if _, err := syscall.Wait4(p.pid, nil, 0, nil); !errors.Is(err, syscall.EINTR) {
			p.pid = 0
			return nil
		}
	}
}

// Pause stops the process from running without closing its connections.
func (p *Process) Pause() error { return p.signal(syscall.SIGSTOP) }

// Resume lets it run on.
func (p *Process) Resume() error { return p.signal(syscall.SIGCONT) }

// Close ends it for good and removes its data.
func (p *Process) Close() {
	_ = p.signal(syscall.SIGCONT)
	_ = p.Stop()
	_ = p.reaper.Close()
	running.Delete(p)
}

// dial is the readiness of a server that serves once it accepts connections.
func dial(addr string) func(context.Context) error {
	return func(ctx context.Context) error {
		var d net.Dialer
		c, err := d.DialContext(ctx, "tcp", addr)
		if err != nil {
			return err
		}
		return c.Close()
	}
}
