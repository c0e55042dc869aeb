package delivery

import (
	"context"
	"sync"
	"time"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// scriptEntry is the annotation that names the script of a mailbox, or of all that have none (RFC 6785 section 2.3.1).
const scriptEntry = "/shared/imapsieve/script"

// maxMailboxScripts bounds how many mailboxes' scripts are remembered.
const maxMailboxScripts = 20_000

// mailboxScripts remembers which script a mailbox has, for as long as the administrator's are: a client that sets many flags
// makes many events.
type mailboxScripts struct {
	cfg *Config

	mu    sync.Mutex
	known map[metadata.MailboxID]mailboxScript // guarded by mu
}

type mailboxScript struct {
	name string // "": none
	read time.Time
}

// name returns the name of a mailbox's script, "" for none. A mailbox's own annotation counts, also when it is empty, before the
// server's.
func (s *mailboxScripts) name(ctx context.Context, mailbox *metadata.Mailbox) (string, error) {
	now := s.cfg.Now()
	s.mu.Lock()
	known, ok := s.known[mailbox.ID]
	s.mu.Unlock()
	if ok && now.Sub(known.read) < s.cfg.AdminAge {
		return known.name, nil
	}
	list, err := s.cfg.Metadata.Annotations(ctx, metadata.AnnotationQuery{Account: mailbox.Account,
		Mailboxes: []metadata.MailboxID{metadata.ServerAnnotations, mailbox.ID}, Entries: []string{scriptEntry}, MaxSize: metadata.MaxScriptName})
	if err != nil {
		return "", err
	}
	name := ""
	for i := range list {
		name = string(list[i].Value)
		if list[i].Mailbox == mailbox.ID {
			break
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil || len(s.known) >= maxMailboxScripts {
		s.known = map[metadata.MailboxID]mailboxScript{}
	}
	s.known[mailbox.ID] = mailboxScript{name, now}
	return name, nil
}

// ownScript adds the mailbox's script to a chain: one of its owner's. A name that is no script's is none (RFC 6785 section 2.3.1).
func (e *Events) ownScript(ctx context.Context, c *chain, mailbox *metadata.Mailbox) error {
	name, err := e.own.name(ctx, mailbox)
	if err != nil || name == "" {
		return err
	}
	account, err := e.d.cfg.Metadata.Account(ctx, mailbox.Account)
	if mailerr.Is(err, mailerr.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	sc, err := e.d.scripts.named(ctx, metadata.AccountScripts(account.ID), account.Scripts.Version, name)
	switch {
	case err != nil || sc == nil:
		return err
	case sc.script == nil:
		c.broken = append(c.broken, sc)
	default:
		c.scripts = append(c.scripts, sc)
	}
	return nil
}
