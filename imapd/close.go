package imapd

import (
	"context"

	"github.com/rookery-mail/rookery/mailstore"
)

var closeCommand = command{
	name:   "CLOSE",
	states: selected,
	sync:   syncNone,
	parse:  noArguments(closeMailbox{}),
}

// closeMailbox is CLOSE (RFC 3501 section 6.4.2): EXPUNGE without a word, then UNSELECT. When the messages cannot be removed, the
// mailbox stays selected.
type closeMailbox struct{}

func (closeMailbox) run(ctx context.Context, s *session) error {
	if s.sel.Mode() == mailstore.ReadWrite {
		if _, err := s.sel.Expunge(ctx, nil); err != nil {
			return err
		}
	}
	s.unselect()
	return nil
}
