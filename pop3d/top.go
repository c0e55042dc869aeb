package pop3d

import (
	"bytes"
	"context"
	"strings"
)

// top is TOP (RFC 1939 section 7). With more lines than there are it sends exactly what RETR sends: fetchmail uses it so.
func top(ctx context.Context, s *session, args string) error {
	fields := strings.Fields(args)
	if len(fields) != 2 {
		return refusal{"", "TOP takes a message and a number of lines"}
	}
	n, _, err := s.drop.message(fields[0])
	if err != nil {
		return err
	}
	lines, err := number(fields[1])
	if err != nil {
		return err
	}
	b, err := s.find(ctx, n-1)
	if err != nil {
		return err
	}
	return s.send(ctx, b, &head{lines: lines}, "Top of message follows")
}

// head is a message's header, the blank line, and some lines of the body.
type head struct {
	lines  int  // of the body, still to come
	body   bool // the blank line is behind
	filled bool // the current line of the header has something other than CR
}

func (h *head) next(p []byte) (n int, end bool) {
	for n < len(p) {
		if h.body && h.lines == 0 {
			return n, true
		}
		i := bytes.IndexByte(p[n:], '\n')
		line := p[n:]
		if i >= 0 {
			line = line[:i+1]
		}
		n += len(line)
		if !h.body {
			h.filled = h.filled || len(bytes.Trim(line, "\r\n")) > 0
		}
		switch {
		case i < 0:
		case h.body:
			h.lines--
		default:
			h.body, h.filled = !h.filled, false
		}
	}
	return n, h.body && h.lines == 0
}
