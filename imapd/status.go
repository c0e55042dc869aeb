package imapd

import (
	"context"
	"slices"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

var statusCommand = command{
	name:   "STATUS",
	order:  beside(mailboxes, 0),
	own:    true,
	states: loggedIn,
	parse:  parseStatus,
}

// status is STATUS (RFC 3501 section 6.3.10), with the items of RFC 7162 (HIGHESTMODSEQ), RFC 8438 (SIZE), RFC 9051 (DELETED),
// RFC 7889 (APPENDLIMIT) and RFC 9208 (DELETED-STORAGE).
type status struct {
	name  string
	items []string
}

func parseStatus(p *wire.Parser) (runner, error) {
	cmd := &status{}
	if err := p.SP(); err != nil {
		return nil, err
	}
	var err error
	if cmd.name, err = p.Mailbox(); err != nil {
		return nil, err
	}
	if err := p.SP(); err != nil {
		return nil, err
	}
	if cmd.items, err = parseStatusItems(p); err != nil {
		return nil, err
	}
	return cmd, p.End()
}

// parseStatusItems reads "(" items ")", each item once.
func parseStatusItems(p *wire.Parser) ([]string, error) {
	var items []string
	seen := make(map[string]bool)
	err := p.List(func() error {
		item, err := p.Keyword()
		if err != nil {
			return err
		}
		switch item {
		case "MESSAGES", "RECENT", "UIDNEXT", "UIDVALIDITY", "UNSEEN", "DELETED", "SIZE", "HIGHESTMODSEQ", "APPENDLIMIT", "MAILBOXID",
			"DELETED-STORAGE":
		default:
			return bad("Unknown STATUS item")
		}
		if !seen[item] {
			seen[item] = true
			items = append(items, item)
		}
		return nil
	})
	if err == nil && len(items) == 0 {
		return nil, bad("No STATUS items")
	}
	return items, err
}

func (cmd *status) run(ctx context.Context, s *session) error {
	var m *metadata.Mailbox
	var deleted int64
	user := s.user
	err := s.away(func() (err error) {
		if m, err = user.Mailbox(ctx, cmd.name); err == nil {
			deleted, err = deletedStorage(ctx, user, m, cmd.items)
		}
		return err
	})
	if err != nil {
		return err
	}
	s.writeStatus(m, cmd.items, deleted)
	return nil
}

// deletedStorage returns what DELETED-STORAGE is, if it is among the items: it takes a look at the mailbox's messages.
func deletedStorage(ctx context.Context, user *mailstore.User, m *metadata.Mailbox, items []string) (int64, error) {
	if !slices.Contains(items, "DELETED-STORAGE") {
		return 0, nil
	}
	return user.DeletedBytes(ctx, m)
}

// writeStatus writes the STATUS response; deleted is from deletedStorage. Asking for HIGHESTMODSEQ shows that the client knows CONDSTORE.
func (s *session) writeStatus(m *metadata.Mailbox, items []string, deleted int64) {
	for _, item := range items {
		if item == "HIGHESTMODSEQ" {
			s.enableCondstore()
		}
	}
	s.w.Raw("* STATUS ").Mailbox(m.Name).Raw(" (")
	for i, item := range items {
		if i > 0 {
			s.w.SP()
		}
		switch item {
		case "MAILBOXID":
			s.w.Raw(mailboxIDCode(m.ID))
		case "DELETED-STORAGE":
			s.w.Raw(item).SP().Number(uint64(deleted))
		default:
			s.w.Raw(item).SP().Number(statusValue(s, m, item))
		}
	}
	s.w.Raw(")\r\n")
}

func statusValue(s *session, m *metadata.Mailbox, item string) uint64 {
	switch item {
	case "MESSAGES":
		return uint64(m.Messages)
	case "RECENT":
		// Those not announced yet. Some of them may be gone again: then this is too many, by no more than that.
		if m.FirstRecent >= m.UIDNext {
			return 0
		}
		return min(uint64(m.UIDNext-m.FirstRecent), uint64(m.Messages))
	case "UIDNEXT":
		return uint64(m.UIDNext)
	case "UIDVALIDITY":
		return uint64(m.UIDValidity)
	case "UNSEEN":
		return uint64(m.Unseen)
	case "DELETED":
		return uint64(m.Deleted)
	case "SIZE":
		return uint64(m.Size)
	case "HIGHESTMODSEQ":
		return uint64(m.HighestModSeq)
	default: // APPENDLIMIT
		return uint64(s.srv.cfg.MaxMessageBytes)
	}
}
