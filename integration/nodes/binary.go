package nodes

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binary is the rookery under test, built once.
var binary string

// Main builds the binary, and runs a package's tests with it: os.Exit(nodes.Main(m)) is the package's TestMain.
func Main(m *testing.M) int {
	dir, err := os.MkdirTemp("", "rookery-binary-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "rookery")
	build := exec.Command("go", "build", "-o", binary, "github.com/rookery-mail/rookery/cmd/rookery")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "building rookery:", err)
		return 1
	}
	return m.Run()
}
