package imapd

import (
	"strings"
	"testing"
	"time"
)

// A command that takes long says how far it is (RFC 9585), whole responses all of them, and stops when it is done.
func TestInProgress(t *testing.T) {
	for _, command := range []string{"FETCH 1:3 BODY.PEEK[TEXT]", "SEARCH BODY nowhere"} {
		t.Run(command, func(t *testing.T) {
			e := newEnv(t)
			e.start(t, func(cfg *Config) { cfg.ProgressInterval = 5 * time.Millisecond })
			e.account(t, user)
			for range 3 {
				e.deliver(t, "INBOX", "Subject: x\r\n\r\nx\r\n")
			}
			c := e.login(t)
			c.ok("SELECT INBOX")
			held := e.blobs.hold()
			c.send("f " + command + "\r\n")
			<-held.entered
			for told := 0; told < 3; { // those before the number is known say so
				line := c.line()
				if !strings.HasPrefix(line, `* OK [INPROGRESS ("f" `) || !strings.HasSuffix(line, ")] Still working") {
					t.Fatalf("%q", line)
				}
				if strings.Contains(line, ` 0 3)`) {
					told++
				}
			}
			e.blobs.release()
			c.answers("f")
			c.ok("LOGOUT")
			if line := c.line(); line != closed {
				t.Errorf("after it: %q", line)
			}
		})
	}
}

// While the lock is lent for a change in the mailbox, notes of progress are said.
func TestInProgressWhileLent(t *testing.T) {
	b := newBed(t)
	b.srv.cfg.ProgressInterval = time.Millisecond
	c := b.session("SELECT INBOX")
	s := c.s
	s.lock()
	defer s.mu.Unlock()
	p := s.watch("t")
	defer p.end()
	_ = s.lend(func() error {
		for said := 0; said < 2; {
			s.mu.Lock()
			said = strings.Count(c.conn.out.String(), `* OK [INPROGRESS ("t" NIL NIL)] Still working`)
			s.mu.Unlock()
		}
		return nil
	})
}

// A tag that would end the response code is not told (RFC 9585 section 4).
func TestInProgressTag(t *testing.T) {
	b := newBed(t)
	b.srv.cfg.ProgressInterval = time.Hour
	c := b.session("SELECT INBOX")
	for tag, want := range map[string]string{"a1": `"a1"`, "]": "NIL", "x]y": "NIL"} {
		s := c.s
		s.lock()
		p := s.watch(tag)
		s.mu.Unlock()
		p.tell()
		s.lock()
		p.end()
		if want := "* OK [INPROGRESS (" + want + " NIL NIL)] Still working\r\n"; !strings.Contains(c.conn.out.String(), want) {
			t.Errorf("%q: no %q", tag, want)
		}
		s.mu.Unlock()
	}
}
