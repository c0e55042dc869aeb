package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// LMTPOptions say what to deliver where.
type LMTPOptions struct {
	Addr        string // HOST:PORT or unix:/path
	Connections int
	Messages    int    // of all connections together
	Size        int    // bytes of one
	Recipients  string // with %d, filled with 1 to Users
	Users       int
	Replies     float64        // share of messages that answer an earlier one of the same connection and recipient, 0 to 1
	Progress    func(done int) // called now and then; may be nil
}

// LMTP delivers messages over a number of connections, one recipient each, and measures from MAIL to the last reply.
func LMTP(ctx context.Context, o LMTPOptions) (Result, error) {
	var next, bytesSent, failed atomic.Int64
	latencies := make([]time.Duration, 0, o.Messages)
	var mu sync.Mutex // guards latencies and firstErr
	var firstErr error
	clients := make([]*lmtpClient, o.Connections)
	for i := range clients {
		c, err := dialLMTP(ctx, o.Addr)
		if err != nil {
			return Result{}, err
		}
		defer c.conn.Close()
		clients[i] = c
	}
	prepared := make([]*Messages, len(clients))
	for i := range prepared {
		rnd := rand.New(rand.NewPCG(uint64(i), uint64(time.Now().UnixNano())))
		if i > 0 && o.Size > manyTexts {
			prepared[i] = prepared[0].Share(rnd)
		} else {
			prepared[i] = NewMessages(rnd, o.Size)
		}
		prepared[i].Replies = o.Replies
	}
	start := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	for i, c := range clients {
		g.Go(func() error {
			messages := prepared[i]
			var header []byte
			mine := make([]time.Duration, 0, o.Messages/o.Connections+1)
			defer func() {
				mu.Lock()
				latencies = append(latencies, mine...)
				mu.Unlock()
			}()
			for {
				n := next.Add(1)
				if n > int64(o.Messages) || ctx.Err() != nil {
					return ctx.Err()
				}
				to := o.Recipients
				if strings.Contains(to, "%d") {
					to = fmt.Sprintf(to, int(n)%o.Users+1)
				}
				var text []byte
				header, text = messages.Append(header[:0], "bench@example.org", to)
				t := time.Now()
				refused, err := c.deliver("bench@example.org", to, header, text)
				if err != nil {
					return err
				}
				if refused != nil {
					failed.Add(1)
					mu.Lock()
					if firstErr == nil {
						firstErr = refused
					}
					mu.Unlock()
					continue
				}
				mine = append(mine, time.Since(t))
				bytesSent.Add(int64(len(header) + len(text)))
				if o.Progress != nil && n%64 == 0 {
					o.Progress(int(n))
				}
			}
		})
	}
	if err := g.Wait(); err != nil {
		return Result{}, err
	}
	r := summarise("lmtp", time.Since(start), bytesSent.Load(), latencies)
	r.Connections, r.Failed = o.Connections, int(failed.Load())
	if firstErr != nil {
		r.Note = "first refusal: " + firstErr.Error()
	}
	return r, nil
}

// lmtpClient speaks LMTP as an MTA does: MAIL, RCPT and DATA in one packet.
type lmtpClient struct {
	conn net.Conn
	r    *bufio.Reader
	buf  bytes.Buffer
}

func dialLMTP(ctx context.Context, addr string) (*lmtpClient, error) {
	network := "tcp"
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		network, addr = "unix", path
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	c := &lmtpClient{conn: conn, r: bufio.NewReader(conn)}
	if _, err := c.reply(); err != nil {
		return nil, err
	}
	if _, err := conn.Write([]byte("LHLO bench.example\r\n")); err != nil {
		return nil, err
	}
	if line, err := c.reply(); err != nil {
		return nil, err
	} else if line[0] != '2' {
		return nil, fmt.Errorf("LHLO: %s", line)
	}
	return c, nil
}

// reply reads one reply and returns its last line.
func (c *lmtpClient) reply() (string, error) {
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			return "", err
		}
		line = strings.TrimRight(line, "\r\n")
		if len(line) < 3 {
			return "", fmt.Errorf("reply %q", line)
		}
		if len(line) == 3 || line[3] != '-' {
			return line, nil
		}
	}
}

// deliver sends one message, in parts, to one recipient; refused is what the server said if it took it not.
func (c *lmtpClient) deliver(from, to string, message ...[]byte) (refused, err error) {
	c.buf.Reset()
	fmt.Fprintf(&c.buf, "MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n", from, to)
	if _, err := c.conn.Write(c.buf.Bytes()); err != nil {
		return nil, err
	}
	var lines [3]string
	for i := range lines {
		if lines[i], err = c.reply(); err != nil {
			return nil, err
		}
	}
	if lines[2][0] != '3' {
		if _, err := c.conn.Write([]byte("RSET\r\n")); err != nil {
			return nil, err
		}
		_, err := c.reply()
		return fmt.Errorf("%s", strings.Join(lines[:], " / ")), err
	}
	// Bench messages have no line that begins with a dot: words and hexadecimal digits only.
	parts := net.Buffers(append(message, []byte(".\r\n")))
	if _, err := parts.WriteTo(c.conn); err != nil {
		return nil, err
	}
	line, err := c.reply()
	if err != nil {
		return nil, err
	}
	if line[0] != '2' {
		return fmt.Errorf("%s", line), nil
	}
	return nil, nil
}
