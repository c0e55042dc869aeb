package clients

import (
	"testing"

	"github.com/rookery-mail/rookery/integration/nodes"
)

// imaplib is what Python programs use.
func imaplib(t *testing.T, u *user) {
	host1, port1 := hostPort(t, u.nodes[0].IMAP)
	host2, port2 := hostPort(t, u.nodes[1].IMAP)
	run(t, nil, need(t, "python3"), "testdata/round.py", host1, port1, host2, port2, u.name, nodes.Password)
	u.expect("Archive26", `0 [$Label \Seen]`, `2 [\Flagged]`, `3 [$Label \Seen]`, `4 [$Label \Seen]`, "9 []")
}
