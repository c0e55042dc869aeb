package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// binary is the rookery under test, built once.
var binary string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "rookery-binary-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "rookery")
	build := exec.Command("go", "build", "-ldflags", "-X main.version=v9.8.7-test", "-o", binary, ".")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "building rookery:", err)
		return 1
	}
	return m.Run()
}

// shell is a machine of its own: a directory and an environment without anything of Rookery's.
type shell struct {
	t   *testing.T
	dir string
	env []string
}

func newShell(t *testing.T, env ...string) *shell {
	s := &shell{t: t, dir: t.TempDir()}
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "ROOKERY_") {
			s.env = append(s.env, kv)
		}
	}
	s.env = append(s.env, env...)
	return s
}

func (s *shell) command(args ...string) *exec.Cmd {
	cmd := exec.Command(binary, args...)
	cmd.Dir, cmd.Env = s.dir, s.env
	return cmd
}

// outcome is what a command did.
type outcome struct {
	code           int
	stdout, stderr string
}

// run runs a command with the given standard input.
func (s *shell) run(stdin string, args ...string) outcome {
	s.t.Helper()
	cmd := s.command(args...)
	var out, errOut bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errOut
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		s.t.Fatal(err)
	}
	return outcome{cmd.ProcessState.ExitCode(), out.String(), errOut.String()}
}

// ok runs a command that must succeed and returns its output.
func (s *shell) ok(args ...string) string {
	s.t.Helper()
	o := s.run("", args...)
	if o.code != 0 {
		s.t.Fatalf("rookery %s: exit %d\n%s%s", strings.Join(args, " "), o.code, o.stdout, o.stderr)
	}
	return o.stdout
}

// fails runs a command that must end with an exit code and say something.
func (s *shell) fails(code int, says string, args ...string) {
	s.t.Helper()
	o := s.run("", args...)
	if o.code != code || !strings.Contains(o.stderr, says) {
		s.t.Errorf("rookery %s: exit %d, want %d; says\n%s\nwant %q", strings.Join(args, " "), o.code, code, o.stderr, says)
	}
	if strings.Contains(o.stderr, "goroutine ") {
		s.t.Errorf("rookery %s panics:\n%s", strings.Join(args, " "), o.stderr)
	}
}

// write makes a file in the shell's directory.
func (s *shell) write(name, content string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}
