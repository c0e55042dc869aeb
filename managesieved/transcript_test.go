package managesieved

import (
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/internal/listener/listenertest"
	"github.com/rookery-mail/rookery/internal/transcript"
)

var (
	extensionList = regexp.MustCompile(`^"SIEVE" ".*fileinto.*"$`)
	lastAt        = regexp.MustCompile(`last at [-0-9T:]+Z`)
)

func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			e := newEnv(t)
			far := ""
			transcript.Run(t, file, transcript.Script{
				Dial: func(t testing.TB, name string) net.Conn {
					if e.srv == nil {
						e.start(t, nil)
					}
					addr := e.addr
					if strings.HasPrefix(name, "far") {
						if far == "" {
							far = e.listen(t, false, listenertest.Far)
						}
						addr = far
					}
					c, err := net.Dial("tcp", addr)
					if err != nil {
						t.Fatal(err)
					}
					return c
				},
				Do: e.directives(),
				Mask: func(line string) string {
					return lastAt.ReplaceAllString(extensionList.ReplaceAllString(line, `"SIEVE" (all)`), "last at (time)")
				},
			})
		})
	}
}
