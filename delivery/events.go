package delivery

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

const (
	maxEvents    = 4096 // that wait; one is a command's, of any number of messages
	eventWorkers = 2    // events that are worked on at once
	eventWindow  = 100  // messages looked up together
	eventTries   = 4    // of one message, when storage has trouble
)

// Events runs scripts at IMAP events, behind the commands that caused them: a command does not wait for its scripts, and cannot
// fail because of them. Events wait in memory, and not in the database: they would double the writes of every STORE for the sake of
// a node's death. When too many wait some are dropped, which is counted and logged; when the node dies those that wait are lost,
// which are as many as the gauge of the waiting ones last said. What the commands did is never lost.
type Events struct {
	d       *Deliverer
	rules   []Rule
	flags   bool            // a script may run at a FLAG event
	own     *mailboxScripts // nil: mailboxes have none
	pause   time.Duration
	trainer *trainer
	metrics *eventMetrics
	drops   drops

	ctx    context.Context //nolint:containedctx // of the work, which belongs to no caller
	cancel context.CancelFunc
	queue  chan Event
	work   sync.WaitGroup

	mu     sync.RWMutex
	closed bool // guarded by mu: nothing is sent to queue any more
}

// EventsConfig says what happens at IMAP events.
type EventsConfig struct {
	Rules    []Rule
	Training Training
	// MailboxScripts lets mailboxes have scripts, by the annotation of RFC 6785 section 2.3.1.
	MailboxScripts bool
	Pause          time.Duration         // before what had trouble is tried again, doubled for each further time; 0: 2 s
	Metrics        prometheus.Registerer // nil: none
}

// NewEvents starts what runs scripts at IMAP events.
func (d *Deliverer) NewEvents(cfg EventsConfig) (*Events, error) {
	e := &Events{d: d, rules: cfg.Rules, pause: cfg.Pause, queue: make(chan Event, maxEvents)}
	e.drops = drops{now: d.cfg.Now, tell: func(messages int) {
		d.cfg.Log.Warn("no scripts ran for messages of IMAP events: too many waited, or the node stopped", "messages", messages)
	}}
	if e.pause <= 0 {
		e.pause = 2 * time.Second
	}
	if cfg.MailboxScripts {
		e.own, e.flags = &mailboxScripts{cfg: &d.cfg}, true
	}
	for _, r := range cfg.Rules {
		e.flags = e.flags || r.From == ""
	}
	var err error
	if e.metrics, err = newEventMetrics(cfg.Metrics); err != nil {
		return nil, err
	}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	if cfg.Training.URL != "" {
		e.trainer = newTrainer(e, cfg.Training)
	}
	for range eventWorkers {
		e.work.Go(func() {
			for ev := range e.queue {
				e.metrics.waiting.Sub(float64(ev.UIDs.Len()))
				e.handle(e.ctx, ev)
			}
		})
	}
	return e, nil
}

// WantsFlags reports whether a script may run when flags change.
func (e *Events) WantsFlags() bool { return e.flags }

// wants reports whether anything may come of an event.
func (e *Events) wants(ev *Event) bool {
	switch {
	case len(ev.UIDs) == 0:
		return false
	case ev.Cause == causeFlag:
		return e.flags
	}
	return len(e.rules) > 0 || e.own != nil || e.trainer != nil && ev.From != nil
}

// Happened takes an event to be worked on. It never blocks.
func (e *Events) Happened(ev Event) {
	if !e.wants(&ev) {
		return
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	if !e.closed {
		messages := float64(ev.UIDs.Len())
		e.metrics.waiting.Add(messages)
		select {
		case e.queue <- ev:
			return
		default:
			e.metrics.waiting.Sub(messages)
		}
	}
	e.drop(&ev)
}

// drop counts an event that is not worked on.
func (e *Events) drop(ev *Event) {
	e.metrics.dropped.Add(float64(ev.UIDs.Len()))
	e.drops.add(ev.UIDs.Len())
}

// Close ends the work: what waits is done as long as ctx lasts. Nothing is taken any more.
func (e *Events) Close(ctx context.Context) error {
	e.mu.Lock()
	if !e.closed {
		e.closed = true
		close(e.queue)
	}
	e.mu.Unlock()
	done := make(chan struct{})
	go func() {
		e.work.Wait()
		if e.trainer != nil {
			e.trainer.finish()
		}
		close(done)
	}()
	var err error
	select {
	case <-done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	e.cancel()
	<-done
	e.drops.finish()
	return err
}

// handle works on one event.
func (e *Events) handle(ctx context.Context, ev Event) {
	defer e.survive("an IMAP event made its scripts panic")
	if ctx.Err() != nil {
		e.drop(&ev)
		return
	}
	var from, mailbox *metadata.Mailbox
	var scripts *chain
	err := e.persist(ctx, func() (err error) {
		if mailbox, err = e.d.cfg.Metadata.MailboxByID(ctx, ev.Mailbox); err != nil {
			return err
		}
		if ev.From != nil {
			if from, err = e.d.cfg.Metadata.MailboxByID(ctx, *ev.From); err != nil && !mailerr.Is(err, mailerr.NotFound) {
				return err
			}
		}
		scripts, err = e.chain(ctx, from, mailbox)
		return err
	})
	switch {
	case mailerr.Is(err, mailerr.NotFound): // deleted meanwhile
		return
	case err != nil:
		e.failed(ctx, &ev, ev.UIDs.Len(), err)
		return
	}
	if e.trainer != nil && from != nil {
		if class := learnAs(from, mailbox); class != "" {
			e.trainer.add(lesson{ev.Account, ev.Mailbox, ev.UIDs, class})
		}
	}
	if len(scripts.scripts)+len(scripts.broken) > 0 {
		e.runAll(ctx, &ev, mailbox, scripts)
	}
}

// chain returns the scripts of an event.
func (e *Events) chain(ctx context.Context, from, mailbox *metadata.Mailbox) (*chain, error) {
	owner := metadata.AdminScripts(metadata.ScriptsShared, "")
	states, err := e.d.scripts.adminState(ctx, owner)
	if err != nil {
		return nil, err
	}
	c := &chain{shared: states[0].Version}
	seen := map[string]bool{}
	for i := range e.rules {
		r := &e.rules[i]
		if seen[r.Script] || !r.fits(from, mailbox) {
			continue
		}
		seen[r.Script] = true
		sc, err := e.d.scripts.named(ctx, owner, c.shared, r.Script)
		switch {
		case err != nil:
			return nil, err
		case sc == nil:
			e.d.cfg.Log.WarnContext(ctx, "a script for IMAP events does not exist", "script", r.Script)
		case sc.script == nil:
			c.broken = append(c.broken, sc)
		default:
			c.scripts = append(c.scripts, sc)
		}
	}
	if e.own == nil {
		return c, nil
	}
	return c, e.ownScript(ctx, c, mailbox)
}

// persist calls do until it has no trouble with storage, a few times.
func (e *Events) persist(ctx context.Context, do func() error) error {
	pause := e.pause
	for try := 1; ; try++ {
		err := do()
		if err == nil || try == eventTries || mailerr.KindOf(err) != mailerr.Unavailable || ctx.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
			pause *= 2
		}
	}
}

// survive keeps a fault of ours from ending the node.
func (e *Events) survive(what string) {
	if v := recover(); v != nil {
		e.d.cfg.Log.Error(what, "panic", v, "stack", string(debug.Stack()))
	}
}

// failed says that scripts did not run because of trouble of ours.
func (e *Events) failed(ctx context.Context, ev *Event, messages int, err error) {
	e.metrics.messages.WithLabelValues("trouble").Add(float64(messages))
	if !errors.Is(err, context.Canceled) {
		e.d.cfg.Log.ErrorContext(ctx, "what scripts make of an IMAP event was not done", "cause", ev.Cause, "mailbox", ev.Mailbox,
			"messages", messages, "error", err)
	}
}
