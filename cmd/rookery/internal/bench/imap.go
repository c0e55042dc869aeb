package bench

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

// IMAPOptions say what to measure in one mailbox.
type IMAPOptions struct {
	Server   IMAPServer
	Mailbox  string
	Messages int      // the mailbox is filled up to this many
	Size     int      // bytes of one
	Rounds   int      // each figure is the median of so many
	Only     []string // names of the measurements wanted; none: all
	Progress func(done int)
}

const (
	storeMessages = 20_000 // of the mailbox that STORE changes
	copyMessages  = 5_000
	missedChanges = 100 // that QRESYNC tells
)

// imapStep is one measurement.
type imapStep struct {
	name    string
	before  []string // commands before each round, not measured
	command string
	count   int      // messages
	after   []string // commands after all rounds
}

// IMAP fills a mailbox and measures SELECT, FETCH, SEARCH, STORE and COPY in it, and SELECT with QRESYNC where the server has that.
func IMAP(ctx context.Context, o IMAPOptions) ([]Result, error) {
	c, err := o.Server.login(ctx)
	if err != nil {
		return nil, err
	}
	defer c.conn.Close()
	c.r = bufio.NewReaderSize(c.conn, 256<<10)
	if err := c.fill(o); err != nil {
		return nil, fmt.Errorf("filling %s: %w", o.Mailbox, err)
	}
	box, other := quote(o.Mailbox), quote(o.Mailbox+"-copy")
	storeN, copyN := min(o.Messages, storeMessages), min(o.Messages, copyMessages)
	var results []Result
	for _, m := range []imapStep{
		{name: "SELECT", before: []string{"UNSELECT"}, command: "SELECT " + box, count: 1},
		{name: "FETCH FLAGS", command: "FETCH 1:* (FLAGS)", count: o.Messages},
		{name: "FETCH ENVELOPE", command: "FETCH 1:* (ENVELOPE)", count: o.Messages},
		{name: "FETCH UID FLAGS ENVELOPE", command: "FETCH 1:* (UID FLAGS ENVELOPE)", count: o.Messages},
		{name: "FETCH UID FLAGS BODYSTRUCTURE", command: "FETCH 1:* (UID FLAGS BODYSTRUCTURE)", count: o.Messages},
		{name: "FETCH BODY.PEEK[]", command: "FETCH 1:* (BODY.PEEK[])", count: o.Messages},
		{name: "SEARCH SUBJECT", command: `SEARCH SUBJECT "invoice"`, count: o.Messages},
		{
			name: "STORE +FLAGS.SILENT", before: []string{"STORE 1:* -FLAGS.SILENT (\\Flagged)"},
			command: fmt.Sprintf("STORE 1:%d +FLAGS.SILENT (\\Flagged)", storeN), count: storeN,
		},
		{
			name: "STORE +FLAGS", before: []string{"STORE 1:* -FLAGS.SILENT (\\Flagged)"},
			command: fmt.Sprintf("STORE 1:%d +FLAGS (\\Flagged)", storeN), count: storeN,
		},
		{
			name: "COPY", before: []string{"DELETE " + other, "CREATE " + other},
			command: fmt.Sprintf("COPY 1:%d %s", copyN, other), count: copyN, after: []string{"DELETE " + other},
		},
	} {
		if len(o.Only) > 0 && !slices.Contains(o.Only, m.name) {
			continue
		}
		r, err := c.measure(m, o.Rounds)
		if err != nil {
			return results, fmt.Errorf("%s: %w", m.name, err)
		}
		results = append(results, r)
	}
	if len(o.Only) == 0 || slices.Contains(o.Only, "QRESYNC") {
		r, err := c.resync(o)
		if err != nil {
			return results, fmt.Errorf("QRESYNC: %w", err)
		}
		results = append(results, r)
	}
	return results, nil
}

// round is one measurement of a command.
type round struct {
	took time.Duration
	a    answer
}

// measure runs a command some rounds and returns the figures of the median round.
func (c *imapClient) measure(m imapStep, rounds int) (Result, error) {
	var all []round
	for range max(rounds, 1) {
		for _, command := range m.before {
			if _, err := c.command(command); err != nil && !strings.HasPrefix(command, "DELETE ") { // which may have nothing to delete
				return Result{}, err
			}
		}
		r, err := c.timed(m.command)
		if err != nil {
			return Result{}, err
		}
		all = append(all, r)
	}
	for _, command := range m.after {
		if _, err := c.command(command); err != nil {
			return Result{}, err
		}
	}
	return medianOf(m.name, m.count, all), nil
}

func (c *imapClient) timed(command string) (round, error) {
	start := time.Now()
	a, err := c.command(command)
	return round{time.Since(start), a}, err
}

// medianOf returns the figures of the median of rounds of count operations each.
func medianOf(name string, count int, rounds []round) Result {
	first := rounds[0].took
	slices.SortFunc(rounds, func(a, b round) int { return cmp.Compare(a.took, b.took) })
	m := rounds[len(rounds)/2]
	return Result{
		Name: name, Connections: 1, Count: count, Seconds: m.took.Seconds(), PerSecond: float64(count) / m.took.Seconds(),
		MBPerSecond: float64(m.a.bytes) / 1e6 / m.took.Seconds(), P50: float64(m.took.Microseconds()) / 1000,
		Extra: Extra{"first_ms": float64(first.Microseconds()) / 1000},
	}
}

// resync measures SELECT with QRESYNC (RFC 7162) of a client that missed some changes of flags, all over the mailbox.
func (c *imapClient) resync(o IMAPOptions) (Result, error) {
	if _, err := c.command("ENABLE QRESYNC"); err != nil {
		return Result{Name: "QRESYNC", Note: err.Error()}, nil //nolint:nilerr // a server without it is one without this figure
	}
	a, err := c.command("SELECT " + quote(o.Mailbox))
	if err != nil {
		return Result{}, err
	}
	step := max(o.Messages/missedChanges, 1)
	var set []string
	for i := range missedChanges {
		if seq := 1 + i*step; seq <= o.Messages {
			set = append(set, strconv.Itoa(seq))
		}
	}
	for _, op := range []string{"-", "+"} {
		if _, err := c.command("STORE " + strings.Join(set, ",") + " " + op + "FLAGS.SILENT (\\Flagged)"); err != nil {
			return Result{}, err
		}
	}
	var all []round
	for range max(o.Rounds, 1) {
		if _, err := c.command("UNSELECT"); err != nil {
			return Result{}, err
		}
		r, err := c.timed(fmt.Sprintf("SELECT %s (QRESYNC (%d %d 1:%d))", quote(o.Mailbox), a.uidValidity, a.highestModSeq, a.uidNext))
		if err != nil {
			return Result{}, err
		}
		all = append(all, r)
	}
	r := medianOf("QRESYNC", 1, all)
	r.Extra["changes"] = float64(len(set))
	r.Extra["responses"] = float64(all[len(all)/2].a.untagged)
	return r, nil
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
