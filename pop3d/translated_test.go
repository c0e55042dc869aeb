package pop3d

import (
	"testing"

	"github.com/rookery-mail/rookery/internal/language/languagetest"
)

// TestTextsAreTranslated finds what pop3d says to people; what mailstore says, imapd's test finds.
func TestTextsAreTranslated(t *testing.T) {
	found := languagetest.Run(t, languagetest.Package{
		Dir: ".", Says: map[string]int{"ok": 0, "mistake": 0, "send": 3, "New": 2}, Fields: []string{"text"},
		Except: []string{"IMPLEMENTATION Rookery", "English in ASCII"},
	})
	if found < 30 { // there were 45
		t.Errorf("only %d texts found", found)
	}
}
