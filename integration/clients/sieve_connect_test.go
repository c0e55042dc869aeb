package clients

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/integration/nodes"
)

// sieveConnect manages scripts as people do from a terminal, over STARTTLS, a command on one node and the next on the other.
func sieveConnect(t *testing.T, u *user) {
	program, shell := need(t, "sieve-connect"), need(t, "sh")
	dir := t.TempDir()
	secret := filepath.Join(dir, "password")
	write(t, secret, nodes.Password+"\n")
	sieve := func(codes []int, args ...string) string {
		t.Helper()
		host, port := hostPort(t, u.node().ManageSieve)
		all := append([]string{program, "--server", host, "--port", port, "--user", u.name, "--passwordfd", "3", "--notlsverify", "--4"}, args...)
		// The shell opens the password's file.
		return runAllowing(t, codes, []string{"HOME=" + dir}, shell, append([]string{"-c", `exec "$@" 3<"$0"`, secret}, all...)...)
	}
	holiday := "require [\"fileinto\", \"vacation\"];\nif header :contains \"subject\" \"list\" { fileinto \"Lists\"; }\nvacation \"Away.\";\n"
	script := filepath.Join(dir, "holiday")
	write(t, script, holiday)
	wrong := filepath.Join(dir, "wrong")
	write(t, wrong, "keep;\nfileinto \"Lists\";\n")

	sieve(nil, "--localsieve", script, "--remotesieve", "holiday", "--upload")
	sieve(nil, "--localsieve", script, "--remotesieve", "other", "--upload")
	if out := sieve([]int{1, 2, 255}, "--localsieve", wrong, "--checkscript"); !strings.Contains(out, "line 2") {
		t.Errorf("a wrong script is told as %q", out)
	}
	if out := sieve([]int{1, 2, 255}, "--localsieve", wrong, "--remotesieve", "other", "--upload"); !strings.Contains(out, "line 2") {
		t.Errorf("a wrong script is told as %q", out)
	}
	sieve(nil, "--localsieve", script, "--checkscript")
	sieve(nil, "--remotesieve", "holiday", "--activate")
	if out := sieve(nil, "--list"); !strings.Contains(out, `"holiday" ACTIVE`) || !strings.Contains(out, `"other"`) {
		t.Errorf("the scripts are listed as %q", out)
	}
	got := filepath.Join(dir, "got")
	sieve(nil, "--remotesieve", "other", "--localsieve", got, "--download")
	if b, err := os.ReadFile(got); err != nil || strings.ReplaceAll(string(b), "\r\n", "\n") != holiday {
		t.Errorf("downloaded %q, %v", b, err)
	}
	sieve(nil, "--remotesieve", "other", "--delete")
	if out := sieve([]int{1, 2, 255}, "--remotesieve", "holiday", "--delete"); !strings.Contains(out, "active") {
		t.Errorf("removing the active script is told as %q", out)
	}
	sieve(nil, "--deactivate")
	sieve(nil, "--remotesieve", "holiday", "--delete")
	if out := sieve(nil, "--list"); strings.Contains(out, "holiday") || strings.Contains(out, "other") {
		t.Errorf("the scripts are listed as %q", out)
	}
}
