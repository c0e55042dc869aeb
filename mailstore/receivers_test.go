package mailstore_test

import (
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
)

// stalling is a sender that stops before the end of its message until it is let go.
type stalling struct {
	first   io.Reader
	stopped func() // called once, when all of first was read
	letGo   <-chan struct{}
}

func (r *stalling) Read(p []byte) (int, error) {
	n, err := r.first.Read(p)
	if err != io.EOF {
		return n, err
	}
	if r.stopped != nil {
		r.stopped()
		r.stopped = nil
	}
	<-r.letGo
	return 0, io.EOF
}

// Senders that stop in the middle of their messages do not keep the others out.
func TestStalledSenders(t *testing.T) {
	for _, tc := range []struct {
		name                  string
		stalled, size, others int // messages, bytes of each that come before it stops, bytes of the one that must get through
	}{
		{"memory", 12, 3 << 20, 100},
		{"uploads", 32, 4<<20 + 100<<10, 4<<20 + 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newCluster(t)
			s := c.node(func(cfg *mailstore.Config) {
				if tc.name == "memory" {
					cfg.StageBytes = 16 << 20 // 4 such messages, and 8 overdrafts
				}
			})
			letGo := make(chan struct{})
			var stopped, ended sync.WaitGroup
			failed := make(chan error, tc.stalled)
			text := strings.Repeat("x", tc.size)
			for range tc.stalled {
				stopped.Add(1)
				ended.Go(func() {
					st, err := s.Stage(c.ctx, &stalling{strings.NewReader(text), stopped.Done, letGo}, 0)
					if err != nil {
						failed <- err
						return
					}
					st.Discard()
				})
			}
			stopped.Wait()
			st, err := s.Stage(c.ctx, strings.NewReader(strings.Repeat("x", tc.others)), 0)
			if err != nil {
				t.Fatal(err)
			}
			st.Discard()
			close(letGo)
			ended.Wait()
			close(failed)
			if n := len(failed); n == 0 || n > tc.stalled/2 {
				t.Errorf("%d messages were given up", n)
			}
			for err := range failed {
				if !mailerr.Is(err, mailerr.Unavailable) || !errors.Is(err, mailstore.ErrTooSlow) {
					t.Errorf("given up: %v", err)
				}
			}
		})
	}
}
