package pop3d

import (
	"testing"

	"github.com/rookery-mail/rookery/internal/language"
)

func TestLanguagesHaveNames(t *testing.T) {
	for _, tag := range language.Tags() {
		if languageNames[tag] == "" {
			t.Errorf("%s has no name", tag)
		}
	}
}
