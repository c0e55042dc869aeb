package imapd

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"iter"
	"regexp"
	"strconv"
	"strings"
	"sync"
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
	"a SETMETADATA INBOX (/private/comment ~{3+}\r\n\x00\r\n /shared/vendor/x/y NIL)\r\nb GETMETADATA (MAXSIZE 9 DEPTH infinity) \"\" (/private /shared)\r\nc LIST \"\" * RETURN (METADATA (/private/comment))\r\n",
	"a SETMETADATA \"\" (/private/filters/values/a \"NOT (FILTER b 1:* TEXT {1+}\r\nx)\" /private/filters/values/b \"ALL FILTER a\")\r\nb SEARCH FILTER a\r\nc UID SORT (DATE) UTF-8 OR FILTER b FILTER B\r\n",
	"a IDLE\r\nDONE\r\nb IDLE\r\nb NOOP\r\n",
	"a AUTHENTICATE PLAIN\r\n*\r\nb AUTHENTICATE PLAIN =\r\nc AUTHENTICATE LOGIN\r\nYQ==\r\nYQ==\r\n",
	"a CREATE &APw-/x (USE (\\Sent))\r\nb RENAME INBOX Old\r\nc SUBSCRIBE x\r\nd LSUB \"\" %\r\ne DELETE x\r\nf STATUS INBOX (MESSAGES)\r\n",
	"a SELECT INBOX (CONDSTORE)\r\nb EXAMINE Sent\r\nc UNSELECT\r\nd ENABLE CONDSTORE\r\ne ID (\"a\" NIL)\r\nf NAMESPACE\r\n",
	"a FETCH 1 BODY[]\r\nb FETCH 2 FLAGS\r\nc UID SEARCH UNSEEN\r\nd STATUS INBOX (UNSEEN)\r\ne EXPUNGE\r\nf NOOP\r\ng LOGOUT\r\nh NOOP\r\n",
	"a UNAUTHENTICATE\r\nb LOGIN anna \"correct horse\"\r\nc COMPRESS DEFLATE\r\nd NOOP\r\n",
	"a ENABLE QRESYNC UIDONLY\r\nb SELECT INBOX (QRESYNC (1 1 1:3 (1,3 1,3)))\r\nc UID FETCH 1:* FLAGS (CHANGEDSINCE 1 VANISHED)\r\nd FETCH 1 FLAGS\r\n",
	"a SELECT INBOX (QRESYNC (1795447800 1 1:4294967295 (1:3 1:3)) CONDSTORE)\r\nb UID FETCH 1:* (UID) (PARTIAL -1:-2 CHANGEDSINCE 1)\r\nc UID EXPUNGE $\r\n",
	"a ENABLE IMAP4rev2 UTF8=ACCEPT\r\nb CREATE \"\xc3\x9c\"\r\nc SELECT \xc3\x9c\r\nd SEARCH SUBJECT \"\xc3\xbc\"\r\ne APPEND INBOX UTF8 (~{5+}\r\n\xc3\xbc\r\n)\r\n\r\n",
	"a APPEND INBOX (\\Seen) {4+}\r\nabcd (\\Flagged) \" 3-Feb-2021 10:11:12 +0100\" ~{3+}\r\na\x00b CATENATE (TEXT {2+}\r\nx\n URL \"/INBOX/;UID=1/;SECTION=1\" TEXT ~{0+}\r\n)\r\n",
	"a APPEND INBOX CATENATE (URL \";UID=1\" URL \"INBOX;UIDVALIDITY=1/;UID=2/;SECTION=HEADER/;PARTIAL=0.5\" UTF8 (~{3+}\r\nabc))\r\nb APPEND x CATENATE ()\r\n",
	"a REPLACE 1 INBOX (\\Draft) {4+}\r\nabcd\r\nb UID REPLACE * Drafts CATENATE (URL \"/INBOX/;UID=1\" TEXT {1+}\r\nx)\r\nc REPLACE 9 {5+}\r\nINBOX {3+}\r\nabc\r\n",
	"a GENURLAUTH \"imap://anna%40example.org@x/INBOX/;UID=1;URLAUTH=anonymous\" INTERNAL\r\nb URLFETCH (\"imap://anna%40example.org@x/INBOX/;UID=1;URLAUTH=authuser:INTERNAL:01ab\" BODY BINARY BODYPARTSTRUCTURE)\r\nc RESETKEY INBOX INTERNAL\r\n",
	"a SETACL INBOX bob@example.org +lrs\r\nb GETACL INBOX\r\nc LISTRIGHTS INBOX -anyone\r\nd MYRIGHTS INBOX\r\ne DELETEACL INBOX {15+}\r\nbob@example.org\r\n",
	"a GETQUOTA \"\"\r\nb GETQUOTAROOT INBOX\r\nc SETQUOTA anna@example.org (STORAGE 10 MESSAGE 18446744073709551615)\r\nd STATUS INBOX (DELETED-STORAGE MAILBOXID)\r\n",
	"a SEARCH RETURN (SAVE) ALL\r\nb FETCH $ (EMAILID THREADID SAVEDATE PREVIEW (LAZY))\r\nc UID SEARCH RETURN (UPDATE PARTIAL 1:2 COUNT) UNSEEN\r\nd STORE $ +FLAGS (\\Seen)\r\ne CANCELUPDATE \"c\"\r\n",
	"a SORT RETURN (MIN MAX) (REVERSE DISPLAYFROM SUBJECT) UTF-8 ALL\r\nb UID THREAD REFS UTF-8 TEXT x\r\nc ESEARCH IN (selected subtree-one (INBOX x) personal) RETURN (ALL UPDATE) MODSEQ \"/flags/\\\\Seen\" all 3\r\n",
	"a FETCH 1:* (BINARY.PEEK[1]<0.3> BINARY.SIZE[1] BODY.PEEK[1.MIME])\r\nb FETCH 1 BINARY[]\r\nc MOVE 1:2 Trash\r\nd UID MOVE $ INBOX\r\n",
	"a LANGUAGE (\"de\" i-default)\r\nb LIST () \"\" * RETURN (STATUS (DELETED-STORAGE) MYRIGHTS)\r\nc GETMETADATA (DEPTH infinity MAXSIZE 10) INBOX (/private/comment /shared)\r\nd SETMETADATA \"\" (/private/comment ~{3+}\r\na\x00b /shared/x NIL)\r\ne NOTIFY SET (SELECTED (MessageNew (FLAGS) MessageExpunge)) (personal (MailboxName))\r\n",
	// Smuggling.
	"a LOGIN {70000+}\r\n" + strings.Repeat("b EVIL\r\n", 10),
	"a LOGIN {70000+}\r\n" + strings.Repeat("b EVIL\r\n", 8750) + " {7+}\r\nb EVIL\n\r\nc NOOP\r\n",
	"a NOOP {4294967296}\r\nb {99999999999999999999+}\r\n",
	"a LOGIN \"{5}\r\nb \"x {5+}\r\n12345\"\r\nc NOOP\r\n",
	"a NOOP\x00\r\nb N\rOP\nc NOOP\r\r\n",
	"a SEARCH " + strings.Repeat("(", 1000) + "\r\n",
	"a SEARCH " + strings.Repeat("(", 60_000) + "\r\nb NOOP\r\n",
	"a SEARCH " + strings.Repeat("(", 100_000) + "\r\nb NOOP\r\n",
	"a FETCH 1 (" + strings.Repeat("(", 100_000) + " {3+}\r\n(((\r\nb NOOP\r\n",
	"a FETCH " + strings.Repeat("1:*,", 1000) + "1 FLAGS\r\n",
	"a FETCH " + strings.Repeat("1,3,", 15_000) + "1 FLAGS\r\nb NOOP\r\n",
	"a UID FETCH " + strings.Repeat("1:*,", 1_000_000) + "1 FLAGS\r\nb NOOP\r\n",
	"a " + strings.Repeat("x", 200_000) + "\r\nb NOOP\r\n",
	"a FETCH 1 (BODY[1.2.3.MIME]<0.5> BODY[HEADER.FIELDS (a \"b\")] RFC822)\r\nb FETCH 4294967295:1 ALL\r\n",
	"a STARTTLS\r\nb LOGIN anna \"correct horse\"\r\n",
	strings.Repeat("x", 50) + "\r\na NOOP\r\n",
}

// fuzzHeads are lines before a literal.
var fuzzHeads = []string{
	"a NOOP ", "a LOGIN ", "a LOGIN \"", "a LOGIN \"x\\\"", "a LOGIN x ", "a APPEND INBOX ", "a APPEND INBOX (\\Seen) ~", "a SELECT ",
	"a SEARCH SUBJECT ", "a SEARCH (", "a ID (\"a\" ", "a STATUS ", "a LIST \"\" ", "a COPY 1 ", "a FETCH 1 BODY[HEADER.FIELDS (", "a ENABLE ",
	"a STORE 1 FLAGS ", "a XYZZY ", "", "a", "a ", "\x00", "a NOOP\x00 ", "a LOGIN {3+} ", "a AUTHENTICATE PLAIN ", "a IDLE ", "a COMPRESS ",
	"a CREATE ", "a RENAME x ", "a APPEND INBOX CATENATE (TEXT ", "a APPEND INBOX CATENATE (URL ", "a APPEND INBOX UTF8 (~", "a REPLACE 1 INBOX ",
	"a APPEND INBOX {1+}\r\nx ", "a SETACL INBOX ", "a SETACL INBOX x ", "a URLFETCH ", "a GENURLAUTH ", "a ESEARCH IN (mailboxes ", "a SORT (", "a GETQUOTA ", strings.Repeat("x", 70_000) + " ",
}

// FuzzServer feeds a session in each state whatever comes. It must neither panic nor hang: it ends when its client does.
func FuzzServerNotAuthenticated(f *testing.F) { fuzzServer(f, "", false) }
func FuzzServerAuthenticated(f *testing.F)    { fuzzServer(f, fuzzLogin, false) }
func FuzzServerSelected(f *testing.F)         { fuzzServer(f, fuzzLogin+"s SELECT INBOX\r\n", false) }
func FuzzServerIdle(f *testing.F)             { fuzzServer(f, fuzzLogin+"s SELECT INBOX\r\ni IDLE\r\n", false) }
func FuzzServerUIDOnly(f *testing.F) {
	fuzzServer(f, fuzzLogin+"s ENABLE QRESYNC UIDONLY\r\nt SELECT INBOX\r\n", false)
}
func FuzzServerRev2(f *testing.F) {
	fuzzServer(f, fuzzLogin+"s ENABLE IMAP4rev2 CONDSTORE UTF8=ACCEPT\r\nt SELECT INBOX\r\n", false)
}
func FuzzServerCatenate(f *testing.F) {
	fuzzServer(f, fuzzLogin+"s SELECT INBOX\r\nl APPEND INBOX {5+}\r\nhello (\\Seen) CATENATE (TEXT {3+}\r\nabc", false)
}
func FuzzServerLiteral(f *testing.F) {
	fuzzServer(f, fuzzLogin+"s SELECT INBOX\r\nl APPEND INBOX {50+}\r\n", false)
}
func FuzzServerCompressed(f *testing.F) {
	fuzzServer(f, fuzzLogin+"s SELECT INBOX\r\n"+fuzzCompress, true)
}

const (
	fuzzLogin    = "l LOGIN " + user + " \"" + password + "\"\r\n"
	fuzzCompress = "z COMPRESS DEFLATE\r\n"
	fuzzDeflated = "z OK DEFLATE active\r\n"
)

// fuzzEnv is a server with a mailbox.
func fuzzEnv(f *testing.F) *env {
	e := newEnv(f)
	e.start(f, func(cfg *Config) {
		cfg.MaxMessageBytes, cfg.MaxBadCommands, cfg.MaxFailures = 10_000, 1000, 1000
		cfg.TLS, cfg.AllowPlaintext = nil, true
	})
	e.account(f, user)
	for range 3 {
		e.deliver(f, "INBOX", "From: a@example.net\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nText\r\n--x--\r\n")
	}
	return e
}

// fuzzEnd ends what can be ended: IDLE, and then the session, which waits for the commands that run.
const fuzzEnd = "\r\nDONE\r\nend LOGOUT\r\n"

// talk sends in to a new session and returns what it says.
func (e *env) talk(t *testing.T, in string) []byte {
	panics := e.panics.Load()
	conn := &fuzzConn{closed: make(chan struct{})}
	conn.in.WriteString(in)
	e.srv.conns.ServeConn(conn)
	select {
	case <-conn.closed:
	case <-time.After(patience):
		t.Fatalf("%q: it does not end", in)
	}
	if e.panics.Load() != panics {
		t.Fatalf("%q: a panic", in)
	}
	return conn.out.Bytes()
}

// fuzzConn is a connection whose client has said everything, and is gone.
type fuzzConn struct {
	scriptConn
	once   sync.Once
	closed chan struct{}
}

func (c *fuzzConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

func fuzzServer(f *testing.F, before string, compressed bool) {
	e := fuzzEnv(f)
	for _, seed := range fuzzSeeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		in = append(in[:len(in):len(in)], fuzzEnd...)
		sent := in
		if compressed {
			var stream bytes.Buffer
			w, _ := flate.NewWriter(&stream, flate.BestSpeed)
			_, _ = w.Write(in)
			_ = w.Flush()
			sent = stream.Bytes()
		}
		out := e.talk(t, before+string(sent))
		if before != "" && !bytes.Contains(out, []byte("\r\nl OK ")) {
			t.Fatalf("no login: %q", out)
		}
		if at := bytes.Index(out, []byte(fuzzDeflated)); compressed {
			if at < 0 {
				t.Fatalf("no compression: %q", out)
			}
			at += len(fuzzDeflated)
			plain, _ := io.ReadAll(flate.NewReader(bytes.NewReader(out[at:]))) // it ends somewhere
			out = append(out[:at:at], plain...)
		}
		if compressed && bytes.Contains(bytes.ToUpper(in), []byte("UNAUTH")) {
			return // what follows is not compressed
		}
		checkResponses(t, []byte(before+string(in)), out)
	})
}

// FuzzServerSmuggling puts commands into a literal behind whatever line: they are never run.
func FuzzServerSmuggling(f *testing.F) {
	e := fuzzEnv(f)
	states := []string{"", fuzzLogin, fuzzLogin + "s SELECT INBOX\r\n"}
	for _, head := range fuzzHeads {
		for state := range states {
			f.Add([]byte(head), byte(state), uint16(1))
		}
		f.Add([]byte(head), byte(2), uint16(3000)) // over every limit
	}
	f.Fuzz(func(t *testing.T, head []byte, state byte, times uint16) {
		head = bytes.ReplaceAll(head, []byte("\n"), nil)
		payload := strings.Repeat("eViL1 NOOP\r\neViL2 CAPABILITY\r\n", int(times%4000)+1)
		in := fmt.Sprintf("%s%s{%d+}\r\n%s\r\nlast NOOP\r\n"+fuzzEnd, states[int(state)%len(states)], head, len(payload), payload)
		out := e.talk(t, in)
		checkResponses(t, []byte(in), out)
		for line := range responseLines(out) {
			if bytes.HasPrefix(line, []byte("eViL")) {
				t.Fatalf("%q: %q", head, line)
			}
		}
	})
}

// responseLines yields the lines of a server's output without what is in literals.
func responseLines(out []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(out) > 0 {
			line := out
			if i := bytes.IndexByte(out, '\n'); i >= 0 {
				line = out[:i+1]
			}
			out = out[len(line):]
			if !yield(line) {
				return
			}
			for {
				m := literalAhead.FindSubmatch(line)
				if m == nil {
					break
				}
				n, _ := strconv.Atoi(string(m[1]))
				out = out[min(n, len(out)):]
				line = out
				if i := bytes.IndexByte(out, '\n'); i >= 0 {
					line = out[:i+1]
				}
				out = out[len(line):]
			}
		}
	}
}

var (
	literalAhead = regexp.MustCompile(`\{(\d+)\}\r\n$`)
	completed    = regexp.MustCompile(`^([^ ]+) (?:OK|NO|BAD) .*\r\n$`)
)

// checkResponses checks what holds of every dialogue: each line is of one of the three kinds, nothing was our fault, and no tag is
// answered more often than it was sent.
func checkResponses(t *testing.T, in, out []byte) {
	t.Helper()
	if len(out) > 0 && !bytes.HasPrefix(out, []byte("* OK ")) {
		t.Fatalf("%q: %q", in, out)
	}
	tags := map[string]int{}
	for line := range responseLines(out) {
		switch {
		case bytes.HasSuffix(line, []byte(" OK DEFLATE active\r\n")) && !bytes.Equal(line, []byte(fuzzDeflated)):
			return // what follows is compressed
		case bytes.Contains(line, []byte("[SERVERBUG]")):
			t.Fatalf("%q: %q", in, line)
		case bytes.HasPrefix(line, []byte("* ")), bytes.HasPrefix(line, []byte("+ ")):
		case !bytes.HasSuffix(line, []byte("\r\n")): // the end
		default:
			m := completed.FindSubmatch(line)
			if m == nil {
				t.Fatalf("%q: %q", in, line)
			}
			tags[string(m[1])]++
		}
	}
	for tag, n := range tags {
		if sent := bytes.Count(in, []byte(tag)); n > sent {
			t.Fatalf("%q: %d answers to %q, which was sent %d times", in, n, tag, sent)
		}
	}
}
