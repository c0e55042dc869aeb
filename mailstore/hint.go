package mailstore

import (
	"context"
	"math"
	"time"

	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/notify"
)

// publishTimeout is how long an answer waits for its hint. A hint that is lost costs others a poll interval, no more.
const publishTimeout = 500 * time.Millisecond

// deletedModSeq is hinted for a mailbox that was deleted: above every MODSEQ, so everybody looks.
const deletedModSeq = math.MaxInt64

// publish tells this node's views and all nodes what was committed.
func (s *Store) publish(hints ...notify.Hint) {
	if len(hints) == 0 {
		return
	}
	healthy := s.cfg.Notify.Healthy()
	for _, h := range hints {
		s.views.hint(metadata.MailboxID(h.Mailbox), metadata.ModSeq(h.ModSeq))
		if !healthy { // else it comes back by Publish
			s.watches.hint(h)
		}
	}
	ctx, cancel := context.WithTimeout(s.ctx, publishTimeout)
	defer cancel()
	s.cfg.Notify.Publish(ctx, hints...)
}

func hintOf(account metadata.AccountID, mailbox metadata.MailboxID, modseq metadata.ModSeq) notify.Hint {
	return notify.Hint{Account: account, Mailbox: mailbox, ModSeq: uint64(modseq)}
}

// listHint says that the account's list of mailboxes changed.
func listHint(account metadata.AccountID) notify.Hint { return notify.Hint{Account: account} }

// everybody is the account of hints that are for all who watch annotations: those that the server shares changed.
var everybody metadata.AccountID

// hintsFor is hintOf, or nothing for a mailbox that did not change.
func hintsFor(account metadata.AccountID, mailbox metadata.MailboxID, modseq metadata.ModSeq) []notify.Hint {
	if modseq == 0 {
		return nil
	}
	return []notify.Hint{hintOf(account, mailbox, modseq)}
}
