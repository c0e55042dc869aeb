package integration

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// lmtpConn is an LMTP client that shows every reply.
type lmtpConn struct {
	net.Conn
	r *bufio.Reader
}

func dialLMTP(addr string) (*lmtpConn, error) {
	conn, err := net.DialTimeout("tcp", addr, 10*time.Second)
	if err != nil {
		return nil, err
	}
	return beginLMTP(conn)
}

// beginLMTP reads the greeting and says LHLO. It closes conn when that fails.
func beginLMTP(conn net.Conn) (*lmtpConn, error) {
	c := &lmtpConn{conn, bufio.NewReader(conn)}
	if _, err := c.reply(); err != nil {
		conn.Close()
		return nil, err
	}
	if line, err := c.cmd("LHLO test.example"); err != nil || line[0] != '2' {
		conn.Close()
		return nil, fmt.Errorf("LHLO: %q, %w", line, err)
	}
	return c, nil
}

func (c *lmtpConn) reply() (string, error) {
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			return "", err
		}
		if len(line) > 3 && line[3] != '-' {
			return strings.TrimRight(line, "\r\n"), nil
		}
	}
}

func (c *lmtpConn) cmd(line string) (string, error) {
	if _, err := c.Write([]byte(line + "\r\n")); err != nil {
		return "", err
	}
	return c.reply()
}

// deliver sends one message and returns the reply for each recipient.
func (c *lmtpConn) deliver(msg []byte, rcpts ...string) ([]string, error) {
	if line, err := c.cmd("MAIL FROM:<sender@example.org>"); err != nil {
		return nil, err
	} else if line[0] != '2' {
		_, err := c.cmd("RSET")
		return []string{line}, err
	}
	accepted := 0
	var replies []string
	for _, r := range rcpts {
		line, err := c.cmd("RCPT TO:<" + r + ">")
		if err != nil {
			return nil, err
		}
		if line[0] == '2' {
			accepted++
		} else {
			replies = append(replies, line)
		}
	}
	if accepted == 0 {
		_, err := c.cmd("RSET")
		return replies, err
	}
	if line, err := c.cmd("DATA"); err != nil || line[0] != '3' {
		return nil, fmt.Errorf("DATA: %q, %w", line, err)
	}
	var b bytes.Buffer
	for line := range bytes.Lines(msg) {
		if line[0] == '.' {
			b.WriteByte('.')
		}
		b.Write(line)
	}
	b.WriteString(".\r\n")
	if _, err := c.Write(b.Bytes()); err != nil {
		return nil, err
	}
	for range accepted {
		line, err := c.reply()
		if err != nil {
			return nil, err
		}
		replies = append(replies, line)
	}
	return replies, nil
}

// mustDeliver delivers one message over a connection of its own and fails unless every recipient got it.
func mustDeliver(t testing.TB, addr string, msg []byte, rcpts ...string) {
	t.Helper()
	c, err := dialLMTP(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	replies, err := c.deliver(msg, rcpts...)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range replies {
		if r[0] != '2' {
			t.Fatalf("delivery: %s", r)
		}
	}
}

// testMessage returns a message that can be told from every other by its token.
func testMessage(token string, lines int) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: Sender <sender@example.org>\r\nTo: somebody@example.test\r\nSubject: %s\r\nMessage-ID: <%s@example.org>\r\n"+
		"Date: Mon, 23 Nov 2026 10:00:00 +0000\r\n\r\n", token, token)
	for i := range lines {
		fmt.Fprintf(&b, "%s line %d\r\n", token, i)
		if i%7 == 3 {
			b.WriteString(".\r\n..leading dots\r\n")
		}
	}
	return b.Bytes()
}
