package imapd

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/internal/language"
	"github.com/rookery-mail/rookery/internal/language/languagetest"
	"github.com/rookery-mail/rookery/mailerr"
)

// TestTextsAreTranslated finds what imapd says to people, and what those say whose errors it hands on.
func TestTextsAreTranslated(t *testing.T) {
	found := languagetest.Run(t, languagetest.Package{
		Dir:    ".",
		Says:   map[string]int{"no": 1, "bad": 0, "badURL": 1, "status": 2, "remark": 0, "New": 2},
		Fields: []string{"Text", "text"},
	})
	found += languagetest.Run(t, languagetest.Package{
		Dir: "internal/wire", Says: map[string]int{"syntax": 0, "refuse": 0}, Fields: []string{"Text"},
	})
	for _, dir := range []string{"../mailstore", "../metadata", "../metadata/sqlstore", "../message"} {
		found += languagetest.Run(t, languagetest.Package{
			Dir: dir, Says: map[string]int{"New": 2, "invalid": 0}, Fields: []string{"ClientText"}, NoSentences: true,
		})
	}
	if found < 150 { // there were 200
		t.Errorf("only %d texts found", found)
	}
	for _, kind := range mailerr.Kinds() {
		if !language.Translated(kind.String()) {
			t.Errorf("%q has no translation", kind)
		}
	}
}

// TestStatusGoesThroughOne: no status response is written past the one place that translates.
func TestStatusGoesThroughOne(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	past := regexp.MustCompile(`Raw\([` + "`" + `"](\* (OK|NO|BAD|BYE) ([A-Z]|\[[^]"]*\])|\)?\] [A-Z])`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if past.MatchString(line) && !strings.HasSuffix(file, "_test.go") {
				t.Errorf("%s:%d: %s", file, i+1, strings.TrimSpace(line))
			}
		}
	}
}
