package delivery

import (
	"context"
	"crypto/sha256"
	"strings"
	"time"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/sieve"
)

// host answers what the scripts of one recipient ask.
type host struct {
	sieve.NoHost
	d        *Deliverer
	account  *metadata.Account
	chain    *chain
	claimant string

	mailboxes []metadata.Mailbox // of the account; nil until they are needed
	used      map[string]*compiled
}

var _ sieve.Host = (*host)(nil)

// claimTTL bounds a claim that nobody settles: the MTA has tried again by then or never will under this claimant.
const claimTTL = 6 * time.Hour

// Now implements sieve.Host.
func (h *host) Now() time.Time { return h.d.cfg.Now() }

// list returns the account's mailboxes, read once.
func (h *host) list(ctx context.Context) ([]metadata.Mailbox, error) {
	if h.mailboxes == nil {
		list, err := h.d.cfg.Metadata.Mailboxes(ctx, h.account.ID)
		if err != nil {
			return nil, err
		}
		h.mailboxes = list
	}
	return h.mailboxes, nil
}

// find returns the first mailbox that fits, nil for none.
func (h *host) find(ctx context.Context, fits func(*metadata.Mailbox) bool) (*metadata.Mailbox, error) {
	list, err := h.list(ctx)
	for i := range list {
		if fits(&list[i]) {
			return &list[i], nil
		}
	}
	return nil, err
}

func byName(name string) func(*metadata.Mailbox) bool {
	return func(m *metadata.Mailbox) bool {
		return m.Name == name || strings.EqualFold(name, "INBOX") && m.Name == "INBOX"
	}
}

func byID(id string) func(*metadata.Mailbox) bool {
	return func(m *metadata.Mailbox) bool { return m.ID.String() == id }
}

func byUse(use string) func(*metadata.Mailbox) bool {
	return func(m *metadata.Mailbox) bool {
		for _, u := range strings.Fields(m.SpecialUse) {
			if strings.EqualFold(u, use) {
				return true
			}
		}
		return false
	}
}

// named returns the mailbox of a name, not ok if there is none into which the account may put messages.
func (h *host) named(ctx context.Context, name string) (to into, ok bool, err error) {
	if !mailstore.Foreign(name) {
		return h.own(ctx, byName(name))
	}
	return foreign(h.d.cfg.Store.User(h.account.ID).Destination(ctx, name))
}

// withID is named by MAILBOXID.
func (h *host) withID(ctx context.Context, id string) (to into, ok bool, err error) {
	if to, ok, err = h.own(ctx, byID(id)); ok || err != nil {
		return to, ok, err
	}
	return foreign(h.d.cfg.Store.User(h.account.ID).DestinationByID(ctx, id))
}

// withUse is named by special use: others' mailboxes have none.
func (h *host) withUse(ctx context.Context, use string) (to into, ok bool, err error) {
	return h.own(ctx, byUse(use))
}

// into is a mailbox of the account's, or of somebody else's into which it may put messages; with neither it is INBOX.
type into struct {
	own    metadata.MailboxID
	shared *mailstore.Destination
}

func (h *host) own(ctx context.Context, fits func(*metadata.Mailbox) bool) (into, bool, error) {
	m, err := h.find(ctx, fits)
	if m == nil {
		return into{}, false, err
	}
	return into{own: m.ID}, true, nil
}

func foreign(to *mailstore.Destination, err error) (into, bool, error) {
	if kind := mailerr.KindOf(err); err != nil && (kind == mailerr.NotFound || kind == mailerr.Permission) {
		return into{}, false, nil
	}
	return into{shared: to}, err == nil, err
}

// MailboxExists implements sieve.Host.
func (h *host) MailboxExists(ctx context.Context, name string) (bool, error) {
	_, ok, err := h.named(ctx, name)
	return ok, err
}

// MailboxIDExists implements sieve.Host.
func (h *host) MailboxIDExists(ctx context.Context, id string) (bool, error) {
	_, ok, err := h.withID(ctx, id)
	return ok, err
}

// SpecialUseExists implements sieve.Host.
func (h *host) SpecialUseExists(ctx context.Context, mailbox, use string) (bool, error) {
	m, err := h.find(ctx, func(m *metadata.Mailbox) bool { return byUse(use)(m) && (mailbox == "" || byName(mailbox)(m)) })
	return m != nil, err
}

// Metadata implements sieve.Host: what the user may not read is not there.
func (h *host) Metadata(ctx context.Context, mailbox, annotation string) (value string, ok bool, err error) {
	b, err := h.d.cfg.Store.User(h.account.ID).Annotation(ctx, mailbox, annotation)
	return string(b), b != nil, err
}

// Duplicate implements sieve.Host. The question claims the id, so that of two deliveries at once only one is first; the claim
// is this delivery's until it is settled.
func (h *host) Duplicate(ctx context.Context, id sieve.DuplicateID) (bool, error) {
	first, err := h.d.cfg.Metadata.ClaimHandle(ctx, h.account.ID, duplicateHandle(id), h.claimant, claimTTL)
	return !first, err
}

func duplicateHandle(id sieve.DuplicateID) metadata.Handle {
	return handle("duplicate", id.Handle, id.Value)
}

// handle hashes what an account does once.
func handle(parts ...string) metadata.Handle { return metadata.Handle(digest(parts...)) }

// digest is 16 bytes that differ when any part does.
func digest(parts ...string) [16]byte {
	h := sha256.New()
	for _, p := range parts {
		n := len(p)
		h.Write([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
		h.Write([]byte(p))
	}
	return [16]byte(h.Sum(nil)[:16])
}

// Include implements sieve.Host.
func (h *host) Include(ctx context.Context, location sieve.IncludeLocation, name string) (*sieve.Script, error) {
	owner, version := metadata.AccountScripts(h.account.ID), h.account.Scripts.Version
	if location == sieve.IncludeGlobal {
		owner, version = metadata.AdminScripts(metadata.ScriptsShared, ""), h.chain.shared
	}
	c, err := h.d.scripts.named(ctx, owner, version, name)
	if err != nil || c == nil {
		return nil, err
	}
	h.used[runName(owner, name)] = c
	return c.script, c.err
}
