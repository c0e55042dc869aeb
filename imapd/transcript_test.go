package imapd

import (
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/internal/transcript"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			e := newEnv(t)
			e.account(t, user)
			var urls urlTokens
			transcript.Run(t, file, transcript.Script{Dial: e.dialNamed, Do: e.directives(), Mask: func(line string) string {
				return urls.hide(mask(line))
			}, Unmask: urls.show})
			if n := e.panics.Load(); n > 0 {
				t.Errorf("%d panics", n)
			}
		})
	}
}

// dialNamed connects. Connections with a name are logged in before the transcript sees them, those without are not. A name of
// one letter is user's.
func (e *env) dialNamed(t testing.TB, name string) net.Conn {
	if node := e.nodes[name]; node != nil {
		return node.dialNamed(t, name)
	}
	if e.srv == nil {
		e.start(t, nil)
	}
	c := &client{t: t, conn: e.dial(t)}
	if name == "" {
		return c.conn
	}
	c.in = nil
	login := user
	if other := strings.TrimRight(name, "0123456789"); len(other) > 1 { // another account: "bob", "bob2"
		login = other + "@example.org"
		if _, err := e.local.Account(t.Context(), login); err != nil {
			e.account(t, login)
		}
	}
	c.send("login LOGIN " + login + ` "` + password + "\"\r\n")
	_ = c.conn.SetReadDeadline(time.Now().Add(patience))
	for tagged := false; !tagged; { // byte by byte: what follows is the transcript's
		var line []byte
		for !strings.HasSuffix(string(line), "\n") {
			var b [1]byte
			if _, err := c.conn.Read(b[:]); err != nil {
				t.Fatal(err)
			}
			line = append(line, b[0])
		}
		tagged = strings.HasPrefix(string(line), "login OK")
	}
	return c.conn
}

var masked = regexp.MustCompile(`(UIDVALIDITY|APPENDUID|COPYUID) \d+|(\[CAPABILITY) [^]]+|(MAILBOXID) \([^)]*\)`)

// mask hides what differs from run to run, and what every greeting and every CAPABILITY repeats.
func mask(line string) string {
	line = strings.Replace(line, strings.Join(extensions, " "), "EXTENSIONS", 1)
	return masked.ReplaceAllString(line, "$1$2$3 ...")
}

// urlTokens are the tokens of URLs that a server has said. In transcripts they are <token1>, <token2>...
type urlTokens []string

var urlToken = regexp.MustCompile(`(?i):INTERNAL:[0-9a-f]{32,}`)

func (u *urlTokens) hide(line string) string {
	return urlToken.ReplaceAllStringFunc(line, func(found string) string {
		mechanism, token := found[:len(":INTERNAL:")], found[len(":INTERNAL:"):]
		i := slices.Index(*u, token)
		if i < 0 {
			i = len(*u)
			*u = append(*u, token)
		}
		return fmt.Sprintf("%s<token%d>", mechanism, i+1)
	})
}

func (u *urlTokens) show(line string) string {
	for i, token := range *u {
		line = strings.ReplaceAll(line, fmt.Sprintf("<token%d>", i+1), token)
	}
	return line
}

// directives are what transcripts may say behind "!".
func (e *env) directives() map[string]func(testing.TB, string) string {
	return map[string]func(testing.TB, string) string{
		// server [KEY=VALUE]...
		"server": func(t testing.TB, args string) string {
			e.start(t, func(cfg *Config) { configure(t, cfg, args) })
			return ""
		},
		// node NAME...: these connections go to another node
		"node": func(t testing.TB, args string) string {
			node := e.newNode(t, e.hints, time.Hour)
			for name := range strings.FieldsSeq(args) {
				e.nodes[name] = node
			}
			return ""
		},
		// later DURATION: let time pass, for all nodes
		"later": func(t testing.TB, args string) string {
			d, err := time.ParseDuration(args)
			if err != nil {
				t.Fatal(err)
			}
			e.clock.Add(int64(d))
			return ""
		},
		// deliver MAILBOX SUBJECT
		"deliver": func(t testing.TB, args string) string {
			mailbox, subject, _ := strings.Cut(args, " ")
			e.deliver(t, mailbox, "From: a@example.net\r\nTo: "+user+"\r\nSubject: "+subject+"\r\n\r\nHello.\r\n")
			return ""
		},
		// shared DOMAIN ADMINISTRATOR...
		"shared": func(t testing.TB, args string) string {
			f := strings.Fields(args)
			if _, err := e.local.CreateShared(t.Context(), f[0], "", f[1:]...); err != nil {
				t.Fatal(err)
			}
			return ""
		},
		// purge MAILBOX MODSEQ: forget the expunges up to MODSEQ
		"purge": func(t testing.TB, args string) string {
			mailbox, modseq, _ := strings.Cut(args, " ")
			e.purge(t, mailbox, metadata.ModSeq(atoi(t, modseq)))
			return ""
		},
		// annotations N: more shared ones for INBOX
		"annotations": func(t testing.TB, args string) string {
			var changes []mailstore.Annotation
			for i := range atoi(t, args) {
				changes = append(changes, mailstore.Annotation{Entry: fmt.Sprintf("/shared/%d", i), Value: []byte("x")})
			}
			err := e.store.User(e.account(t, user).ID).SetAnnotations(t.Context(), "INBOX", changes, mailstore.SetAnnotationsOptions{})
			if err != nil {
				t.Fatal(err)
			}
			return ""
		},
		// quota BYTES
		"quota": func(t testing.TB, args string) string {
			if err := e.local.SetQuota(t.Context(), user, int64(atoi(t, args)), 0); err != nil {
				t.Fatal(err)
			}
			return ""
		},
	}
}

func configure(t testing.TB, cfg *Config, args string) {
	for f := range strings.FieldsSeq(args) {
		k, v, _ := strings.Cut(f, "=")
		switch k {
		case "literal-minus":
			cfg.LiteralMinus = true
		case "submit":
			cfg.SubmitUsers = []string{v}
		case "administrator":
			cfg.Administrators = []string{v}
		case "messages":
			cfg.MaxMessagesPerCommand = atoi(t, v)
		case "saves":
			cfg.MaxMessagesPerSave = atoi(t, v)
		case "size":
			cfg.MaxMessageBytes = int64(atoi(t, v))
		case "command":
			cfg.MaxCommandBytes = atoi(t, v)
		case "connections":
			cfg.MaxConnectionsPerAccount = atoi(t, v)
		case "failures":
			cfg.MaxFailures = atoi(t, v)
		case "bad":
			cfg.MaxBadCommands = atoi(t, v)
		case "tls":
			cfg.TLS = nil
		default:
			t.Fatalf("server: what is %q?", f)
		}
	}
}

func atoi(t testing.TB, s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
