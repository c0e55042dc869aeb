package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/rookery-mail/rookery/internal/listener/listenertest"
)

// server is a running "rookery serve".
type server struct {
	t                                   *testing.T
	imap, imaps, pop3, lmtp, web, datad string
	cmd                                 *exec.Cmd
	stdout, stderr                      *output
	done                                chan struct{} // closed when it has ended
}

// output collects what a process prints.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer // guarded by mu
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// serve starts a server on free ports and waits until it is ready.
func (s *shell) serve(args ...string) *server {
	s.t.Helper()
	srv := &server{t: s.t, stdout: &output{}, stderr: &output{}, done: make(chan struct{}), datad: filepath.Join(s.dir, "rookery-data")}
	env := s.env
	for name, a := range map[string]*string{"IMAP": &srv.imap, "IMAPS": &srv.imaps, "POP3": &srv.pop3, "LMTP": &srv.lmtp, "HTTP": &srv.web} {
		*a = listenertest.FreeAddr(s.t)
		env = append(env, "ROOKERY_"+name+"_LISTEN="+*a)
	}
	srv.cmd = s.command(append([]string{"serve"}, args...)...)
	srv.cmd.Env = append([]string{"ROOKERY_POP3S_LISTEN=", "ROOKERY_MANAGESIEVE_LISTEN="}, env...)
	srv.cmd.Stdout, srv.cmd.Stderr = srv.stdout, srv.stderr
	srv.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := srv.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() { // ends with the process, which the cleanup kills
		_ = srv.cmd.Wait()
		close(srv.done)
	}()
	s.t.Cleanup(func() {
		_ = srv.cmd.Process.Kill()
		<-srv.done
		if s.t.Failed() {
			s.t.Logf("the server said:\n%s%s", srv.stdout, srv.stderr)
		}
	})
	srv.eventually("ready", func() bool { return srv.status("/readyz") == http.StatusOK })
	return srv
}

func (srv *server) eventually(what string, ok func() bool) {
	srv.t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-srv.done:
			srv.t.Fatalf("not %s: the server ended with %v", what, srv.cmd.ProcessState)
		case <-deadline:
			srv.t.Fatalf("not %s in time", what)
		}
	}
}

// status returns the HTTP status of a page, 0 when nobody answers.
func (srv *server) status(path string) int {
	res, err := http.Get("http://" + srv.web + path) //nolint:noctx
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

// signal sends a signal and waits for the end; it returns the exit code.
func (srv *server) signal(sig os.Signal) int {
	srv.t.Helper()
	if err := srv.cmd.Process.Signal(sig); err != nil {
		srv.t.Fatal(err)
	}
	select {
	case <-srv.done:
	case <-time.After(time.Minute):
		srv.t.Fatalf("no end after %v", sig)
	}
	return srv.cmd.ProcessState.ExitCode()
}

func (srv *server) login(user, password string) *imapclient.Client {
	srv.t.Helper()
	c, err := imapclient.DialInsecure(srv.imap, nil)
	if err != nil {
		srv.t.Fatal(err)
	}
	srv.t.Cleanup(func() { _ = c.Close() })
	if err := c.Login(user, password).Wait(); err != nil {
		srv.t.Fatal(err)
	}
	return c
}

func messages(t *testing.T, c *imapclient.Client) uint32 {
	t.Helper()
	data, err := c.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil {
		t.Fatal(err)
	}
	return data.NumMessages
}

func TestServe(t *testing.T) {
	s := newShell(t)
	srv := s.serve()
	if o := s.run("secret\n", "account", "add", "alice", "--password-stdin"); o.code != 0 { // beside the server
		t.Fatalf("%+v", o)
	}
	message := s.write("message", "Subject: Hello\n\n.dot\nIt works.\n")
	s.ok("deliver", "--server", srv.lmtp, "--to", "alice+x", "--to", "alice@localhost", message)
	s.fails(1, "550", "deliver", "--server", srv.lmtp, "--to", "nobody@localhost", message)
	c := srv.login("alice", "secret")
	if n := messages(t, c); n == 0 {
		t.Error("nothing arrived")
	}
	section := &imap.FetchItemBodySection{Peek: true}
	fetched, err := c.Fetch(imap.SeqSetNum(1), &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{section}}).Collect()
	if err != nil || len(fetched) != 1 {
		t.Fatalf("%v, %v", fetched, err)
	}
	if body := string(fetched[0].FindBodySection(section)); !strings.HasSuffix(body, "Subject: Hello\r\n\r\n.dot\r\nIt works.\r\n") {
		t.Errorf("%q", body)
	}
	if srv.status("/healthz") != http.StatusOK {
		t.Error("not healthy")
	}
	metrics := get(t, "http://"+srv.web+"/metrics")
	for _, name := range []string{"go_goroutines", "process_resident_memory_bytes", `rookery_build_info{go="go`} {
		if !strings.Contains(metrics, name) {
			t.Errorf("no metric %s", name)
		}
	}
	if code := srv.signal(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d", code)
	}
	for _, p := range []string{"", "metadata.sqlite", "self-signed.pem", "lock"} {
		if info, err := os.Stat(filepath.Join(srv.datad, p)); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", p, info, err)
		}
	}
	// What was acknowledged is there after a restart.
	if n := messages(t, s.serve().login("alice", "secret")); n == 0 {
		t.Error("the mail is gone")
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Get(url) //nolint:noctx
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestShutdownTellsIdleClients(t *testing.T) {
	s := newShell(t)
	srv := s.serve()
	if o := s.run("secret\n", "account", "add", "alice", "--password-stdin"); o.code != 0 {
		t.Fatalf("%+v", o)
	}
	conn, err := net.Dial("tcp", srv.imap)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(conn, "a LOGIN alice secret\r\nb SELECT INBOX\r\nc IDLE\r\n"); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(conn)
	for line := ""; !strings.HasPrefix(line, "+"); {
		if line, err = r.ReadString('\n'); err != nil || strings.HasPrefix(line, "c ") {
			t.Fatalf("no IDLE: %q, %v", line, err)
		}
	}
	if code := srv.signal(syscall.SIGINT); code != 0 {
		t.Errorf("exit code %d", code)
	}
	said, _ := io.ReadAll(r)
	if !strings.Contains(string(said), "* BYE") {
		t.Errorf("an idle client is told %q", said)
	}
}

func certificateOf(t *testing.T, addr string) *x509.Certificate {
	t.Helper()
	conn, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // its own certificate is what is looked at
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0]
}

func TestCertificates(t *testing.T) {
	s := newShell(t)
	srv := s.serve()
	first := certificateOf(t, srv.imaps)
	for _, name := range []string{"localhost", "127.0.0.1"} {
		if err := first.VerifyHostname(name); err != nil {
			t.Error(err)
		}
	}
	if left := time.Until(first.NotAfter); left < 9*365*24*time.Hour {
		t.Errorf("expires in %v", left)
	}
	if srv.signal(syscall.SIGTERM) != 0 {
		t.Error("no good end")
	}
	srv = s.serve()
	if !certificateOf(t, srv.imaps).Equal(first) {
		t.Error("a restart makes another certificate")
	}
	// SIGHUP: a new file counts, a broken one does not.
	path := filepath.Join(srv.datad, selfSigned)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := srv.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	srv.eventually("serving the new certificate", func() bool { return !certificateOf(t, srv.imaps).Equal(first) })
	second := certificateOf(t, srv.imaps)
	if err := os.WriteFile(path, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := srv.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	srv.eventually("complaining", func() bool { return strings.Contains(srv.stderr.String(), "the certificate in use stays") })
	if !certificateOf(t, srv.imaps).Equal(second) {
		t.Error("a broken file changes the certificate")
	}
}

func TestServeRefuses(t *testing.T) {
	s := newShell(t)
	srv := s.serve()
	other := newShell(t, "ROOKERY_IMAP_LISTEN="+srv.imap, "ROOKERY_IMAPS_LISTEN=", "ROOKERY_POP3_LISTEN=", "ROOKERY_POP3S_LISTEN=", "ROOKERY_MANAGESIEVE_LISTEN=",
		"ROOKERY_LMTP_LISTEN=", "ROOKERY_HTTP_LISTEN=")
	other.fails(1, "imap.listen: cannot listen on "+srv.imap+": another server listens there", "serve")
	same := newShell(t, "ROOKERY_DATA_DIR="+srv.datad)
	same.fails(1, "is in use by another rookery", "serve")
	same.ok("account", "list")
	other.fails(2, "--demo needs imap.listen and lmtp.listen", "serve", "--demo")
}

func TestUnixSocket(t *testing.T) {
	dir, err := os.MkdirTemp("", "lmtp") // short enough for a socket's name
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	socket := filepath.Join(dir, "lmtp")
	// One that a killed server left behind.
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	stale.Close()

	l, err := listenOne(t.Context(), "unix:"+socket)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := listenOne(t.Context(), "unix:"+socket); err == nil || !strings.Contains(err.Error(), "another server listens there") {
		t.Errorf("%v", err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(socket, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := listenOne(t.Context(), "unix:"+socket); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("%v", err)
	}
}

func TestDemo(t *testing.T) {
	s := newShell(t)
	var password string
	for start := range 2 {
		srv := s.serve("--demo")
		srv.eventually("explained", func() bool {
			return strings.Contains(srv.stdout.String(), "Deliver a message by LMTP") && strings.HasSuffix(srv.stdout.String(), "\n\n")
		})
		out := srv.stdout.String()
		m := regexp.MustCompile(`account +demo@localhost\n +password +(\S+)\n`).FindStringSubmatch(out)
		if m == nil || password != "" && m[1] != password {
			t.Fatalf("start %d prints\n%s", start, out)
		}
		password = m[1]
		line := func(word string) string {
			for _, l := range strings.Split(out, "\n") {
				if l = strings.TrimSpace(l); strings.HasPrefix(l, word) {
					return l
				}
			}
			t.Fatalf("no line begins with %s:\n%s", word, out)
			return ""
		}
		if n := messages(t, srv.login("demo", password)); n != uint32(1+start) {
			t.Errorf("start %d: %d messages", start, n)
		}
		if _, err := exec.LookPath("curl"); err == nil {
			if got := bash(t, s, line("curl ")); !strings.Contains(got, "Subject: Welcome to Rookery\r\n") || !strings.Contains(got, "Delivered-To: demo@localhost\r\n") {
				t.Errorf("curl shows\n%s", got)
			}
		}
		if got := bash(t, s, line("printf ")); got != "Delivered to demo@localhost.\n" {
			t.Errorf("%s", got)
		}
		if n := messages(t, srv.login("demo", password)); n != uint32(2+start) {
			t.Errorf("start %d: %d messages", start, n)
		}
		if info, err := os.Stat(filepath.Join(srv.datad, demoPassword)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info, err)
		}
		if srv.signal(syscall.SIGTERM) != 0 {
			t.Error("no good end")
		}
	}
	s.ok("account", "passwd", "demo")
	srv := s.serve("--demo")
	srv.eventually("explained", func() bool {
		return strings.Contains(srv.stdout.String(), "(changed; `rookery account passwd demo` sets a new one)")
	})
}

// bash runs a line as if pasted into a terminal.
func bash(t *testing.T, s *shell, line string) string {
	t.Helper()
	cmd := exec.Command("sh", "-c", line)
	cmd.Dir, cmd.Env = s.dir, s.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
	return string(out)
}

func TestShellQuote(t *testing.T) {
	for in, want := range map[string]string{"/usr/bin/rookery": "/usr/bin/rookery", "/a b/c": "'/a b/c'", "it's": `'it'\''s'`} {
		if got := shellQuote(in); got != want {
			t.Errorf("%s is quoted as %s", in, got)
		}
		if out, err := exec.Command("sh", "-c", "printf %s "+want).Output(); err != nil || string(out) != in {
			t.Errorf("%s: %q, %v", in, out, err)
		}
	}
}
