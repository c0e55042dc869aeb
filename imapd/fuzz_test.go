package imapd

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// fuzzSeeds are what clients and attackers send, a session each.
var fuzzSeeds = []string{
	"a CAPABILITY\r\nb NOOP\r\nc LOGOUT\r\n",
	"a LOGIN anna \"correct horse\"\r\nb SELECT INBOX\r\nc FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE BODY.PEEK[])\r\n",
	"a LIST (SUBSCRIBED RECURSIVEMATCH) \"\" (% *) RETURN (SUBSCRIBED STATUS (MESSAGES UIDNEXT SIZE))\r\n",
	"a APPEND INBOX (\\Seen) \" 3-Feb-2021 10:11:12 +0100\" {4+}\r\nabcd\r\nb UID FETCH 1:* (UID MODSEQ) (CHANGEDSINCE 1)\r\n",
	"a APPEND INBOX {100}\r\nb NOOP\r\n",
	"a SEARCH CHARSET UTF-8 OR (SUBJECT {3+}\r\nabc) NOT (UID 1:3 SINCE 1-Feb-1994) RETURN\r\nb UID SEARCH RETURN (MIN MAX COUNT ALL) MODSEQ 4\r\n",
	"a STORE 1:* (UNCHANGEDSINCE 5) +FLAGS.SILENT (\\Deleted $x)\r\nb UID EXPUNGE 1:3\r\nc COPY 2 Trash\r\nd UID MOVE * Junk\r\ne CLOSE\r\n",
	"a IDLE\r\nDONE\r\nb IDLE\r\nb NOOP\r\n",
	"a AUTHENTICATE PLAIN\r\n*\r\nb AUTHENTICATE PLAIN =\r\nc AUTHENTICATE LOGIN\r\nYQ==\r\nYQ==\r\n",
	"a CREATE &APw-/x (USE (\\Sent))\r\nb RENAME INBOX Old\r\nc SUBSCRIBE x\r\nd LSUB \"\" %\r\ne DELETE x\r\nf STATUS INBOX (MESSAGES)\r\n",
	"a SELECT INBOX (CONDSTORE)\r\nb EXAMINE Sent\r\nc UNSELECT\r\nd ENABLE CONDSTORE\r\ne ID (\"a\" NIL)\r\nf NAMESPACE\r\n",
	// Smuggling.
	"a LOGIN {70000+}\r\n" + strings.Repeat("b EVIL\r\n", 10),
	"a NOOP {4294967296}\r\nb {99999999999999999999+}\r\n",
	"a LOGIN \"{5}\r\nb \"x {5+}\r\n12345\"\r\nc NOOP\r\n",
	"a NOOP\x00\r\nb N\rOP\nc NOOP\r\r\n",
	"a SEARCH " + strings.Repeat("(", 1000) + "\r\n",
	"a FETCH " + strings.Repeat("1:*,", 1000) + "1 FLAGS\r\n",
	"a FETCH 1 (BODY[1.2.3.MIME]<0.5> BODY[HEADER.FIELDS (a \"b\")] RFC822)\r\nb FETCH 4294967295:1 ALL\r\n",
	"a STARTTLS\r\nb LOGIN anna \"correct horse\"\r\n",
}

// FuzzServer feeds a session in each state whatever comes. It must neither panic nor hang: it ends when its client does.
func FuzzServerNotAuthenticated(f *testing.F) { fuzzServer(f, "") }
func FuzzServerAuthenticated(f *testing.F)    { fuzzServer(f, fuzzLogin) }
func FuzzServerSelected(f *testing.F)         { fuzzServer(f, fuzzLogin+"s SELECT INBOX\r\n") }
func FuzzServerIdle(f *testing.F)             { fuzzServer(f, fuzzLogin+"s SELECT INBOX\r\ni IDLE\r\n") }
func FuzzServerLiteral(f *testing.F) {
	fuzzServer(f, fuzzLogin+"s SELECT INBOX\r\nl APPEND INBOX {50+}\r\n")
}

const fuzzLogin = "l LOGIN " + user + " \"" + password + "\"\r\n"

func fuzzServer(f *testing.F, before string) {
	e := newEnv(f)
	e.start(f, func(cfg *Config) {
		cfg.MaxMessageBytes, cfg.MaxBadCommands, cfg.MaxFailures = 10_000, 1000, 1000
		cfg.TLS, cfg.AllowPlaintext = nil, true
	})
	e.account(f, user)
	for range 3 {
		e.deliver(f, "INBOX", "From: a@example.net\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nText\r\n--x--\r\n")
	}
	for _, seed := range fuzzSeeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		panics := e.panics.Load()
		server, conn := net.Pipe()
		e.srv.conns.ServeConn(server)
		go func() {
			_ = conn.SetWriteDeadline(time.Now().Add(patience))
			_, _ = io.Copy(conn, io.MultiReader(strings.NewReader(before), bytes.NewReader(in)))
			_ = conn.SetReadDeadline(time.Now().Add(20 * time.Millisecond)) // the last answer, and then the end
		}()
		out, _ := io.ReadAll(conn)
		_ = conn.Close()
		if e.panics.Load() != panics {
			t.Fatalf("%q: a panic", in)
		}
		if len(out) > 0 && !bytes.HasPrefix(out, []byte("* OK ")) {
			t.Fatalf("%q: %q", in, out)
		}
		for line := range bytes.Lines(out) {
			if bytes.Contains(line, []byte("[SERVERBUG]")) {
				t.Fatalf("%q: %q", in, line)
			}
		}
	})
}
