package wire

import "math"

// header is a literal's announcement: "{12}", "{12+}" or "~{12}" at the end of a line.
type header struct {
	size    int64 // saturated
	nonSync bool  // "{n+}" (RFC 7888): the bytes follow without asking
	binary  bool  // "~{n}" (RFC 3516): the bytes may be anything
	start   int   // where it begins in the line
}

// literalHeader finds a literal's announcement at the end of a line given without its line end. Digits that overflow are a
// literal of endless size, so that "{99999999999999999999+}" is never taken for text while its bytes are taken for commands.
func literalHeader(line []byte) (h header, ok bool) {
	i := len(line) - 1
	if i < 2 || line[i] != '}' {
		return h, false
	}
	i--
	if line[i] == '+' {
		h.nonSync = true
		i--
	}
	end := i
	for i >= 0 && '0' <= line[i] && line[i] <= '9' {
		i--
	}
	if i == end || i < 0 || line[i] != '{' {
		return header{}, false
	}
	for _, c := range line[i+1 : end+1] {
		if h.size > (math.MaxInt64-9)/10 {
			h.size = math.MaxInt64
			break
		}
		h.size = h.size*10 + int64(c-'0')
	}
	if i > 0 && line[i-1] == '~' {
		h.binary = true
		i--
	}
	h.start = i
	return h, true
}
