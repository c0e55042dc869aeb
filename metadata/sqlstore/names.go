package sqlstore

import (
	"strings"
	"unicode/utf8"

	"github.com/rookery-mail/rookery/mailerr"
)

// maxName is the longest mailbox name or address in bytes: it must fit an index of every engine.
const maxName = 1024

// checkNames refuses names that an engine could not store or index.
func checkNames(op string, names ...string) error {
	for _, n := range names {
		switch {
		case n == "" || !storable(n):
			return mailerr.New(op, mailerr.Invalid, "invalid name")
		case len(n) > maxName:
			return mailerr.New(op, mailerr.Invalid, "the name is too long")
		}
	}
	return nil
}

// storable reports whether every engine can store the text: PostgreSQL takes neither NUL nor broken UTF-8.
func storable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsAny(text, "\x00\n\r")
}
