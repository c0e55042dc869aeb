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
	"time"

	"golang.org/x/sync/errgroup"
)

// POP3Options say which maildrops to fetch and delete.
type POP3Options struct {
	Addr        string
	TLS         bool   // implicit; the certificate is not checked
	User        string // with %d, filled with 1 to Connections: a maildrop has one session at a time
	Password    string
	Connections int
	Messages    int    // in each maildrop
	Size        int    // bytes of one
	LMTP        string // where the maildrops are filled; "": they are taken as they are
	Progress    func(done int)
}

// pop3Session is what was measured of one session.
type pop3Session struct {
	login, list, quit time.Duration
	messages          int
	bytes             int64
}

// POP3 fills maildrops, then fetches and deletes all of them at once, each in one session that pipelines RETR and DELE of all messages.
func POP3(ctx context.Context, o POP3Options) ([]Result, error) {
	if o.Connections > 1 && !strings.Contains(o.User, "%d") {
		return nil, errors.New("several connections need several accounts: a user with %d")
	}
	if o.LMTP != "" {
		_, err := LMTP(ctx, LMTPOptions{Addr: o.LMTP, Connections: min(16, o.Connections*4), Messages: o.Messages * o.Connections, Size: o.Size,
			Recipients: o.User, Users: o.Connections, Progress: o.Progress})
		if err != nil {
			return nil, err
		}
	}
	sessions := make([]pop3Session, o.Connections)
	start := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	for i := range sessions {
		g.Go(func() error {
			user := o.User
			if strings.Contains(user, "%d") {
				user = fmt.Sprintf(user, i+1)
			}
			return sessions[i].run(ctx, &o, user)
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	wall := time.Since(start)
	var logins, lists, quits []time.Duration
	var messages int
	var octets int64
	for _, s := range sessions {
		logins, lists, quits = append(logins, s.login), append(lists, s.list), append(quits, s.quit)
		messages += s.messages
		octets += s.bytes
	}
	all := Result{Name: "session", Connections: o.Connections, Count: messages, Seconds: wall.Seconds(),
		PerSecond: float64(messages) / wall.Seconds(), MBPerSecond: float64(octets) / 1e6 / wall.Seconds(), Note: "messages fetched and deleted"}
	results := []Result{summarise("login", wall, 0, logins), summarise("LIST", wall, 0, lists), summarise("QUIT", wall, 0, quits), all}
	for i := range results {
		results[i].Connections = o.Connections
	}
	return results, nil
}

// run is one session from the connection to the end of QUIT.
func (s *pop3Session) run(ctx context.Context, o *POP3Options, user string) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", o.Addr)
	if err != nil {
		return err
	}
	if o.TLS {
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // any server is measured
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	c := &pop3Client{conn: conn, r: bufio.NewReaderSize(conn, 64<<10)}
	if _, err := c.reply(); err != nil {
		return err
	}
	if _, err := c.command("USER " + user); err != nil {
		return err
	}
	t := time.Now()
	if _, err := c.command("PASS " + o.Password); err != nil {
		return fmt.Errorf("%s: %w", user, err)
	}
	s.login = time.Since(t)

	t = time.Now()
	if _, err := c.command("LIST"); err != nil {
		return err
	}
	if s.messages, _, err = c.lines(); err != nil {
		return err
	}
	s.list = time.Since(t)
	if err := s.take(c); err != nil {
		return err
	}
	t = time.Now()
	if _, err := c.command("QUIT"); err != nil {
		return err
	}
	s.quit = time.Since(t)
	return nil
}

// take fetches and deletes every message, in one burst of commands.
func (s *pop3Session) take(c *pop3Client) error {
	sent := make(chan error, 1)
	go func() { // ends with the commands or the connection
		w := bufio.NewWriterSize(c.conn, 16<<10)
		var line []byte
		for i := int64(1); i <= int64(s.messages); i++ {
			line = strconv.AppendInt(append(line[:0], "RETR "...), i, 10)
			line = strconv.AppendInt(append(line, "\r\nDELE "...), i, 10)
			_, _ = w.Write(append(line, "\r\n"...)) // Flush has the error
		}
		sent <- w.Flush()
	}()
	for range s.messages {
		if _, err := c.reply(); err != nil {
			return err
		}
		_, n, err := c.lines()
		if err != nil {
			return err
		}
		s.bytes += n
		if _, err := c.reply(); err != nil {
			return err
		}
	}
	return <-sent
}

type pop3Client struct {
	conn net.Conn
	r    *bufio.Reader
}

func (c *pop3Client) command(line string) (string, error) {
	if _, err := io.WriteString(c.conn, line+"\r\n"); err != nil {
		return "", err
	}
	return c.reply()
}

// reply reads the first line of a reply; -ERR is an error.
func (c *pop3Client) reply() (string, error) {
	line, err := c.r.ReadSlice('\n')
	switch {
	case err != nil:
		return "", err
	case !bytes.HasPrefix(line, []byte("+OK")):
		return "", fmt.Errorf("server said %q", line)
	}
	return string(line), nil
}

// lines reads what follows to the line with a dot alone, and returns how many lines and bytes it is.
func (c *pop3Client) lines() (n int, octets int64, err error) {
	for begin := true; ; {
		line, err := c.r.ReadSlice('\n')
		full := errors.Is(err, bufio.ErrBufferFull)
		if err != nil && !full {
			return n, octets, err
		}
		if begin && string(line) == ".\r\n" {
			return n, octets, nil
		}
		octets += int64(len(line))
		if begin = !full; begin {
			n++
		}
	}
}
