package bench

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
)

// IMAPServer is where an IMAP server listens and who logs in.
type IMAPServer struct {
	Addr     string
	TLS      bool // implicit TLS; the certificate is not checked: what is measured is not its owner
	User     string
	Password string
}

// imapClient is a client that spends as little as it can, so that the server is what is measured.
type imapClient struct {
	conn net.Conn
	r    *bufio.Reader
	tag  int
}

// connect dials and reads the greeting.
func (s IMAPServer) connect(ctx context.Context) (*imapClient, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", s.Addr)
	if err != nil {
		return nil, err
	}
	if s.TLS {
		t := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // see IMAPServer.TLS
		if err := t.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, err
		}
		conn = t
	}
	c := &imapClient{conn: conn, r: bufio.NewReaderSize(conn, 4096)}
	if line, err := c.line(); err != nil {
		return nil, err
	} else if !strings.HasPrefix(line, "* OK") {
		return nil, fmt.Errorf("greeting: %s", line)
	}
	return c, nil
}

// login is connect and LOGIN.
func (s IMAPServer) login(ctx context.Context) (*imapClient, error) {
	c, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := c.command("LOGIN " + quote(s.User) + " " + quote(s.Password)); err != nil {
		c.conn.Close()
		return nil, err
	}
	return c, nil
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// answer is what came back for a command.
type answer struct {
	untagged int // responses
	bytes    int64
	exists   int // the number of the last EXISTS, -1 for none
	// Of the response codes of SELECT, 0 for none.
	uidValidity, uidNext, highestModSeq int64
}

// command sends a command and reads to its tagged response, which must be OK.
func (c *imapClient) command(text string) (answer, error) {
	c.tag++
	tag := "b" + strconv.Itoa(c.tag)
	if _, err := io.WriteString(c.conn, tag+" "+text+"\r\n"); err != nil {
		return answer{}, err
	}
	return c.finish(tag)
}

// finish reads responses to the tagged one.
func (c *imapClient) finish(tag string) (a answer, err error) {
	a.exists = -1
	for {
		line, err := c.r.ReadSlice('\n')
		long := errors.Is(err, bufio.ErrBufferFull) // a long line: its end decides about literals, its beginning about the rest
		if err != nil && !long {
			return a, err
		}
		a.bytes += int64(len(line))
		starred := len(line) > 1 && line[0] == '*'
		tagged := len(line) > len(tag) && line[len(tag)] == ' ' && string(line[:len(tag)]) == tag
		if starred {
			a.untagged++
			a.note(line)
		}
		if tagged {
			text := strings.TrimRight(string(line[len(tag)+1:]), "\r\n")
			if !strings.HasPrefix(text, "OK") {
				return a, fmt.Errorf("server said %s", text)
			}
			return a, nil
		}
		// To the end of the response, over lines and literals.
		for {
			for long {
				line, err = c.r.ReadSlice('\n')
				long = errors.Is(err, bufio.ErrBufferFull)
				if err != nil && !long {
					return a, err
				}
				a.bytes += int64(len(line))
			}
			n, ok := literal(line)
			if !ok {
				break
			}
			if _, err := io.CopyN(io.Discard, c.r, n); err != nil {
				return a, err
			}
			a.bytes += n
			line, err = c.r.ReadSlice('\n')
			long = errors.Is(err, bufio.ErrBufferFull)
			if err != nil && !long {
				return a, err
			}
			a.bytes += int64(len(line))
		}
	}
}

// note takes what is of interest from the beginning of an untagged response.
func (a *answer) note(line []byte) {
	if i := bytes.Index(line[:min(len(line), 40)], []byte(" EXISTS")); i > 0 {
		a.exists, _ = strconv.Atoi(string(line[2:i]))
	}
	code, ok := bytes.CutPrefix(line, []byte("* OK ["))
	if !ok {
		return
	}
	code, _, _ = bytes.Cut(code, []byte("]"))
	name, value, _ := bytes.Cut(code, []byte(" "))
	n, err := strconv.ParseInt(string(value), 10, 64)
	if err != nil {
		return
	}
	switch string(name) {
	case "UIDVALIDITY":
		a.uidValidity = n
	case "UIDNEXT":
		a.uidNext = n
	case "HIGHESTMODSEQ":
		a.highestModSeq = n
	}
}

// literal reports whether a line ends with "{n}".
func literal(line []byte) (int64, bool) {
	end := len(line)
	for end > 0 && (line[end-1] == '\n' || line[end-1] == '\r') {
		end--
	}
	if end == 0 || line[end-1] != '}' {
		return 0, false
	}
	i := end - 2
	var n, pow int64 = 0, 1
	for ; i >= 0 && line[i] >= '0' && line[i] <= '9'; i-- {
		n += int64(line[i]-'0') * pow
		pow *= 10
	}
	return n, i >= 0 && line[i] == '{' && pow > 1
}

// line reads one line without its end.
func (c *imapClient) line() (string, error) {
	s, err := c.r.ReadString('\n')
	return strings.TrimRight(s, "\r\n"), err
}
