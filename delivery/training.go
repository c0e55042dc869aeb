package delivery

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/rookery-mail/rookery/delivery/internal/rspamd"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

const (
	maxLessons  = 4096 // that wait; one is a command's, of any number of messages
	lessonTries = 5
)

// Training says which spam filter learns from what users move into and out of their mailbox with the special use \Junk.
type Training struct {
	URL      string // of rspamd's controller; "": none learns
	Password string // of the controller, "" for none
	MaxBytes int64  // of a message that is worth learning; 0: 4 MiB
	Client   *http.Client
}

// lesson is messages that are to be learned as one class.
type lesson struct {
	account metadata.AccountID
	mailbox metadata.MailboxID
	uids    metadata.UIDSet
	class   rspamd.Class
}

// learnAs returns what a COPY between two mailboxes teaches, "" for nothing: into \Junk is spam, out of it is none, but for the way
// into \Trash.
func learnAs(from, to *metadata.Mailbox) rspamd.Class {
	junk := byUse(`\Junk`)
	switch {
	case junk(from) == junk(to), junk(from) && byUse(`\Trash`)(to):
		return ""
	case junk(to):
		return rspamd.Spam
	}
	return rspamd.Ham
}

// trainer gives messages to the spam filter, one after another. Lessons wait in memory: those that are lost with a node, or
// because too many wait, are no loss that anybody would notice.
type trainer struct {
	e      *Events
	cfg    Training
	client *rspamd.Client
	queue  chan lesson
	once   sync.Once // closes queue
	work   sync.WaitGroup
}

func newTrainer(e *Events, cfg Training) *trainer {
	if cfg.MaxBytes <= 0 {
		cfg.MaxBytes = 4 << 20
	}
	t := &trainer{e: e, cfg: cfg, client: rspamd.New(cfg.URL, cfg.Password, cfg.Client), queue: make(chan lesson, maxLessons)}
	t.work.Go(func() {
		for l := range t.queue {
			t.teach(l)
		}
	})
	return t
}

// add takes a lesson. It never blocks. Not after finish.
func (t *trainer) add(l lesson) {
	select {
	case t.queue <- l:
	default:
		t.count(l.class, "dropped", l.uids.Len())
		t.e.d.cfg.Log.Warn("a lesson for the spam filter was dropped, too many wait", "class", l.class, "messages", l.uids.Len())
	}
}

// finish waits for what is in the queue, as long as the context of the events lasts.
func (t *trainer) finish() {
	t.once.Do(func() { close(t.queue) })
	t.work.Wait()
}

func (t *trainer) count(class rspamd.Class, result string, messages int) {
	t.e.metrics.learned.WithLabelValues(string(class), result).Add(float64(messages))
}

func (t *trainer) teach(l lesson) {
	defer t.e.survive("a lesson for the spam filter made its teacher panic")
	ctx := t.e.ctx
	if ctx.Err() != nil {
		t.count(l.class, "dropped", l.uids.Len())
		return
	}
	t.e.each(ctx, l.account, l.mailbox, l.uids, func(m *mailstore.Message, err error) {
		switch {
		case err != nil:
			t.failed(ctx, l, err)
		case m == nil: // where it is now, it may teach something else
			t.count(l.class, "gone", 1)
		case m.Reader.Size() > t.cfg.MaxBytes:
			t.count(l.class, "refused", 1)
		default:
			t.learn(ctx, l, m)
		}
	})
}

// learn gives one message to the filter, until it is taken or refused, a few times.
func (t *trainer) learn(ctx context.Context, l lesson, m *mailstore.Message) {
	pause := t.e.pause
	for try := 1; ; try++ {
		body := &storedMessage{ctx: ctx, body: m.Reader}
		err := t.client.Learn(ctx, l.class, body.reader(), body.Size())
		var refused *rspamd.Refused
		switch {
		case err == nil:
			t.count(l.class, "learned", 1)
			return
		case errors.As(err, &refused):
			t.count(l.class, "refused", 1)
			t.e.d.cfg.Log.InfoContext(ctx, "the spam filter does not learn from a message", "class", l.class, "message", m.Row.Body, "answer", refused.Text)
			return
		case try == lessonTries || ctx.Err() != nil:
			t.failed(ctx, l, err)
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
			pause *= 2
		}
	}
}

func (t *trainer) failed(ctx context.Context, l lesson, err error) {
	if ctx.Err() != nil {
		t.count(l.class, "dropped", 1)
		return
	}
	t.count(l.class, "failed", 1)
	t.e.d.cfg.Log.WarnContext(ctx, "the spam filter was not taught", "class", l.class, "error", err)
}

var _ io.ReaderAt = (*storedMessage)(nil)
