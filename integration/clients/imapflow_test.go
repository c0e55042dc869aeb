package clients

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rookery-mail/rookery/integration/nodes"
)

// imapflow is what Node.js programs use.
func imapflow(t *testing.T, u *user) {
	node, npm := need(t, "node"), need(t, "npm")
	// The packages are laid beside a copy of the program, so that the tree stays clean.
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", "round.js"} {
		b, err := os.ReadFile(filepath.Join("testdata/imapflow", name))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name), string(b))
	}
	run(t, nil, npm, "ci", "--prefix", dir, "--no-audit", "--no-fund", "--ignore-scripts")
	host1, port1 := hostPort(t, u.nodes[0].IMAP)
	host2, port2 := hostPort(t, u.nodes[1].IMAP)
	run(t, nil, node, filepath.Join(dir, "round.js"), host1, port1, host2, port2, u.name, nodes.Password)
	u.expect("Archive", `letter1 [$Work \Flagged \Seen]`, "letter2 [$Work]", `letter3 [$Work \Seen]`)
}
