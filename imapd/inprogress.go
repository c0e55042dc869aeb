package imapd

import (
	"strings"
	"sync/atomic"
	"time"
)

// progress is how far a command is, told to the client while it takes long (RFC 9585). Every command has one, but for those whose
// time is the client's. The zero time between announcements is none.
type progress struct {
	s    *session
	tag  string
	done atomic.Uint64
	goal atomic.Uint64 // 0: not known

	// Guarded by the session's lock.
	timer *time.Timer
	ended bool
}

// watch begins to tell how far the command with a tag is.
func (s *session) watch(tag string) *progress {
	p := &progress{s: s, tag: tag}
	p.timer = time.AfterFunc(s.srv.cfg.ProgressInterval, p.tell)
	return p
}

// expect sets how much there is to be done: messages, mostly. May be called from any goroutine, as add.
func (p *progress) expect(goal int) {
	if p != nil {
		p.goal.Store(uint64(goal))
	}
}

// add counts what is done.
func (p *progress) add(n int) {
	if p != nil {
		p.done.Add(uint64(n))
	}
}

// end is called with the session's lock.
func (p *progress) end() {
	p.ended = true
	p.timer.Stop()
}

// tell takes the lock even where it was lent: it touches the Writer alone, and nobody lends in the middle of a response.
func (p *progress) tell() {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	if p.ended || p.s.ctx.Err() != nil {
		return
	}
	w := p.s.w
	w.Raw("* OK [INPROGRESS (")
	if strings.Contains(p.tag, "]") { // RFC 9585 section 4
		w.Raw("NIL ")
	} else {
		w.Byte('"').Raw(p.tag).Raw(`" `)
	}
	if done, goal := p.done.Load(), p.goal.Load(); done < goal {
		w.Number(done).SP().Number(goal)
	} else {
		w.Raw("NIL NIL")
	}
	w.Byte(')')
	p.s.remark("Still working")
	if w.Flush() == nil {
		p.timer.Reset(p.s.srv.cfg.ProgressInterval)
	}
}
