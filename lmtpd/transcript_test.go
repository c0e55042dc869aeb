package lmtpd

import (
	"errors"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/internal/transcript"
	"github.com/rookery-mail/rookery/mailerr"
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
			transcript.Run(t, file, transcript.Script{
				Dial: func(t testing.TB, _ string) net.Conn {
					if e.srv == nil {
						e.start(t, nil)
					}
					return e.dial(t)
				},
				Do: e.directives(),
			})
		})
	}
}

// directives are what transcripts may say behind "!".
func (e *env) directives() map[string]func(testing.TB, string) string {
	return map[string]func(testing.TB, string) string{
		// server [size=N] [recipients=N] [connections=N] [quota=permanent] [tls=off] [trusted=NETWORK] [rate=N] [trustedrate=N]
		"server": func(t testing.TB, args string) string {
			e.start(t, func(cfg *Config) { configure(t, cfg, args) })
			return ""
		},
		// account ADDRESS...
		"account": func(t testing.TB, args string) string {
			for _, a := range strings.Fields(args) {
				e.account(t, a)
			}
			return ""
		},
		// alias ADDRESS TARGET...
		"alias": func(t testing.TB, args string) string {
			f := strings.Fields(args)
			if _, err := e.local.SetAlias(t.Context(), f[0], f[1:]...); err != nil {
				t.Fatal(err)
			}
			return ""
		},
		// domain NAME [alias=DOMAIN] [catchall=ADDRESS] [delimiter=C] [case=keep] [detail=on]
		"domain": func(t testing.TB, args string) string {
			f := strings.Fields(args)
			d := metadata.Domain{Name: f[0]}
			for _, f := range f[1:] {
				k, v, _ := strings.Cut(f, "=")
				switch k {
				case "alias":
					d.AliasOf = v
				case "catchall":
					d.CatchAll = v
				case "delimiter":
					d.Delimiter = v
				case "case":
					d.KeepCase = true
				case "detail":
					d.DetailMailbox = metadata.On
				default:
					t.Fatalf("domain: what is %q?", f)
				}
			}
			if _, err := e.local.SetDomain(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			return ""
		},
		// mailbox ADDRESS NAME
		"mailbox": func(t testing.TB, args string) string {
			f := strings.Fields(args)
			if _, err := e.store.User(e.account(t, f[0]).ID).Create(t.Context(), f[1], ""); err != nil {
				t.Fatal(err)
			}
			return ""
		},
		// quota ADDRESS BYTES
		"quota": func(t testing.TB, args string) string {
			f := strings.Fields(args)
			if err := e.local.SetQuota(t.Context(), f[0], int64(atoi(t, f[1])), 0); err != nil {
				t.Fatal(err)
			}
			return ""
		},
		"disable": func(t testing.TB, args string) string {
			e.dir.mu.Lock()
			defer e.dir.mu.Unlock()
			e.dir.disabled[e.account(t, args).ID] = true
			return ""
		},
		// fault deliver ADDRESS KIND | fault stage KIND | fault directory KIND | fault panic stage|deliver|directory | fault none
		"fault": func(t testing.TB, args string) string {
			e.fault(t, strings.Fields(args))
			return ""
		},
		// stored ADDRESS [MAILBOX]
		"stored": func(t testing.TB, args string) string {
			var b strings.Builder
			address, mailbox, _ := strings.Cut(args, " ")
			if mailbox == "" {
				mailbox = "INBOX"
			}
			for i, m := range e.storedIn(t, address, mailbox) {
				b.WriteString("message " + strconv.Itoa(i+1) + "\n")
				b.WriteString(readable(m))
			}
			if b.Len() == 0 {
				return "nothing"
			}
			return b.String()
		},
	}
}

func configure(t testing.TB, cfg *Config, args string) {
	for _, f := range strings.Fields(args) {
		k, v, _ := strings.Cut(f, "=")
		switch k {
		case "size":
			cfg.MaxMessageBytes = int64(atoi(t, v))
		case "recipients":
			cfg.MaxRecipients = atoi(t, v)
		case "connections":
			cfg.MaxConnections = atoi(t, v)
		case "trusted":
			cfg.TrustedNetworks = []netip.Prefix{netip.MustParsePrefix(v)}
		case "quota":
			cfg.OverQuotaPermanent = v == "permanent"
		case "tls":
			cfg.TLS = nil
		case "rate":
			cfg.MaxMessageRate = atoi(t, v)
		case "trustedrate":
			cfg.MaxTrustedMessageRate = atoi(t, v)
		default:
			t.Fatalf("server: what is %q?", f)
		}
	}
}

func (e *env) fault(t testing.TB, f []string) {
	e.faults.mu.Lock()
	defer e.faults.mu.Unlock()
	e.dir.mu.Lock()
	defer e.dir.mu.Unlock()
	switch f[0] {
	case "deliver":
		e.faults.deliver[e.account(t, f[1]).ID] = faultOf(t, f[2])
	case "stage":
		e.faults.stage = faultOf(t, f[1])
	case "directory":
		e.dir.err = faultOf(t, f[1])
	case "panic":
		e.faults.panicAt = f[1]
		e.dir.panics = f[1] == "directory"
	case "none":
		e.faults.stage, e.faults.panicAt, e.dir.err, e.dir.panics = nil, "", nil, false
		e.faults.deliver = map[metadata.AccountID]error{}
	}
}

func faultOf(t testing.TB, name string) error {
	for _, k := range mailerr.Kinds() {
		if strings.ReplaceAll(k.String(), " ", "-") == name {
			return mailerr.Wrap("test", k, errors.New("secret cause"))
		}
	}
	if name == "plain" {
		return errors.New("secret cause")
	}
	t.Fatalf("no kind %q", name)
	return nil
}

// readable shows a message by lines. Lines end with CRLF but where \n or \+ (nothing) is shown.
func readable(m []byte) string {
	var b strings.Builder
	for line := range strings.Lines(string(m)) {
		whole := strings.HasSuffix(line, "\r\n")
		q := strconv.QuoteToGraphic(strings.TrimSuffix(line, "\r\n"))
		q = strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
		if !whole && !strings.HasSuffix(line, "\n") {
			q += `\+`
		}
		b.WriteString("  " + q + "\n")
	}
	return b.String()
}

func atoi(t testing.TB, s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
