package sqlstore

import (
	"io/fs"
	"strings"

	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

// Text is one SQL text of the package, for tests.
type Text struct{ Name, Template, SQL string }

// Texts returns all texts of the package in an engine's words, with n list elements or rows.
func Texts(w sqldb.Words, n int) []Text {
	var all []Text
	for _, t := range texts {
		all = append(all, Text{t.name, t.template, t.render(&w, n)})
	}
	return all
}

// Migrations returns all migrations in an engine's words, without their comments.
func Migrations(w sqldb.Words) []Text {
	files, _ := fs.Glob(migrations, "migrations/*.sql")
	var all []Text
	for _, f := range files {
		b, _ := migrations.ReadFile(f)
		var code []string
		for line := range strings.Lines(string(b)) {
			if !strings.HasPrefix(line, "--") {
				code = append(code, line)
			}
		}
		text := strings.Join(code, "")
		all = append(all, Text{f, text, fill(text, 0, 0, &w)})
	}
	return all
}

// WordsOf returns the words of a store's engine.
func WordsOf(s *Store) sqldb.Words { return s.words }
