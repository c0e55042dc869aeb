package sqlstore_test

import (
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/integration/servers"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/metadatatest"
	"github.com/rookery-mail/rookery/metadata/sqlstore"
)

func TestConformance(t *testing.T) {
	onEngines(t, func(t *testing.T, url string) {
		s := open(t, sqlstore.Options{URL: url})
		metadatatest.Run(t, func(*testing.T) metadata.Store { return s })
	})
}

// TestConformanceInSmallSteps splits everything that may be split.
func TestConformanceInSmallSteps(t *testing.T) {
	onEngines(t, func(t *testing.T, url string) {
		s := open(t, sqlstore.Options{URL: url, MaxChanges: 7})
		metadatatest.Run(t, func(*testing.T) metadata.Store { return s })
	})
}

// TestCockroachCodeOnPostgreSQL runs the code for CockroachDB (SERIALIZABLE, restarts by savepoint) where CockroachDB cannot be
// had. It is no substitute for the engine: conflicts of PostgreSQL do not end by a savepoint, so nothing runs at once.
func TestCockroachCodeOnPostgreSQL(t *testing.T) {
	dsn := servers.PostgreSQL(t)
	s := open(t, sqlstore.Options{URL: "cockroachdb" + strings.TrimPrefix(dsn, "postgresql")})
	metadatatest.RunSequential(t, func(*testing.T) metadata.Store { return s })
}
