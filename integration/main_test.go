package integration

import (
	"os"
	"testing"

	"github.com/rookery-mail/rookery/integration/nodes"
)

func TestMain(m *testing.M) {
	os.Exit(nodes.Main(m))
}
