package integration

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/integration/nodes"
)

// imapConn is an IMAP client that shows every response as it came and keeps what a client may know of its mailbox: how many
// messages there are and which UID each sequence number has.
type imapConn struct {
	net.Conn
	r    *bufio.Reader
	tag  int
	name string

	// uids[seq-1] is the UID of a message, 0 while the client has not been told.
	uids []uint32
}

// dialIMAP connects and logs in.
func dialIMAP(t testing.TB, addr, user string) *imapConn {
	t.Helper()
	c, err := tryIMAP(addr, user)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func tryIMAP(addr, user string) (*imapConn, error) {
	conn, err := net.DialTimeout("tcp", addr, 10*time.Second)
	if err != nil {
		return nil, err
	}
	c := &imapConn{Conn: conn, r: bufio.NewReader(conn), name: user + "@" + addr}
	_ = conn.SetDeadline(time.Now().Add(10 * time.Minute))
	if _, err := c.response(); err != nil {
		conn.Close()
		return nil, err
	}
	if res, err := c.cmd("LOGIN %s %q", user, nodes.Password); err != nil || res.status != "OK" {
		conn.Close()
		return nil, fmt.Errorf("LOGIN: %+v, %w", res, err)
	}
	return c, nil
}

// result is a command's outcome.
type result struct {
	status   string // OK, NO, BAD
	text     string // the rest of the tagged response, code included
	untagged []string
}

// response reads one response with its literals, without the last CRLF.
func (c *imapConn) response() (string, error) {
	var b strings.Builder
	for {
		line, err := c.r.ReadString('\n')
		b.WriteString(line)
		if err != nil {
			return b.String(), err
		}
		m := literalRE.FindStringSubmatch(line)
		if m == nil {
			return strings.TrimSuffix(b.String(), "\r\n"), nil
		}
		n, _ := strconv.Atoi(m[1])
		if _, err := io.CopyN(&b, c.r, int64(n)); err != nil {
			return b.String(), err
		}
	}
}

var (
	literalRE = regexp.MustCompile(`\{(\d+)\}\r\n$`)
	numberRE  = regexp.MustCompile(`^\* (\d+) ([A-Z]+)`)
	uidRE     = regexp.MustCompile(`[( ]UID (\d+)`)
)

// cmd sends a command, follows its untagged responses in the client's knowledge, and returns all.
func (c *imapConn) cmd(format string, args ...any) (result, error) {
	c.tag++
	tag := fmt.Sprintf("t%d", c.tag)
	if _, err := fmt.Fprintf(c, "%s %s\r\n", tag, fmt.Sprintf(format, args...)); err != nil {
		return result{}, err
	}
	return c.finish(tag)
}

func (c *imapConn) finish(tag string) (result, error) {
	var res result
	for {
		line, err := c.response()
		if err != nil {
			return res, fmt.Errorf("after %q: %w", res.untagged, err)
		}
		if rest, ok := strings.CutPrefix(line, tag+" "); ok {
			res.status, res.text, _ = strings.Cut(rest, " ")
			return res, nil
		}
		if err := c.follow(line); err != nil {
			return res, err
		}
		res.untagged = append(res.untagged, line)
	}
}

// follow keeps c.uids true to what the server says, and fails when the server says what it may not.
func (c *imapConn) follow(line string) error {
	m := numberRE.FindStringSubmatch(line)
	if m == nil {
		return nil
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return err
	}
	switch m[2] {
	case "EXISTS":
		if n < len(c.uids) {
			return fmt.Errorf("%s: %q, but %d messages were known and none was expunged", c.name, line, len(c.uids))
		}
		for len(c.uids) < n {
			c.uids = append(c.uids, 0)
		}
	case "EXPUNGE":
		if n < 1 || n > len(c.uids) {
			return fmt.Errorf("%s: %q, but %d messages are known", c.name, line, len(c.uids))
		}
		c.uids = append(c.uids[:n-1], c.uids[n:]...)
	case "FETCH":
		if n < 1 || n > len(c.uids) {
			return fmt.Errorf("%s: %q, but %d messages are known", c.name, line, len(c.uids))
		}
		u := uidRE.FindStringSubmatch(line)
		if u == nil {
			return nil
		}
		uid, err := strconv.ParseUint(u[1], 10, 32)
		if err != nil {
			return err
		}
		if known := c.uids[n-1]; known != 0 && known != uint32(uid) {
			return fmt.Errorf("%s: %q, but message %d has UID %d", c.name, line, n, known)
		}
		for i, other := range c.uids {
			if other == uint32(uid) && i != n-1 {
				return fmt.Errorf("%s: %q, but UID %d is message %d", c.name, line, uid, i+1)
			}
		}
		c.uids[n-1] = uint32(uid)
	}
	return nil
}

// selectMailbox selects and learns every UID.
func (c *imapConn) selectMailbox(name string) (result, error) {
	c.uids = nil
	res, err := c.cmd("SELECT %q", name)
	if err != nil || res.status != "OK" {
		c.uids = nil
		return res, err
	}
	if len(c.uids) > 0 {
		if r, err := c.cmd("FETCH 1:* (UID)"); err != nil || r.status != "OK" {
			return r, err
		}
	}
	return res, nil
}

// ok fails the test unless the command was answered OK.
func (c *imapConn) ok(t testing.TB, format string, args ...any) result {
	t.Helper()
	res, err := c.cmd(format, args...)
	if err != nil {
		t.Fatal(err)
	}
	if res.status != "OK" {
		t.Fatalf("%s: %s: %s %s", c.name, fmt.Sprintf(format, args...), res.status, res.text)
	}
	return res
}

// bodies returns the whole messages of a mailbox by UID.
func (c *imapConn) bodies(t testing.TB, mailbox string) map[uint32]string {
	t.Helper()
	res, err := c.selectMailbox(mailbox)
	if err != nil || res.status != "OK" {
		t.Fatalf("SELECT %s: %+v, %v", mailbox, res, err)
	}
	if len(c.uids) == 0 {
		return nil
	}
	found := map[uint32]string{}
	for _, line := range c.ok(t, "FETCH 1:* (UID BODY.PEEK[])").untagged {
		u := uidRE.FindStringSubmatch(line)
		head, body, ok := strings.Cut(line, "}\r\n")
		if u == nil || !ok {
			continue
		}
		uid, _ := strconv.ParseUint(u[1], 10, 32)
		n, err := strconv.Atoi(head[strings.LastIndexByte(head, '{')+1:])
		if err != nil || n > len(body) {
			t.Fatalf("literal in %.80q", line)
		}
		found[uint32(uid)] = body[:n]
	}
	return found
}
