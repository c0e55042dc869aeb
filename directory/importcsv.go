package directory

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"strings"

	"github.com/rookery-mail/rookery/mailerr"
)

// ImportRow is one account to be imported.
type ImportRow struct {
	Line    int // in the file, from 1
	Address Address
	Secret  string // a password, or "{SCHEME}hash" when Hashed
	Hashed  bool
}

// RowError is a line of the file that cannot be imported, and why, in words for the administrator.
type RowError struct {
	Line int
	Why  string
}

// rowReader reads "address,password" and "address,{SCHEME}hash" lines (RFC 4180). Empty lines, lines that begin with "#",
// and a first line of the words "address,password" are passed over.
type rowReader struct {
	csv    *csv.Reader
	domain string
	first  bool
}

func newRowReader(r io.Reader, defaultDomain string) *rowReader {
	br := bufio.NewReader(r)
	if bom, err := br.Peek(3); err == nil && string(bom) == "\ufeff" {
		_, _ = br.Discard(len(bom))
	}
	c := csv.NewReader(br)
	c.FieldsPerRecord = -1
	c.Comment = '#'
	c.ReuseRecord = true
	return &rowReader{csv: c, domain: defaultDomain, first: true}
}

// next returns the next row, or a RowError and the reader goes on, or an error (io.EOF at the end).
func (r *rowReader) next() (ImportRow, *RowError, error) {
	for {
		record, err := r.csv.Read()
		var syntax *csv.ParseError
		switch {
		case errors.As(err, &syntax):
			return ImportRow{}, &RowError{syntax.Line, syntax.Err.Error()}, nil
		case err != nil:
			return ImportRow{}, nil, err
		}
		first := r.first
		r.first = false
		if first && len(record) == 2 && strings.EqualFold(record[0], "address") && strings.EqualFold(strings.TrimSpace(record[1]), "password") {
			continue
		}
		line, _ := r.csv.FieldPos(0)
		row, why := parseRow(record, r.domain)
		if why != "" {
			return ImportRow{}, &RowError{line, why}, nil
		}
		row.Line = line
		return row, nil, nil
	}
}

func parseRow(record []string, defaultDomain string) (row ImportRow, why string) {
	if len(record) != 2 {
		return row, "expected two fields, address and password or {SCHEME}hash (a field with a comma in it is put in double quotes)"
	}
	a, err := ParseAddress(strings.TrimSpace(record[0]), defaultDomain)
	if err != nil {
		return row, mailerr.ClientText(err)
	}
	row.Address, row.Secret = a, strings.Clone(record[1])
	name, rest, braces := splitScheme(row.Secret)
	switch {
	case braces && (name == "PLAIN" || name == "CLEARTEXT" || name == "CLEAR"):
		row.Secret = rest // hashed like any other: no password is stored as it is
	case braces:
		if _, err := parseHash(row.Secret); err != nil {
			return row, err.Error() + "; a password that begins with a brace is written {PLAIN}{..."
		}
		row.Hashed = true
		return row, ""
	case strings.HasPrefix(row.Secret, "$"):
		if _, err := parseCrypt(row.Secret); err == nil {
			return row, "this looks like a hash without its scheme: write {CRYPT} before it, or {PLAIN} if it is a password"
		}
	}
	if err := checkPassword(row.Secret); err != nil {
		return row, mailerr.ClientText(err)
	}
	return row, ""
}
