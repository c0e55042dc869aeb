package sqlstore_test

import (
	"testing"

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
