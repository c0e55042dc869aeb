package uidl

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/rookery-mail/rookery/metadata"
)

// DefaultFormat is Dovecot's pop3_uidl_format if none is configured.
const DefaultFormat = "%08Xu%08Xv"

// formatField is a place of a pop3_uidl_format: width, "X" for hexadecimal, and uid, uidvalidity or file name.
var formatField = regexp.MustCompile(`%(\d*)(X?)(.?)`)

// dovecotLines returns what reads the lines below a header: "3 V<uidvalidity> N<next uid> G<guid>" or "1 <uidvalidity> <next uid>".
func dovecotLines(header []string, o Options) (func(string) (Entry, bool, error), error) {
	if o.Format == "" {
		o.Format = DefaultFormat
	}
	for _, m := range formatField.FindAllStringSubmatch(o.Format, -1) {
		if !strings.Contains("uvf%", m[3]) || m[3] == "" {
			return nil, fmt.Errorf("%q in the format: %%u, %%v and %%f are known, with a width and X", m[0])
		}
	}
	validity, err := strconv.ParseUint(strings.TrimPrefix(header[1], "V"), 10, 32)
	if err != nil {
		return nil, errors.New("the header has no UIDVALIDITY")
	}
	return func(line string) (Entry, bool, error) { return dovecotLine(line, header[0] == "3", validity, o) }, nil
}

// dovecotLine reads "<uid> <fields> :<file>", or "<uid> <file>" of version 1. A P field is the unique-id.
func dovecotLine(line string, named bool, validity uint64, o Options) (Entry, bool, error) {
	if line == "" {
		return Entry{}, false, nil
	}
	fields, file, ok := strings.Cut(line, " :")
	if !named {
		fields, file, ok = strings.Cut(line, " ")
	}
	words := strings.Fields(fields)
	if !ok || len(words) == 0 || file == "" {
		return Entry{}, false, errors.New("this is no line of a dovecot-uidlist")
	}
	uid, err := strconv.ParseUint(words[0], 10, 32)
	if err != nil || uid == 0 {
		return Entry{}, false, fmt.Errorf("%q is no UID", words[0])
	}
	e := Entry{UID: metadata.UID(uid), file: file}
	for _, w := range words[1:] {
		if unique, ok := strings.CutPrefix(w, "P"); ok {
			e.Unique = unique
		}
	}
	if e.Unique == "" {
		e.Unique = expand(o.Format, uid, validity, file)
	}
	if !o.ByUID {
		e.UID = 0
	}
	return e, true, nil
}

// expand fills in a pop3_uidl_format.
func expand(format string, uid, validity uint64, file string) string {
	return formatField.ReplaceAllStringFunc(format, func(place string) string {
		m := formatField.FindStringSubmatch(place)
		value := uid
		switch m[3] {
		case "%":
			return "%"
		case "f":
			name, _, _ := strings.Cut(file, ":")
			return name
		case "v":
			value = validity
		}
		base, pad := 10, " "
		if m[2] == "X" {
			base = 16
		}
		if strings.HasPrefix(m[1], "0") {
			pad = "0"
		}
		width, _ := strconv.Atoi(m[1]) // digits, or none
		text := strconv.FormatUint(value, base)
		return strings.Repeat(pad, max(0, min(width, metadata.MaxUIDL)-len(text))) + text
	})
}
