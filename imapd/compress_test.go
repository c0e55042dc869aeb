package imapd

import (
	"bufio"
	"bytes"
	"compress/flate"
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
)

// compress turns COMPRESS on, on both sides.
func (c *client) compress() {
	c.t.Helper()
	c.ok("COMPRESS DEFLATE")
	if n := c.in.Buffered(); n != 0 {
		c.t.Fatalf("%d bytes behind the OK", n)
	}
	w, err := flate.NewWriter(c.conn, flate.DefaultCompression)
	if err != nil {
		c.t.Fatal(err)
	}
	raw := bufio.NewReader(c.conn)
	c.conn = &deflatedConn{Conn: c.conn, w: w, raw: raw}
	c.in = bufio.NewReader(flate.NewReader(raw))
}

// deflatedConn compresses what is written.
type deflatedConn struct {
	net.Conn
	w   *flate.Writer
	raw *bufio.Reader // of Conn
}

func (c *deflatedConn) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	if err == nil {
		err = c.w.Flush()
	}
	return n, err
}

func TestCompress(t *testing.T) {
	e := newEnv(t)
	e.start(t, nil)
	c := e.connect(t)
	e.account(t, user)
	if lines := c.do("COMPRESS DEFLATE"); !strings.HasPrefix(lines[0], "BAD ") {
		t.Errorf("before login: %q", lines)
	}
	c.ok("STARTTLS")
	c.conn = tls.Client(c.conn, &tls.Config{InsecureSkipVerify: true})
	c.in = bufio.NewReader(c.conn)
	if lines := c.ok("LOGIN " + user + ` "` + password + `"`); !strings.Contains(lines[0], "COMPRESS=DEFLATE") {
		t.Errorf("after login: %q", lines)
	}
	if lines := c.do("COMPRESS LZMA"); lines[0] != "BAD No such compression mechanism" {
		t.Errorf("another mechanism: %q", lines)
	}
	c.compress()
	if lines := c.do("COMPRESS DEFLATE"); lines[0] != "BAD [COMPRESSIONACTIVE] DEFLATE is active via COMPRESS" {
		t.Errorf("twice: %q", lines)
	}
	if lines := c.ok("CAPABILITY"); strings.Contains(lines[0], "COMPRESS") {
		t.Errorf("active and announced: %q", lines)
	}

	text := "Subject: x\r\n\r\n" + strings.Repeat("0123456789abcdef\r\n", 20_000)
	c.ok("SELECT INBOX")
	c.send("l APPEND INBOX {360014}\r\n")
	c.expect("+ OK")
	c.send(text + "\r\n")
	c.answers("l")
	c.send("f FETCH 1 BODY.PEEK[]\r\n")
	c.expect("* 1 FETCH (BODY[] {360014}")
	got := make([]byte, len(text))
	if _, err := io.ReadFull(c.in, got); err != nil || string(got) != text {
		t.Errorf("the message came back otherwise: %v", err)
	}
	c.expect(")", "f OK FETCH completed")

	c.startIdle()
	e.deliver(t, "INBOX", "Subject: x\r\n\r\nx\r\n")
	c.expect("* 2 EXISTS", "* 2 RECENT")
	c.send("DONE\r\n")
	c.expect("idle OK IDLE completed")
	c.send("z LOGOUT\r\n")
	c.expect("* BYE Logging out", "z OK LOGOUT completed")
}

// UNAUTHENTICATE ends the compression on both sides behind its line, and it may be begun anew.
func TestCompressUnauthenticate(t *testing.T) {
	e := newEnv(t)
	e.start(t, nil)
	c := e.login(t)
	for range 2 {
		c.compress()
		c.ok("SELECT INBOX")
		conn := c.conn.(*deflatedConn)
		var sent strings.Builder
		conn.w.Reset(&sent)
		c.conn = conn.Conn
		c.send(sent.String())
		_, _ = io.WriteString(conn.w, "u UNAUTHENTICATE\r\n")
		_ = conn.w.Flush()
		c.send(sent.String() + "l LOGIN " + user + ` "` + password + "\"\r\n") // all at once
		c.expect("u OK UNAUTHENTICATE completed")
		c.in = conn.raw
		if line := c.line(); !strings.HasPrefix(line, "l OK ") {
			t.Fatalf("LOGIN in clear: %q", line)
		}
	}
}

// The stream may begin right behind the command.
func TestCompressPipelined(t *testing.T) {
	e := newEnv(t)
	e.start(t, nil)
	c := e.login(t)
	var stream strings.Builder
	w, _ := flate.NewWriter(&stream, flate.DefaultCompression)
	_, _ = io.WriteString(w, "b NOOP\r\n")
	_ = w.Flush()
	c.send("a COMPRESS DEFLATE\r\n" + stream.String())
	c.expect("a OK DEFLATE active")
	c.in = bufio.NewReader(flate.NewReader(c.in))
	c.expect("b OK NOOP completed")
}

// A little that unpacks to very much is under the limits of what it unpacks to.
func TestCompressBomb(t *testing.T) {
	for name, text := range map[string]string{
		"line":    strings.Repeat("x", 1<<20),
		"literal": "a NOOP {4294967295+}\r\n" + strings.Repeat("x", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			e.start(t, nil)
			c := e.login(t)
			c.compress()
			done := make(chan struct{})
			go func() {
				defer close(done)
				for range 20 {
					if _, err := io.WriteString(c.conn, text); err != nil {
						return
					}
				}
			}()
			if line := c.line(); line != "* BYE Command or literal too long" {
				t.Errorf("%q", line)
			}
			_ = c.conn.Close()
			<-done
		})
	}
}

func TestCompressGarbage(t *testing.T) {
	e := newEnv(t)
	e.start(t, nil)
	c := e.login(t)
	c.send("a COMPRESS DEFLATE\r\n")
	c.expect("a OK DEFLATE active")
	c.in = bufio.NewReader(flate.NewReader(c.in))
	c.send("b NOOP\r\n\xff\xff\xff\xff")
	c.expect("* BYE What was sent is not compressed properly")
}

// What a deflater writes is one stream, whichever of the pieces are stored.
func TestDeflaterPieces(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	var sent, want bytes.Buffer
	d := &deflater{dst: &sent}
	for range 500 {
		n := rnd.IntN(3 * storedBytes)
		if rnd.IntN(10) == 0 {
			n = rnd.IntN(16 << 10)
		}
		piece := []byte(strings.Repeat("* 12 FETCH (FLAGS (\\Seen)) ", n/27+1)[:n])
		if n, err := d.Write(piece); err != nil || n != len(piece) {
			t.Fatal(n, err)
		}
		want.Write(piece)
		if n <= storedBytes && n > 0 && !bytes.HasSuffix(sent.Bytes()[:sent.Len()-5], piece) {
			t.Fatalf("%d bytes are compressed", n)
		}
	}
	got, err := io.ReadAll(flate.NewReader(&sent))
	if !errors.Is(err, io.ErrUnexpectedEOF) || !bytes.Equal(got, want.Bytes()) { // the stream has no end
		t.Errorf("%d of %d bytes, %v", len(got), want.Len(), err)
	}
}
