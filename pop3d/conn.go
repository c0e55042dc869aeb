package pop3d

import (
	"bufio"
	"bytes"
	"errors"
	"os"

	"github.com/rookery-mail/rookery/internal/listener"
)

const (
	inputBytes  = 4 << 10 // also the longest command line; RFC 2449 section 4 asks for 255
	outputBytes = 16 << 10
)

var (
	errLost    = errors.New("pop3d: the lease was lost")
	errTooLong = errors.New("pop3d: line too long")
)

// readLine returns the next line without its end: CRLF, or LF alone. It is valid until the next read. errTooLong: the line was
// read over.
func (s *session) readLine() ([]byte, error) {
	if err := s.Await(s.drop != nil); err != nil {
		return nil, err
	}
	line, err := s.In.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = s.In.ReadSlice('\n')
		}
		if err == nil {
			err = errTooLong
		}
	}
	if err != nil {
		return nil, err
	}
	line = bytes.TrimSuffix(line, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), nil
}

// farewell says why the session ends, where that is of any use.
func (s *session) farewell(err error) {
	switch {
	case errors.Is(err, errLost):
		s.err(refusal{"SYS/TEMP", "The lock of the maildrop was lost, nothing was deleted"})
	case errors.Is(err, listener.ErrStopped):
		s.err(refusal{"SYS/TEMP", "The server is shutting down"})
	case errors.Is(err, os.ErrDeadlineExceeded) && s.drop != nil:
		s.err(refusal{"", "Autologout, nothing was deleted"}) // RFC 1939 section 3
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.err(refusal{"", "Waited too long for a login"})
	}
}
