package wire

// Character classes of RFC 9051 section 9.
const (
	classAtom    = 1 << iota // ATOM-CHAR: any CHAR except atom-specials
	classAString             // ASTRING-CHAR: ATOM-CHAR / resp-specials
	classList                // list-char: ATOM-CHAR / list-wildcards / resp-specials
	classKeyword             // what command names, FETCH items and search keys are made of: ATOM-CHAR but "["
	classTag                 // ASTRING-CHAR except "+"
	classQuoted              // may stand in a quoted string as it is
)

var classes = func() (t [256]uint8) {
	for c := 0x01; c < 0x80; c++ {
		if c != '\r' && c != '\n' && c != '"' && c != '\\' {
			t[c] |= classQuoted
		}
		if c <= ' ' || c == 0x7f {
			continue
		}
		switch c {
		case '(', ')', '{', '"', '\\':
		case '%', '*':
			t[c] |= classList
		case ']':
			t[c] |= classAString | classList | classTag
		default:
			t[c] |= classAtom | classAString | classList | classKeyword | classTag
		}
	}
	t['['] &^= classKeyword
	t['+'] &^= classTag
	return t
}()

func upper(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}
