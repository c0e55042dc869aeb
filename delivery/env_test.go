package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/rookery-mail/rookery/blobstore/filestore"
	"github.com/rookery-mail/rookery/delivery"
	"github.com/rookery-mail/rookery/directory"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/sqlstore"
	"github.com/rookery-mail/rookery/notify"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// env is a database and a mail store for any number of nodes.
type env struct {
	*testing.T
	meta  metadata.Store
	store *mailstore.Store
	dir   *directory.Local
	node  *delivery.Deliverer
	now   time.Time
}

func newEnv(t *testing.T) *env {
	t.Helper()
	e := &env{T: t, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	var err error
	if e.meta, err = sqlstore.Open(t.Context(), sqlstore.Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "m.sqlite")}); err != nil {
		t.Fatal(err)
	}
	e.must(e.meta.Migrate(t.Context()))
	blobs, err := filestore.Open(t.TempDir())
	e.must(err)
	hints := notify.NewLocal()
	e.store, err = mailstore.New(mailstore.Config{Metadata: e.meta, Blobs: blobs, Notify: hints})
	e.must(err)
	t.Cleanup(func() {
		for _, err := range []error{e.store.Close(context.Background()), hints.Close(), blobs.Close(), e.meta.Close()} {
			if err != nil {
				t.Error(err)
			}
		}
	})
	e.dir, err = directory.New(directory.Options{Metadata: e.meta, DefaultDomain: "example.org", Delimiter: "+"})
	e.must(err)
	e.node = e.newNode(nil)
	return e
}

// newNode returns another node; change edits its configuration.
func (e *env) newNode(change func(*delivery.Config)) *delivery.Deliverer {
	e.Helper()
	cfg := delivery.Config{Store: e.store, Metadata: e.meta, Queue: &queue{meta: e.meta, sends: true}, Hostname: "node.example.org",
		AdminAge: time.Nanosecond, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	if change != nil {
		change(&cfg)
	}
	d, err := delivery.New(cfg)
	e.must(err)
	return d
}

// queue is the queue without its workers.
type queue struct {
	meta  metadata.Store
	sends bool
	fail  error
}

func (q *queue) Sends() bool { return q.sends }

func (q *queue) Enqueue(ctx context.Context, items []metadata.Enqueue) ([]bool, error) {
	if q.fail != nil {
		return nil, q.fail
	}
	return q.meta.Enqueue(ctx, items)
}

func (e *env) must(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

// account makes an account, with an active script unless it is "".
func (e *env) account(address, script string) metadata.AccountID {
	e.Helper()
	a, err := e.dir.AddAccount(e.Context(), address, "password of "+address)
	e.must(err)
	if script != "" {
		e.script(metadata.AccountScripts(a.ID), "main", script)
	}
	return a.ID
}

// script stores a script and makes it active.
func (e *env) script(owner metadata.ScriptOwner, name, source string) {
	e.Helper()
	e.must(e.meta.PutScript(e.Context(), owner, name, source, metadata.ScriptLimits{}))
	e.must(e.meta.ActivateScript(e.Context(), owner, name))
}

// deliver delivers a message to addresses by way of a node and returns the error of each.
func (e *env) deliver(d *delivery.Deliverer, from, text string, to ...string) []error {
	e.Helper()
	st, err := e.store.Stage(e.Context(), strings.NewReader(text), 0)
	e.must(err)
	var rcpts []delivery.Recipient
	for _, address := range to {
		targets, err := e.dir.Resolve(e.Context(), address)
		e.must(err)
		for _, t := range targets {
			rcpts = append(rcpts, delivery.Recipient{Target: t, To: address, Alone: len(targets) == 1,
				Prefix: []byte("Return-Path: <" + from + ">\r\nDelivered-To: " + address + "\r\nReceived: from a by b\r\n")})
		}
	}
	var errs []error
	for _, res := range d.Deliver(e.Context(), st, delivery.Envelope{From: from, ID: "t"}, rcpts) {
		errs = append(errs, res.Err)
	}
	return errs
}

// send delivers and wants no error.
func (e *env) send(text string, to ...string) {
	e.Helper()
	for _, err := range e.deliver(e.node, "sender@example.net", text, to...) {
		e.must(err)
	}
}

// content lists what an account has: "MAILBOX: subject flags; ...", mailboxes without messages left out.
func (e *env) content(id metadata.AccountID) string {
	e.Helper()
	boxes, err := e.meta.Mailboxes(e.Context(), id)
	e.must(err)
	var out []string
	for _, b := range boxes {
		_, msgs, err := e.meta.LoadMailbox(e.Context(), b.ID)
		e.must(err)
		var list []string
		for _, m := range msgs {
			text := e.text(id, b.Name, m.UID)
			_, subject, _ := strings.Cut(text, "Subject: ")
			subject, _, _ = strings.Cut(subject, "\r\n")
			list = append(list, strings.TrimSpace(fmt.Sprintf("%s %s", subject, flagText(m))))
		}
		if len(list) > 0 {
			out = append(out, b.Name+": "+strings.Join(list, ", "))
		}
	}
	return strings.Join(out, "; ")
}

func flagText(m metadata.Message) string {
	var out []string
	if m.Flags&metadata.FlagDeleted != 0 {
		out = append(out, "(deleted)")
	}
	if m.Flags&metadata.FlagSeen != 0 {
		out = append(out, "(seen)")
	}
	if m.Flags&metadata.FlagFlagged != 0 {
		out = append(out, "(flagged)")
	}
	if m.Keywords != "" {
		out = append(out, "["+m.Keywords+"]")
	}
	return strings.Join(out, "")
}

// text returns BODY[] of a message.
func (e *env) text(id metadata.AccountID, mailbox string, uid metadata.UID) string {
	e.Helper()
	sel, err := e.store.User(id).Open(e.Context(), mailbox, mailstore.ReadOnly)
	e.must(err)
	defer sel.Close()
	var body metadata.BodyID
	e.must(sel.Messages(e.Context(), metadata.UIDSetOf(uid), func(_ mailstore.SeqNum, m *metadata.Message, _ bool) bool {
		body = m.Body
		return true
	}))
	rows, err := sel.Bodies(e.Context(), []metadata.BodyID{body})
	e.must(err)
	r := sel.OpenBody(rows[body])
	p := make([]byte, r.Size())
	if _, err := r.ReadAt(e.Context(), p, 0); err != nil && !errors.Is(err, io.EOF) {
		e.Fatal(err)
	}
	return string(p)
}

func (e *env) wantContent(id metadata.AccountID, want string) {
	e.Helper()
	if got := e.content(id); got != want {
		e.Errorf("the account has %q, want %q", got, want)
	}
}

// items returns what waits in the queue, by recipient.
func (e *env) items() []metadata.OutboundItem {
	e.Helper()
	items, err := e.meta.ClaimOutbound(e.Context(), "test", -time.Second, 1000)
	e.must(err)
	sort.Slice(items, func(i, j int) bool { return items[i].To < items[j].To })
	return items
}

func (e *env) outgoing(it *metadata.OutboundItem) string {
	e.Helper()
	b, err := io.ReadAll(e.store.OpenOutbound(e.Context(), &it.Body))
	e.must(err)
	return string(b)
}

// mail is a message as an MTA hands it over.
func mail(subject string, fields ...string) string {
	return "Received: from x by y id " + subject + "\r\nFrom: Sender <sender@example.net>\r\nTo: user@example.org\r\nSubject: " + subject + "\r\n" +
		strings.Join(append(fields, ""), "\r\n") + "\r\nHello.\r\n"
}
