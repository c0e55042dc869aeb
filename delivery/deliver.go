package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"time"

	"github.com/rookery-mail/rookery/directory"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/sieve"
)

// Envelope is what is known of a message's transaction.
type Envelope struct {
	From       string // the reverse path, "" for the null one
	ID         string // of the transaction, for the log
	RemoteHost string
	RemoteIP   string
}

// Recipient is one account a message goes to.
type Recipient struct {
	Target directory.Target
	To     string // the forward path, as given in RCPT
	Alone  bool   // the path leads to this account alone: a refusal can be the answer to it

	Body         metadata.BodyID // as in mailstore.Recipient
	Prefix       []byte          // header lines before the message: Return-Path, Delivered-To, Received
	InternalDate time.Time
}

// Plain is the delivery to a recipient that no script has a say in.
func (r *Recipient) Plain() mailstore.Recipient {
	return mailstore.Recipient{Account: r.Target.Account.ID, Body: r.Body, Mailbox: r.Target.Mailbox, Prefix: r.Prefix, InternalDate: r.InternalDate}
}

// Deliver runs the recipients' scripts and carries out what they decide; it ends st. It answers for each recipient by index:
// the errors of mailstore.Deliver, or Permission with the words of a script that refuses the message.
func (d *Deliverer) Deliver(ctx context.Context, st *mailstore.Staged, env Envelope, rcpts []Recipient) []mailstore.Delivered {
	t := &transaction{d: d, st: st, staged: st, env: env, plans: make([]plan, len(rcpts))}
	for i := range rcpts {
		t.plans[i].rcpt = &rcpts[i]
		t.decide(ctx, &t.plans[i])
	}
	t.send(ctx)
	t.store(ctx)
	t.settle(ctx)
	out := make([]mailstore.Delivered, len(rcpts))
	for i := range t.plans {
		out[i] = mailstore.Delivered{UID: t.plans[i].uid, UIDValidity: t.plans[i].validity, Err: t.plans[i].err}
	}
	return out
}

// transaction is one message on its way to all its recipients.
type transaction struct {
	d      *Deliverer
	st     original
	staged *mailstore.Staged // what copies are made of; nil at an IMAP event that makes none
	env    Envelope
	plans  []plan
	event  *happening // nil at a delivery
}

// original is the message that scripts run on.
type original interface {
	Head() []byte // its header, of a huge one the beginning
	Hash() []byte
	Size() int64
	Open(ctx context.Context, owner metadata.AccountID) io.ReaderAt
	Outbound(ctx context.Context, owner metadata.AccountID) (metadata.OutboundBody, *metadata.Pack, error)
}

var _ original = (*mailstore.Staged)(nil)

// plan is what becomes of the message for one recipient.
type plan struct {
	rcpt     *Recipient
	host     *host // nil: no script ran
	copies   []storedCopy
	send     []metadata.Enqueue
	then     []func(ctx context.Context) // for each of send: once it is in the queue; nil for nothing
	duties   []func(ctx context.Context) // once everything is done: what is worth no failure
	settle   []metadata.HandleUse
	err      error
	uid      metadata.UID
	validity metadata.UIDValidity
}

// storedCopy is the message in one mailbox.
type storedCopy struct {
	mailstore.Recipient
	plan    *plan
	message *sieve.Message // nil: as it came
	because sieve.Action   // nil: no script has decided
}

// keepPlain makes the plan of a recipient without scripts, also the last resort of one with a broken script.
func (p *plan) keepPlain() {
	p.copies = append(p.copies, storedCopy{Recipient: p.rcpt.Plain(), plan: p})
}

// decide runs the scripts of one recipient and makes its plan.
func (t *transaction) decide(ctx context.Context, p *plan) {
	c, err := t.d.scripts.chain(ctx, &p.rcpt.Target.Account, t.st.Head())
	if err != nil {
		p.err = err
		return
	}
	for _, b := range c.broken {
		t.d.tell(p, b, b.err.Error())
	}
	if len(c.scripts) == 0 {
		p.keepPlain()
		return
	}
	if result := t.runChain(ctx, p, c, t.claimant(p.rcpt)); result != nil {
		t.plan(ctx, p, result)
	} else if p.err == nil {
		p.keepPlain()
	}
}

// runChain runs the scripts of a chain. There is no result when that was not possible: p.err says why, and is nil when the
// interpreter panicked, which must not cost the message.
func (t *transaction) runChain(ctx context.Context, p *plan, c *chain, claimant string) *sieve.Result {
	p.host = &host{d: t.d, account: &p.rcpt.Target.Account, chain: c, claimant: claimant, used: map[string]*compiled{}}
	run := make([]*sieve.Script, len(c.scripts))
	for i, sc := range c.scripts {
		run[i] = sc.script
		p.host.used[sc.script.Name()] = sc
	}
	began := time.Now()
	result, err := t.run(ctx, p, run)
	t.d.metrics.seconds.Observe(time.Since(began).Seconds())
	var broken *panicked
	switch {
	case errors.As(err, &broken):
		t.d.metrics.runs.WithLabelValues("trouble").Inc()
		t.d.cfg.Log.ErrorContext(ctx, "a script made the interpreter panic, the message was kept", "id", t.env.ID,
			"account", p.rcpt.Target.Account.Address, "panic", broken.value, "stack", string(broken.stack))
		return nil
	case err != nil:
		t.d.metrics.runs.WithLabelValues("trouble").Inc()
		p.err = err
		return nil
	case result.Failure != nil:
		t.d.metrics.runs.WithLabelValues("failed").Inc()
		t.d.fault(p, result.Failure)
	default:
		t.d.metrics.runs.WithLabelValues("done").Inc()
	}
	return result
}

// panicked is a panic in the interpreter: a fault of ours that must not cost the message.
type panicked struct {
	value any
	stack []byte
}

func (e *panicked) Error() string { return fmt.Sprint("panic: ", e.value) }

func (t *transaction) run(ctx context.Context, p *plan, scripts []*sieve.Script) (r *sieve.Result, err error) {
	defer func() {
		if v := recover(); v != nil {
			r, err = nil, &panicked{v, debug.Stack()}
		}
	}()
	size := runSize(t.st.Size())
	if err := t.d.running.Acquire(ctx, size); err != nil {
		return nil, mailerr.Wrap("delivery.Deliver", mailerr.Unavailable, err)
	}
	defer t.d.running.Release(size)
	return sieve.RunAll(ctx, p.host, t.input(ctx, p.rcpt), scripts...)
}

// runningBytes bounds the memory of all scripts that run at once: of many big messages that come together some wait.
const runningBytes = 96 << 20

// runSize is about what scripts that run on a message of a size may hold: texts of it in several forms, up to a limit.
func runSize(message int64) int64 { return 64<<10 + min(4*message, 8<<20) }

// input is the message as the scripts of one recipient see it.
func (t *transaction) input(ctx context.Context, r *Recipient) sieve.Input {
	cfg, a := &t.d.cfg, &r.Target.Account
	in := sieve.Input{
		Message: t.st.Open(ctx, a.ID), Size: t.st.Size(),
		Envelope: sieve.Envelope{From: t.env.From, To: r.To},
		Environment: map[string]string{
			"domain": cfg.Hostname[strings.IndexByte(cfg.Hostname, '.')+1:], "host": cfg.Hostname, "location": "MDA", "name": "Rookery",
			"phase": "during", "remote-host": t.env.RemoteHost, "remote-ip": t.env.RemoteIP, "version": cfg.Version,
		},
		Addresses: []string{a.Address, r.Target.Address},
		Spam:      cfg.Spam.Percent(t.st.Head()),
		Virus:     Virus(t.st.Head(), cfg.Verdicts),
		Delimiter: cmp.Or(r.Target.Delimiter, sieve.NoDelimiter),
	}
	if t.event != nil {
		t.event.input(&in)
	}
	return in
}

// claimant is the same when the MTA tries again; see the package comment.
func (t *transaction) claimant(r *Recipient) string {
	nonce := ""
	if !hasField(t.st.Head(), "Received") {
		nonce = metadata.NewOutboundID().String()
	}
	id := digest("delivery", string(t.st.Hash()), t.env.From, string(r.Target.Account.ID[:]), r.Target.Address, nonce)
	return metadata.OutboundID(id).String()
}

// send puts what all plans send into the queue, in one transaction.
func (t *transaction) send(ctx context.Context) {
	var items []metadata.Enqueue
	for i := range t.plans {
		if p := &t.plans[i]; p.err == nil {
			items = append(items, p.send...)
		}
	}
	if len(items) == 0 {
		return
	}
	queued, err := t.d.cfg.Queue.Enqueue(ctx, items)
	for i := range t.plans {
		p := &t.plans[i]
		if p.err != nil || len(p.send) == 0 {
			continue
		}
		if err != nil {
			p.err = err
			continue
		}
		for k, then := range p.then {
			if then != nil && queued[k] {
				p.duties = append(p.duties, then)
			}
		}
		queued = queued[len(p.send):]
	}
}

// store stores the copies of all plans: those of the message as it came in one go, edited ones by themselves.
func (t *transaction) store(ctx context.Context) {
	var whole []*storedCopy
	for i := range t.plans {
		p := &t.plans[i]
		for k := range p.copies {
			if c := &p.copies[k]; p.err == nil && c.message == nil {
				whole = append(whole, c)
			}
		}
	}
	edited := t.stageEdited(ctx) // before Deliver ends what they are made of
	if len(whole) == 0 {
		if t.staged != nil {
			t.staged.Discard()
		}
	} else {
		t.storeCopies(ctx, t.staged, whole)
	}
	for _, e := range edited {
		if e.copies[0].plan.err != nil {
			e.st.Discard()
			continue
		}
		t.storeCopies(ctx, e.st, e.copies)
	}
}

// storeCopies stores a message, which ends st.
func (t *transaction) storeCopies(ctx context.Context, st *mailstore.Staged, copies []*storedCopy) {
	rcpts := make([]mailstore.Recipient, len(copies))
	for i, c := range copies {
		rcpts[i] = c.Recipient
	}
	for i, res := range deliver(ctx, t.d.cfg.Store, st, rcpts) {
		t.stored(copies[i], res)
	}
}

// editedMessage is a message that one recipient's scripts have changed, for some of its mailboxes.
type editedMessage struct {
	message *sieve.Message
	st      *mailstore.Staged
	copies  []*storedCopy // of one plan
}

// stageEdited stages every edited message once.
func (t *transaction) stageEdited(ctx context.Context) (edited []editedMessage) {
	for i := range t.plans {
		p := &t.plans[i]
		first := len(edited)
	copies:
		for k := range p.copies {
			c := &p.copies[k]
			if p.err != nil || c.message == nil {
				continue
			}
			for e := first; e < len(edited); e++ {
				if edited[e].message == c.message {
					edited[e].copies = append(edited[e].copies, c)
					continue copies
				}
			}
			st, err := t.d.cfg.Store.Stage(ctx, c.message.Reader(), 0)
			if err != nil {
				p.err = internal(err)
				continue
			}
			edited = append(edited, editedMessage{c.message, st, []*storedCopy{c}})
		}
	}
	return edited
}

// deliver has a result for each recipient whatever the store returns.
func deliver(ctx context.Context, s Store, st *mailstore.Staged, rcpts []mailstore.Recipient) []mailstore.Delivered {
	out := s.Deliver(ctx, st, rcpts)
	for len(out) < len(rcpts) {
		out = append(out, mailstore.Delivered{Err: errors.New("delivery: the store gave no result")})
	}
	return out
}

// internal is an error as one of package mailerr: a reader that failed is no client's here.
func internal(err error) error {
	var me *mailerr.Error
	if errors.As(err, &me) {
		return err
	}
	return mailerr.Wrap("delivery.Deliver", mailerr.Unavailable, err)
}

// stored takes the result of one copy: the first error counts, or the first UID.
func (t *transaction) stored(c *storedCopy, res mailstore.Delivered) {
	p := c.plan
	switch {
	case res.Err != nil && p.err == nil:
		p.err = res.Err
	case res.Err == nil && p.uid == 0:
		p.uid, p.validity = res.UID, res.UIDValidity
	}
	if res.Err == nil && res.Instead != nil {
		t.displaced(p, c.because, res.Instead)
	}
}

// settle ends claims and does what is left, for the recipients that have their message.
func (t *transaction) settle(ctx context.Context) {
	for i := range t.plans {
		p := &t.plans[i]
		if p.err != nil {
			continue
		}
		if len(p.settle) > 0 {
			if err := t.d.cfg.Metadata.SettleHandles(ctx, p.rcpt.Target.Account.ID, p.settle); err != nil {
				// Claimed they are; a duplicate may come through later. To refuse a message that is stored would make one now.
				t.d.cfg.Log.WarnContext(ctx, "what a script remembers was not settled", "id", t.env.ID, "error", err)
			}
		}
		for k := 0; k < len(p.duties); k++ { // a duty may add others
			p.duties[k](ctx)
		}
	}
}
