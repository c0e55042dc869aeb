package delivery_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// TestManyBigMessages runs scripts on more big messages at once than may run at once: all are delivered.
func TestManyBigMessages(t *testing.T) {
	e := newEnv(t)
	u := e.account("user@example.org", `require ["body", "imap4flags"]; if body :raw :contains "xyz" { addflag "found"; }`)
	text := mail("m") + strings.Repeat(strings.Repeat("x", 70)+"\r\n", 2<<20/72) + "xyz\r\n"
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for _, err := range e.deliver(e.node, "sender@example.net", text, "user@example.org") {
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got, want := strings.Count(fmt.Sprint(e.content(u)), "m"), 20; got < want {
		t.Errorf("%d messages, want %d", got, want)
	}
}
