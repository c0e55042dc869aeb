package mailstore_test

import (
	"testing"

	"github.com/rookery-mail/rookery/metadata"
)

func openMetadata(testing.TB) metadata.Store { return newMemory() }
