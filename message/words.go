package message

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// DecodeHeader turns an unfolded header value into UTF-8: RFC 2047 words in every charset of golang.org/x/text, raw 8-bit
// bytes as UTF-8 or Windows-1252. It never fails: a broken word is left as it stands. Adjacent words of one charset are
// decoded as one, so that a character cut in two by a careless sender is whole again.
func DecodeHeader(raw string) string {
	if strings.Contains(raw, "=?") {
		return decodeWords(raw)
	}
	return rawText(raw)
}

// rawText returns text that declares no charset: UTF-8 if it is that, else Windows-1252.
func rawText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	s, _ = charmap.Windows1252.NewDecoder().String(s)
	return s
}

func decodeWords(s string) string {
	var out strings.Builder
	var charset string // of the words in pending
	var pending []byte // decoded octets of adjacent words
	inWords := false   // what was read last is a word; white space behind it is dropped if another follows
	flush := func() {
		if inWords {
			out.WriteString(decodeCharset(pending, charset))
			pending, inWords = nil, false
		}
	}
	for s != "" {
		start := strings.Index(s, "=?")
		if start < 0 {
			break
		}
		word, rest, ok := parseWord(s[start:])
		if !ok {
			flush()
			out.WriteString(rawText(s[:start+2]))
			s = s[start+2:]
			continue
		}
		between := s[:start]
		if !inWords || strings.Trim(between, " \t\r\n") != "" {
			flush()
			out.WriteString(rawText(between))
		} else if !strings.EqualFold(word.charset, charset) || strings.EqualFold(charset, "utf-7") {
			flush() // UTF-7 has shift states that words need not end
		}
		charset, inWords = word.charset, true
		pending = append(pending, word.octets...)
		s = rest
	}
	flush()
	out.WriteString(rawText(s))
	return out.String()
}

type encodedWord struct {
	charset string
	octets  []byte
}

// maxCharsetName bounds the search for the parts of an encoded word, so that a value full of "=?" is read in linear time.
const maxCharsetName = 64

// parseWord reads the encoded word that s begins with (RFC 2047 section 2). Words longer than 75 characters and white
// space inside Q words are common and let pass.
func parseWord(s string) (word encodedWord, rest string, ok bool) {
	head := s[2:min(len(s), maxCharsetName+5)]
	charset, _, found := strings.Cut(head, "?")
	if !found || charset == "" || strings.ContainsAny(charset, " \t") {
		return word, s, false
	}
	body := s[2+len(charset)+1:]
	if len(body) < 2 || body[1] != '?' {
		return word, s, false
	}
	encoding := body[0]
	body = body[2:]
	end := strings.IndexByte(body, '?')
	// A Q word may hold a bare "?" that should have been encoded.
	for end >= 0 && end+1 < len(body) && body[end+1] != '=' {
		next := strings.IndexByte(body[end+1:], '?')
		if next < 0 {
			end = -1
			break
		}
		if strings.HasSuffix(body[:end], "=") {
			return word, s, false // the beginning of another word
		}
		end += 1 + next
	}
	if end < 0 || end+1 >= len(body) {
		return word, s, false
	}
	charset, _, _ = strings.Cut(charset, "*") // RFC 2231 section 5: a language
	word.charset = charset
	switch encoding {
	case 'B', 'b':
		word.octets = decodeWordBase64(body[:end])
	case 'Q', 'q':
		word.octets = decodeWordQ(body[:end])
	default:
		return word, s, false
	}
	return word, body[end+2:], true
}

func decodeWordBase64(s string) []byte {
	if b, err := base64.StdEncoding.DecodeString(s); err == nil {
		return b
	}
	var d base64Decoder
	b, _ := d.decode(nil, []byte(s), true)
	return b
}

func decodeWordQ(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '_':
			out = append(out, ' ')
		case c == '=' && i+2 < len(s) && unhex(s[i+1]) < 16 && unhex(s[i+2]) < 16:
			out = append(out, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
		default:
			out = append(out, c)
		}
	}
	return out
}

// unhex returns the value of a hexadecimal digit, 16 for any other byte.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 16
}

// DecodeParam returns the value of a parameter in UTF-8, "" when it is absent: of the extended form "name*" (RFC 2231
// section 4) if there is one, else of the plain one, in which senders use RFC 2047 words though they must not.
func DecodeParam(params []Param, name string) string {
	var plain string
	for _, p := range params {
		base, extended := strings.CutSuffix(p.Name, "*")
		if base != name {
			continue
		}
		if !extended {
			plain = DecodeHeader(p.Value)
			continue
		}
		charset, rest, ok := strings.Cut(p.Value, "'")
		if ok {
			_, rest, ok = strings.Cut(rest, "'") // the language
		}
		if !ok {
			charset, rest = "", p.Value
		}
		return decodeCharset(decodePercent(rest), charset)
	}
	return plain
}

func decodePercent(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && unhex(s[i+1]) < 16 && unhex(s[i+2]) < 16 {
			out = append(out, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
		} else {
			out = append(out, s[i])
		}
	}
	return out
}
