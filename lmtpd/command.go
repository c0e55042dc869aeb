package lmtpd

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"time"
)

// next returns what go-smtp is to read next: a command line, or the end of its empty message.
func (c *conn) next() ([]byte, error) {
	if c.body != nil && c.body.announced {
		c.body = nil
		return []byte(".\r\n"), nil
	}
	c.mute = false
	if err := c.skipRefused(); err != nil {
		return nil, err
	}
	c.setPhase(waiting)
	for {
		line, err := c.command()
		if err != nil {
			return nil, err
		}
		if hand, err := c.dispatch(line); hand != nil || err != nil {
			return hand, err
		}
	}
}

// command returns the next command line, with its end.
func (c *conn) command() ([]byte, error) {
	if c.held != nil {
		line := c.held
		c.held = nil
		return line, nil
	}
	return c.readLine()
}

// dispatch looks at a command before go-smtp does. It returns the line that go-smtp is given, nil when the command has been
// answered here, or an error when the connection is to end.
func (c *conn) dispatch(line []byte) ([]byte, error) {
	verb, args := splitCommand(line)
	c.verb = verb
	switch verb {
	case "MAIL", "RCPT", "DATA", "BDAT":
		if !c.greeted && verb != "BDAT" {
			c.say("503 5.5.1 LHLO first")
			return nil, nil
		}
	case "STARTTLS":
		return c.startTLS(args)
	case "XCLIENT":
		return c.xclient(args), nil
	case "XFORWARD":
		c.xforward(args)
		return nil, nil
	default:
		if strings.HasPrefix(verb, "STARTTLS") { // go-smtp would take it for STARTTLS
			c.say("500 5.5.2 Unknown command")
			return nil, nil
		}
	}
	switch verb {
	case "MAIL":
		if nested := c.session != nil && c.session.inMail; !nested && !c.srv.mayBegin(c) {
			c.say("451 4.7.1 Too many messages from this address, try again later")
			return nil, nil
		}
		return qualify(line, verb), nil
	case "RCPT":
		return qualify(line, verb), nil
	case "DATA":
		c.body = newBody(c, nil)
	case "BDAT":
		ch, err := parseChunk(args)
		if err != nil {
			// Where the chunk ends is anybody's guess: what follows must not be taken for commands.
			c.bye("501 5.5.4 " + err.Error() + ", closing the connection")
			return nil, io.EOF
		}
		c.body = newBody(c, &ch)
		if !c.greeted { // go-smtp would answer to DATA with the same words
			c.say("503 5.5.1 LHLO first")
			return nil, c.skipRefused()
		}
		return []byte("DATA\r\n"), nil
	}
	return line, nil
}

// skipRefused reads over the chunk of a BDAT that was refused: it follows whatever the answer (RFC 3030 section 2).
func (c *conn) skipRefused() error {
	b := c.body
	c.body = nil
	if b == nil || b.chunk == nil {
		return nil
	}
	c.deadline = time.Now().Add(c.srv.cfg.MessageTimeout)
	c.setPhase(receiving)
	defer c.setPhase(waiting)
	if _, err := io.CopyN(io.Discard, c.in, b.chunk.size); err != nil {
		return c.lost(err)
	}
	return nil
}

// readLine returns the next line that may be a command, with its end. Others are answered here. It is valid until the next
// read.
func (c *conn) readLine() ([]byte, error) {
	for {
		if c.dead {
			return nil, io.EOF
		}
		c.mu.Lock()
		stopping := c.stopping
		c.mu.Unlock()
		if stopping {
			return nil, c.lost(errStopped)
		}
		c.deadline = time.Now().Add(c.srv.cfg.CommandTimeout)
		line, err := c.in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			if err := c.skipLine(); err != nil {
				return nil, c.lost(err)
			}
			c.say("500 5.5.2 Line too long")
			continue
		}
		if err != nil {
			return nil, c.lost(err)
		}
		if hasControl(bytes.TrimRight(line, "\r\n")) {
			c.say("500 5.5.2 Control character in a command")
			continue
		}
		return line, nil
	}
}

// skipLine reads over the rest of a line; the command's deadline bounds it.
func (c *conn) skipLine() error {
	for {
		_, err := c.in.ReadSlice('\n')
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// splitCommand returns a command's verb in upper case, "" for none, and its arguments.
func splitCommand(line []byte) (verb, args string) {
	text := strings.TrimRight(string(line), "\r\n")
	if i := strings.IndexAny(text, " \t"); i >= 0 {
		return strings.ToUpper(text[:i]), strings.TrimSpace(text[i:])
	}
	return strings.ToUpper(text), ""
}

func hasControl(b []byte) bool {
	return bytes.ContainsFunc(b, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}
