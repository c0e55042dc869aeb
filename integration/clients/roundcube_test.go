package clients

import (
	"os"
	"testing"

	"github.com/rookery-mail/rookery/integration/nodes"
)

// roundcubePlugin is where Debian has it.
const roundcubePlugin = "/usr/share/roundcube/plugins/managesieve"

// roundcube edits filters as the webmail's managesieve plugin does, with a new connection for every page.
func roundcube(t *testing.T, u *user) {
	php := need(t, "php")
	if _, err := os.Stat(roundcubePlugin); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("SKIPPED: %v", err)
	}
	host, port := hostPort(t, nodes.Balancer(t, u.nodes[0].ManageSieve, u.nodes[1].ManageSieve))
	run(t, nil, php, "testdata/roundcube.php", roundcubePlugin, host, port, u.name, nodes.Password)
}
