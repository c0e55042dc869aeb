package imapd

import (
	"context"

	"github.com/rookery-mail/rookery/mailerr"
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
		// RFC 4314 section 4: without the right to, nothing is removed, and that is no error. Nor is it one that the mailbox is
		// gone, or may not be read any more: the client is about to leave it.
		_, err := s.sel.Expunge(ctx, nil)
		if err != nil && !mailerr.Is(err, mailerr.Permission) && !mailerr.Is(err, mailerr.NotFound) {
			return err
		}
	}
	s.unselect()
	return nil
}
