package pop3d

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/internal/listener/listenertest"
	"github.com/rookery-mail/rookery/internal/transcript"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

var bodyID = regexp.MustCompile(`\b[0-9a-f]{32}\b`)

func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			e := newEnv(t)
			far := ""
			ids := map[string]string{}
			do := e.directives()
			do["far"] = func(t testing.TB, _ string) string {
				far = e.listen(t, false, listenertest.Far)
				return ""
			}
			transcript.Run(t, file, transcript.Script{
				Dial: func(t testing.TB, name string) net.Conn {
					if e.srv == nil {
						e.start(t, nil)
					}
					addr := e.addr
					if strings.HasPrefix(name, "far") {
						addr = far
					}
					c, err := net.Dial("tcp", addr)
					if err != nil {
						t.Fatal(err)
					}
					return c
				},
				Do: do,
				Mask: func(line string) string {
					return bodyID.ReplaceAllStringFunc(line, func(id string) string {
						if ids[id] == "" {
							ids[id] = fmt.Sprintf("(body %d)", len(ids)+1)
						}
						return ids[id]
					})
				},
			})
		})
	}
}

// directives are what transcripts may say behind "!".
func (e *env) directives() map[string]func(testing.TB, string) string {
	return map[string]func(testing.TB, string) string{
		// server [plaintext] [notls] [connections=N]
		"server": func(t testing.TB, args string) string {
			e.start(t, func(cfg *Config) {
				for _, f := range strings.Fields(args) {
					k, v, _ := strings.Cut(f, "=")
					switch k {
					case "plaintext":
						cfg.AllowPlaintext = true
					case "notls":
						cfg.TLS = nil
					case "connections":
						cfg.MaxConnections, _ = strconv.Atoi(v)
					}
				}
			})
			return ""
		},
		// message ADDRESS "quoted as in Go"
		"message": func(t testing.TB, args string) string {
			address, quoted, _ := strings.Cut(args, " ")
			m, err := strconv.Unquote(quoted)
			if err != nil {
				t.Fatalf("%s: %v", args, err)
			}
			e.deliver(t, address, m)
			return ""
		},
		"account": func(t testing.TB, args string) string {
			e.account(t, args)
			return ""
		},
		// uids ADDRESS
		"uids": func(t testing.TB, args string) string { return fmt.Sprint(e.uids(t, args)) },
		// expunge ADDRESS UID
		"expunge": func(t testing.TB, args string) string {
			address, uid, _ := strings.Cut(args, " ")
			n, err := strconv.Atoi(uid)
			if err != nil {
				t.Fatal(err)
			}
			e.expunge(t, address, metadata.UID(n))
			return ""
		},
		"copy": func(t testing.TB, args string) string {
			address, uid, _ := strings.Cut(args, " ")
			n, err := strconv.Atoi(uid)
			if err != nil {
				t.Fatal(err)
			}
			e.copy(t, address, metadata.UID(n))
			return ""
		},
		// fault expunge|bodies|acquire|renew|blobs|directory KIND | fault directory panic | fault none
		"fault": func(t testing.TB, args string) string {
			e.fault(t, strings.Fields(args))
			return ""
		},
		// open: how many sessions the server has
		"sessions": func(t testing.TB, _ string) string {
			return strconv.Itoa(e.srv.conns.Len())
		},
	}
}

// copy copies a message within INBOX.
func (e *env) copy(t testing.TB, address string, uid metadata.UID) {
	t.Helper()
	ctx := context.Background()
	sel, err := e.store.User(e.account(t, address).ID).Open(ctx, "INBOX", 1)
	if err != nil {
		t.Fatal(err)
	}
	defer sel.Close()
	if _, err := sel.Copy(ctx, metadata.UIDSetOf(uid), "INBOX"); err != nil {
		t.Fatal(err)
	}
}

func (e *env) fault(t testing.TB, f []string) {
	e.meta.mu.Lock()
	defer e.meta.mu.Unlock()
	e.dir.mu.Lock()
	defer e.dir.mu.Unlock()
	switch f[0] {
	case "expunge":
		e.meta.expunge = faultOf(t, f[1])
	case "bodies":
		e.meta.bodies = faultOf(t, f[1])
	case "acquire":
		e.meta.acquire = faultOf(t, f[1])
	case "renew":
		e.meta.renew = faultOf(t, f[1])
	case "blobs":
		err := faultOf(t, f[1])
		e.blobs.reads.Store(&err)
	case "directory":
		if e.dir.panics = f[1] == "panic"; !e.dir.panics {
			e.dir.err = faultOf(t, f[1])
		}
	case "none":
		e.meta.expunge, e.meta.bodies, e.meta.acquire, e.meta.renew = nil, nil, nil, nil
		e.dir.err, e.dir.panics = nil, false
		e.blobs.reads.Store(nil)
	}
}

func faultOf(t testing.TB, name string) error {
	for _, k := range mailerr.Kinds() {
		if strings.ReplaceAll(k.String(), " ", "-") == name {
			return mailerr.Wrap("test", k, errors.New("secret cause"))
		}
	}
	t.Fatalf("no kind %q", name)
	return nil
}
