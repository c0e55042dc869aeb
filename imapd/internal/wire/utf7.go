package wire

import (
	"unicode/utf16"
	"unicode/utf8"
)

const utf7Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,"

var utf7Values = func() (t [256]int8) {
	for i := range t {
		t[i] = -1
	}
	for i := range len(utf7Alphabet) {
		t[utf7Alphabet[i]] = int8(i)
	}
	return t
}()

// EncodeUTF7 returns a UTF-8 mailbox name in modified UTF-7 (RFC 3501 section 5.1.3). Bytes that are not UTF-8 become U+FFFD.
func EncodeUTF7(name string) string {
	plain := true
	for i := range len(name) {
		if c := name[i]; c < ' ' || c > '~' || c == '&' {
			plain = false
			break
		}
	}
	if plain {
		return name
	}
	return string(appendUTF7(nil, name))
}

func appendUTF7(dst []byte, name string) []byte {
	var bits, n uint32 // n bits of a run not written yet
	inRun := false
	put := func(u uint16) {
		bits, n = bits<<16|uint32(u), n+16
		for n >= 6 {
			n -= 6
			dst = append(dst, utf7Alphabet[bits>>n&0x3f])
		}
		bits &= 1<<n - 1
	}
	end := func() {
		if !inRun {
			return
		}
		if n > 0 {
			dst = append(dst, utf7Alphabet[bits<<(6-n)&0x3f])
		}
		dst = append(dst, '-')
		inRun, bits, n = false, 0, 0
	}
	for _, r := range name {
		switch {
		case r == '&':
			end()
			dst = append(dst, '&', '-')
		case ' ' <= r && r <= '~':
			end()
			dst = append(dst, byte(r))
		default:
			if !inRun {
				dst = append(dst, '&')
				inRun = true
			}
			if hi, lo := utf16.EncodeRune(r); hi != utf8.RuneError {
				put(uint16(hi))
				put(uint16(lo))
			} else {
				put(uint16(r))
			}
		}
	}
	end()
	return dst
}

// DecodeUTF7 returns the UTF-8 form of a name in modified UTF-7. It takes what can have only one meaning although it should
// have been written shorter (printable characters in base64, one run after another); ok is false for everything else:
// runs without an end, wrong padding, lone surrogates, NUL, bytes that are not printable US-ASCII.
func DecodeUTF7(s string) (name string, ok bool) {
	plain := true
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c > '~' {
			return "", false
		}
		plain = plain && c != '&'
	}
	if plain {
		return s, true
	}
	dst := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '&' {
			dst = append(dst, s[i])
			continue
		}
		i++
		start := i
		for i < len(s) && s[i] != '-' {
			i++
		}
		if i >= len(s) {
			return "", false
		}
		if i == start {
			dst = append(dst, '&')
			continue
		}
		if dst, ok = appendRun(dst, s[start:i]); !ok {
			return "", false
		}
	}
	return string(dst), true
}

// CanonicalUTF7 reports whether s is the one form in modified UTF-7 that EncodeUTF7 writes.
func CanonicalUTF7(s string) bool {
	name, ok := DecodeUTF7(s)
	return ok && EncodeUTF7(name) == s
}

// appendRun decodes the base64 between "&" and "-".
func appendRun(dst []byte, run string) ([]byte, bool) {
	var bits, n uint32
	var high rune // a surrogate that waits for its other half
	for i := range len(run) {
		v := utf7Values[run[i]]
		if v < 0 {
			return dst, false
		}
		bits, n = bits<<6|uint32(v), n+6
		if n < 16 {
			continue
		}
		n -= 16
		r := rune(bits >> n & 0xffff)
		bits &= 1<<n - 1
		switch {
		case high != 0:
			if r = utf16.DecodeRune(high, r); r == utf8.RuneError {
				return dst, false
			}
			high = 0
		case r == 0:
			return dst, false
		case utf16.IsSurrogate(r):
			if r >= 0xdc00 {
				return dst, false
			}
			high = r
			continue
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst, high == 0 && n < 6 && bits == 0
}
