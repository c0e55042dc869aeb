package transcript

import (
	"bufio"
	"compress/flate"
	"crypto/tls"
	"errors"
	"flag"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

var rewrite = flag.Bool("rewrite", false, "replace the server's side of transcripts by what it says now")

const (
	patience = time.Minute            // for a line that must come
	quiet    = 400 * time.Millisecond // with -rewrite: no more lines are to come
	closed   = "(closed)"
	nothing  = "(nothing)"
)

// Script is what a transcript runs against.
type Script struct {
	// Dial makes a connection for a name, "" for lines without one.
	Dial func(t testing.TB, name string) net.Conn
	// Do are the directives. What one returns, without its last line end, is compared line by line.
	Do map[string]func(t testing.TB, args string) string
	// Mask hides what differs from run to run in a line of the server; nil hides nothing.
	Mask func(line string) string
	// Unmask puts what Mask has hidden into a line of the client; nil changes nothing.
	Unmask func(line string) string
}

// Run plays the transcript in a file.
func Run(t *testing.T, file string, s Script) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p := &player{t: t, script: s, file: file, peers: map[string]*peer{}}
	defer p.close()
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if *rewrite {
		p.rewrite(lines)
		if out := strings.Join(p.out, "\n") + "\n"; out != string(text) {
			if err := os.WriteFile(file, []byte(out), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	p.check(lines)
}

type player struct {
	t      *testing.T
	script Script
	file   string
	peers  map[string]*peer
	out    []string // with -rewrite
}

type peer struct {
	conn net.Conn
	in   *bufio.Reader
	raw  *bufio.Reader // of what in decompresses; nil: nothing
}

func (p *player) peer(name string) *peer {
	c := p.peers[name]
	if c == nil {
		conn := p.script.Dial(p.t, name)
		c = &peer{conn: conn, in: bufio.NewReader(conn)}
		p.peers[name] = c
	}
	return c
}

func (p *player) close() {
	for _, c := range p.peers {
		_ = c.conn.Close()
	}
}

// check compares the server with the transcript, and stops at the first difference.
func (p *player) check(lines []string) {
	for i := 0; i < len(lines); i++ {
		kind, name, text := split(lines[i])
		at := p.file + ":" + strconv.Itoa(i+1)
		switch kind {
		case 'C':
			p.send(name, text)
		case 'S':
			if got := p.line(name, patience); got != text {
				p.t.Fatalf("%s\nwant S: %s\ngot  S: %s", at, text, got)
			}
		case '!':
			for _, got := range p.do(text) {
				i++
				if i >= len(lines) || lines[i] != strings.TrimRight("= "+got, " ") {
					p.t.Fatalf("%s: after %q got\n= %s", p.file+":"+strconv.Itoa(i+1), text, got)
				}
			}
			if i+1 < len(lines) && strings.HasPrefix(lines[i+1], "=") {
				p.t.Fatalf("%s: %q said less", at, text)
			}
		case '?':
			p.t.Fatalf("%s: what is %q?", at, lines[i])
		}
	}
}

// rewrite plays the client's side and keeps what comes back.
func (p *player) rewrite(lines []string) {
	for i := 0; i < len(lines); i++ {
		kind, name, text := split(lines[i])
		switch kind {
		case 'S', '=':
		case 'C':
			p.peer(name)
			p.out = append(p.out, lines[i])
			p.send(name, text)
			p.listen(name)
		case '!':
			p.out = append(p.out, lines[i])
			for _, got := range p.do(text) {
				p.out = append(p.out, strings.TrimRight("= "+got, " "))
			}
		default:
			p.out = append(p.out, lines[i])
			if name, ok := strings.CutPrefix(lines[i], "# greeting"); ok {
				p.listen(strings.TrimSpace(name))
			}
		}
	}
}

// listen keeps lines until the server is quiet.
func (p *player) listen(name string) {
	prefix := "S: "
	if name != "" {
		prefix = "S " + name + ": "
	}
	for {
		got := p.line(name, quiet)
		if got == nothing {
			return
		}
		p.out = append(p.out, prefix+got)
		if got == closed {
			return
		}
	}
}

func (p *player) send(name, text string) {
	b, err := unescape(text)
	if err != nil {
		p.t.Fatalf("%s: %q: %v", p.file, text, err)
	}
	if p.script.Unmask != nil {
		b = p.script.Unmask(b)
	}
	c := p.peer(name)
	_ = c.conn.SetWriteDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(c.conn, b); err != nil && !*rewrite {
		p.t.Fatalf("%s: sending %q: %v", p.file, text, err)
	}
}

// line returns the server's next line, escaped; "(nothing)" when none comes in time.
func (p *player) line(name string, wait time.Duration) string {
	c := p.peer(name)
	_ = c.conn.SetReadDeadline(time.Now().Add(wait))
	if c.raw != nil && c.in.Buffered() == 0 {
		// A decompressor does not go on after an error: it reads when there is something.
		if _, err := c.raw.Peek(1); err == nil {
			_ = c.conn.SetReadDeadline(time.Now().Add(patience))
		} else if errors.Is(err, os.ErrDeadlineExceeded) {
			return nothing
		}
	}
	got, err := c.in.ReadString('\n')
	var timeout net.Error
	switch {
	case err == nil && p.script.Mask != nil:
		return escape(p.script.Mask(strings.TrimSuffix(got, "\r\n")))
	case err == nil:
		return escape(strings.TrimSuffix(got, "\r\n"))
	case got == "" && errors.As(err, &timeout) && timeout.Timeout():
		return nothing
	case got != "":
		return escape(got)
	}
	return closed
}

func (p *player) do(text string) []string {
	verb, args, _ := strings.Cut(text, " ")
	switch verb {
	case "starttls":
		c := p.peer(args)
		conn := tls.Client(c.conn, &tls.Config{InsecureSkipVerify: true})
		_ = conn.SetDeadline(time.Now().Add(patience))
		if err := conn.HandshakeContext(p.t.Context()); err != nil {
			p.t.Fatalf("%s: TLS handshake: %v", p.file, err)
		}
		p.peers[args] = &peer{conn: conn, in: bufio.NewReader(conn)}
		return nil
	case "compress":
		c := p.peer(args)
		p.peers[args] = &peer{conn: newDeflatedConn(p.t, c.conn), in: bufio.NewReader(flate.NewReader(c.in)), raw: c.in}
		return nil
	case "close":
		_ = p.peer(args).conn.Close()
		delete(p.peers, args)
		return nil
	}
	f := p.script.Do[verb]
	if f == nil {
		p.t.Fatalf("%s: no directive %q", p.file, verb)
	}
	out := strings.TrimSuffix(f(p.t, args), "\n")
	if out == "" {
		return nil
	}
	return strings.Split(out, "\n")
}
