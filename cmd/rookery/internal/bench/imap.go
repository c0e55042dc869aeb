package bench

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"
)

// IMAPOptions say what to measure in one mailbox.
type IMAPOptions struct {
	Server   IMAPServer
	Mailbox  string
	Messages int // the mailbox is filled up to this many
	Size     int // bytes of one
	Rounds   int // each figure is the median of so many
	Progress func(done int)
}

// IMAP fills a mailbox and measures SELECT and FETCH in it.
func IMAP(ctx context.Context, o IMAPOptions) ([]Result, error) {
	c, err := o.Server.login(ctx)
	if err != nil {
		return nil, err
	}
	defer c.conn.Close()
	if err := c.fill(o); err != nil {
		return nil, fmt.Errorf("filling %s: %w", o.Mailbox, err)
	}
	var results []Result
	for _, m := range []struct{ name, command string }{
		{"SELECT", "SELECT " + quote(o.Mailbox)},
		{"FETCH FLAGS", "FETCH 1:* (FLAGS)"},
		{"FETCH UID FLAGS ENVELOPE", "FETCH 1:* (UID FLAGS ENVELOPE)"},
		{"FETCH UID FLAGS BODYSTRUCTURE", "FETCH 1:* (UID FLAGS BODYSTRUCTURE)"},
		{"FETCH BODY.PEEK[]", "FETCH 1:* (BODY.PEEK[])"},
		{"SEARCH SUBJECT", `SEARCH SUBJECT "invoice"`},
	} {
		r, err := c.measure(m.name, m.command, o)
		if err != nil {
			return results, fmt.Errorf("%s: %w", m.name, err)
		}
		results = append(results, r)
	}
	return results, nil
}

// measure runs a command some rounds and returns the figures of the median round.
func (c *imapClient) measure(name, command string, o IMAPOptions) (Result, error) {
	type round struct {
		took time.Duration
		a    answer
	}
	var rounds []round
	for range max(o.Rounds, 1) {
		if name == "SELECT" {
			if _, err := c.command("UNSELECT"); err != nil {
				return Result{}, err
			}
		}
		start := time.Now()
		a, err := c.command(command)
		if err != nil {
			return Result{}, err
		}
		rounds = append(rounds, round{time.Since(start), a})
	}
	first := rounds[0].took
	slices.SortFunc(rounds, func(a, b round) int { return int(a.took - b.took) })
	m := rounds[len(rounds)/2]
	count := o.Messages
	if name == "SELECT" {
		count = 1
	}
	return Result{
		Name: name, Connections: 1, Count: count, Seconds: m.took.Seconds(), PerSecond: float64(count) / m.took.Seconds(),
		MBPerSecond: float64(m.a.bytes) / 1e6 / m.took.Seconds(), P50: float64(m.took.Microseconds()) / 1000,
		Extra: Extra{"first_ms": float64(first.Microseconds()) / 1000},
	}, nil
}

// fill makes the mailbox hold at least o.Messages messages and selects it.
func (c *imapClient) fill(o IMAPOptions) error {
	if o.Mailbox != "INBOX" {
		_, _ = c.command("CREATE " + quote(o.Mailbox)) // there already: just as well
	}
	a, err := c.command("SELECT " + quote(o.Mailbox))
	if err != nil {
		return err
	}
	rnd := rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano())))
	const window = 64 // commands on their way at once
	var tags []string
	for n := max(a.exists, 0); n < o.Messages || len(tags) > 0; {
		var b bytes.Buffer
		for n < o.Messages && len(tags) < window {
			c.tag++
			tag := "b" + strconv.Itoa(c.tag)
			tags = append(tags, tag)
			msg := Message(rnd, "bench@example.org", o.Server.User, o.Size)
			fmt.Fprintf(&b, "%s APPEND %s (\\Seen) {%d+}\r\n%s\r\n", tag, quote(o.Mailbox), len(msg), msg)
			n++
		}
		sent := make(chan error, 1)
		go func() {
			_, err := c.conn.Write(b.Bytes())
			sent <- err
		}()
		for _, tag := range tags {
			if _, err := c.finish(tag); err != nil {
				return err
			}
		}
		if err := <-sent; err != nil {
			return err
		}
		tags = tags[:0]
		if o.Progress != nil {
			o.Progress(n)
		}
	}
	_, err = c.command("SELECT " + quote(o.Mailbox))
	return err
}
