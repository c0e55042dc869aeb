package managesieved

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/rookery-mail/rookery/metadata"
)

const (
	// maxWord is the longest word or number.
	maxWord = 1024
	// maxArgs is how many arguments a command may have; none has more.
	maxArgs = 4
	// maxQuotedIn is the longest quoted string taken: somewhat more than RFC 5804 section 4 allows.
	maxQuotedIn = 4 << 10
	// maxOther is the longest literal that is no script.
	maxOther = 4 << 10
	// maxSkipped is how much of a command that is refused is read past before the connection is given up.
	maxSkipped = 16 << 20
)

var errFlood = errors.New("managesieved: a command too long to be read past")

// kind is what an argument is.
type kind byte

const (
	word   kind = 'w'
	text   kind = 's' // quoted or literal
	number kind = 'n'
)

// argument is one of a command's.
type argument struct {
	kind  kind
	value string
}

// scanned is a command that was read to its end. bad says what is wrong with it, nil for nothing.
type scanned struct {
	name string // upper case
	args []argument
	bad  error
}

// check compares the arguments with a command's: a letter for each, behind '?' those that may be missing.
func (c *scanned) check(want string) error {
	required, optional, _ := strings.Cut(want, "?")
	all := required + optional
	switch {
	case len(c.args) < len(required):
		return mistake("Arguments are missing")
	case len(c.args) > len(all):
		return mistake("Too many arguments")
	}
	for i, a := range c.args {
		if a.kind == kind(all[i]) {
			continue
		}
		if kind(all[i]) == number {
			return mistake(fmt.Sprintf("Argument %d must be a number", i+1))
		}
		return mistake(fmt.Sprintf("Argument %d must be a string", i+1))
	}
	return nil
}

// scan reads a whole command. Its error ends the session; what is wrong with the command itself is in the result.
func (s *session) scan() (*scanned, error) {
	if err := s.Await(s.account != nil); err != nil {
		return nil, err
	}
	c := &scanned{}
	bad, err := s.scanInto(c)
	if err != nil {
		return nil, err
	}
	if bad != nil {
		c.bad = bad
		return c, s.skip()
	}
	return c, nil
}

// scanInto reads a command up to its CRLF, or up to where something is wrong with it.
func (s *session) scanInto(c *scanned) (bad, err error) {
	name, bad, err := s.word()
	if bad != nil || err != nil {
		return bad, err
	}
	if name == "" {
		return mistake("A command is expected"), nil
	}
	c.name = strings.ToUpper(name)
	for {
		b, err := s.In.ReadByte()
		if err != nil {
			return nil, unexpected(err)
		}
		switch b {
		case '\n':
			return nil, nil
		case '\r':
			if b, err = s.In.ReadByte(); err != nil {
				return nil, unexpected(err)
			}
			if b != '\n' {
				return mistake("CR without LF"), s.In.UnreadByte()
			}
			return nil, nil
		case ' ':
		default:
			return mistake("A space is expected"), s.In.UnreadByte()
		}
		next, err := s.In.Peek(1)
		if err != nil {
			return nil, unexpected(err)
		}
		if next[0] == '\r' || next[0] == '\n' {
			continue // a space at the end is forgiven
		}
		if len(c.args) == maxArgs {
			return mistake("Too many arguments"), nil
		}
		a, bad, err := s.argument(c.name)
		if bad != nil || err != nil {
			return bad, err
		}
		c.args = append(c.args, a)
	}
}

func (s *session) argument(command string) (a argument, bad, err error) {
	next, err := s.In.Peek(1)
	if err != nil {
		return a, nil, unexpected(err)
	}
	switch next[0] {
	case '"':
		a.kind = text
		a.value, bad, err = s.quoted()
	case '{':
		a.kind = text
		a.value, bad, err = s.literal(s.maxLiteral(command))
	default:
		a.kind = word
		a.value, bad, err = s.word()
		switch {
		case bad != nil || err != nil:
		case a.value == "":
			bad = mistake("That is no argument")
		case strings.Trim(a.value, "0123456789") == "":
			a.kind = number
		}
	}
	if bad == nil && err == nil && !utf8.ValidString(a.value) {
		bad = refusal{"", "That is not UTF-8"}
	}
	return a, bad, err
}

// maxLiteral is how long a literal may be. Only scripts may be long.
func (s *session) maxLiteral(command string) int64 {
	if s.account != nil && (command == "PUTSCRIPT" || command == "CHECKSCRIPT") {
		return s.srv.cfg.Limits.ScriptBytes
	}
	return maxOther
}

// word reads a word; it is "" when there is none.
func (s *session) word() (w string, bad, err error) {
	var b strings.Builder
	for {
		next, err := s.In.Peek(1)
		if err != nil {
			if b.Len() == 0 && errors.Is(err, io.EOF) {
				return "", nil, io.EOF
			}
			return "", nil, unexpected(err)
		}
		if c := next[0]; c <= ' ' || c == 0x7f || strings.IndexByte(`(){"\`, c) >= 0 {
			return b.String(), nil, nil
		}
		if b.Len() == maxWord {
			return "", mistake("The word is too long"), nil
		}
		b.WriteByte(next[0])
		_, _ = s.In.Discard(1) // it is there
	}
}

func (s *session) quoted() (q string, bad, err error) {
	_, _ = s.In.Discard(1) // the quote that was peeked at
	var b strings.Builder
	for {
		next, err := s.In.Peek(1)
		if err != nil {
			return "", nil, unexpected(err)
		}
		c := next[0]
		if c == '\r' || c == '\n' || c == 0 {
			return "", mistake("The quoted string does not end"), nil
		}
		_, _ = s.In.Discard(1) // it is there
		switch c {
		case '"':
			return b.String(), nil, nil
		case '\\':
			if next, err = s.In.Peek(1); err != nil {
				return "", nil, unexpected(err)
			}
			if c = next[0]; c != '"' && c != '\\' {
				return "", mistake(`In a quoted string only " and \ may follow \`), nil
			}
			_, _ = s.In.Discard(1) // it is there
		}
		if b.Len() == maxQuotedIn {
			return "", mistake("The quoted string is too long"), nil
		}
		b.WriteByte(c)
	}
}

// literal reads "{n+}" CRLF and n bytes. "{n}" is taken for the same.
func (s *session) literal(limit int64) (l string, bad, err error) {
	line, err := s.In.Peek(1)
	var head []byte
	for err == nil && line[0] != '\n' {
		if len(head) > 24 {
			return "", mistake("That is no literal"), nil
		}
		head = append(head, line[0])
		_, _ = s.In.Discard(1) // it is there
		line, err = s.In.Peek(1)
	}
	if err != nil {
		return "", nil, unexpected(err)
	}
	size, ok := literalSize(head)
	if !ok {
		return "", mistake("That is no literal"), nil
	}
	_, _ = s.In.Discard(1) // the LF
	if size > limit {
		if err := s.discard(size); err != nil {
			return "", nil, err
		}
		if limit > maxOther {
			return "", refusal{"QUOTA/MAXSIZE", fmt.Sprintf("A script may have %d bytes", limit)}, nil
		}
		return "", mistake("The literal is too long"), nil
	}
	var b strings.Builder
	// Memory is taken as the bytes come, not as they are announced.
	if _, err := io.CopyN(&b, s.In, size); err != nil {
		return "", nil, unexpected(err)
	}
	if strings.IndexByte(b.String(), 0) >= 0 {
		return "", refusal{"", "NUL is not allowed"}, nil
	}
	return b.String(), nil, nil
}

// literalSize reads "{n+}" or "{n}", perhaps with a CR, at the end of a line. Larger numbers than RFC 5804 section 4 allows count
// too: what is behind them is certainly no command.
func literalSize(line []byte) (n int64, ok bool) {
	s := strings.TrimSuffix(string(line), "\r")
	s, ok = strings.CutSuffix(s, "}")
	if !ok {
		return 0, false
	}
	s = strings.TrimSuffix(s, "+")
	i := strings.LastIndexByte(s, '{')
	digits := s[i+1:]
	if i < 0 || digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	n, _ = strconv.ParseInt(digits, 10, 64) // digits only: out of range is the one error, and n is the largest then
	return n, true
}

// skip reads past the rest of a command that is refused: to the end of the line, and past the literals that the lines announce.
func (s *session) skip() error {
	var end []byte // of the line: as much of it as can announce a literal
	for skipped := int64(0); ; {
		piece, err := s.In.ReadSlice('\n')
		end = append(end, piece...)
		end = end[max(0, len(end)-32):]
		if skipped += int64(len(piece)); skipped > maxSkipped {
			return errFlood
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			return unexpected(err)
		}
		n, ok := literalSize(bytes.TrimSuffix(end, []byte("\n")))
		if !ok {
			return nil
		}
		if err := s.discard(n); err != nil {
			return err
		}
		skipped += n
		end = end[:0]
	}
}

func (s *session) discard(n int64) error {
	if n > maxSkipped {
		return errFlood
	}
	_, err := io.CopyN(io.Discard, s.In, n)
	return unexpected(err)
}

// unexpected keeps the end of the connection within a command apart from the one between two.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// scriptName returns an argument that must be a script's name (RFC 5804 section 1.6).
func scriptName(name string) (string, error) {
	switch {
	case name == "":
		return "", refusal{"", "A script needs a name"}
	case len(name) > metadata.MaxScriptName:
		return "", refusal{"", fmt.Sprintf("The name is longer than %d bytes", metadata.MaxScriptName)}
	}
	for _, r := range name {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' {
			return "", refusal{"", "The name has a character that names may not have"}
		}
	}
	return name, nil
}
