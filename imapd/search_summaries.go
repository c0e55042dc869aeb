package imapd

import (
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/message"
	"github.com/rookery-mail/rookery/metadata"
)

// summaries calls yield for the messages found, in the order of the mailbox, until it fails: with their rows, and with what
// is known of their bodies if that is wanted. Those that no longer exist are passed over. Bodies are not read, but for those
// with a summary of an unknown version.
func (r *searchRun) summaries(wanted bool, yield func(searchHit, *metadata.Message, *message.Structure) error) error {
	uids := make([]metadata.UID, len(r.hits))
	for i := range r.hits {
		uids[i] = r.hits[i].uid
	}
	all := metadata.UIDSetOf(uids...)
	if !wanted {
		return r.rowsOf(all, func(h searchHit, m *metadata.Message) error { return yield(h, m, nil) })
	}
	hits := make([]searchHit, 0, fetchWindow)
	rows := make([]*metadata.Message, 0, fetchWindow)
	for window := range windows(all, fetchWindow) {
		hits, rows = hits[:0], rows[:0]
		err := r.rowsOf(window, func(h searchHit, m *metadata.Message) error {
			hits, rows = append(hits, h), append(rows, m)
			return nil
		})
		if err != nil {
			return err
		}
		bodies, err := r.bodies(rows)
		if err != nil {
			return err
		}
		for i, m := range rows {
			b := bodies[m.Body]
			if b == nil {
				r.gone = true
				continue
			}
			body := openBody(r.sel, b)
			if err := body.scan(r.ctx); err != nil {
				if err := r.damaged(m, err); err != nil {
					return err
				}
				body.structure = &message.Structure{} // it is found, and says nothing
			}
			if err := yield(hits[i], m, body.structure); err != nil {
				return err
			}
		}
	}
	return nil
}

// rowsOf calls yield for messages that still exist, until it fails.
func (r *searchRun) rowsOf(uids metadata.UIDSet, yield func(searchHit, *metadata.Message) error) error {
	var failed error
	err := r.sel.Messages(r.ctx, uids, func(seq mailstore.SeqNum, m *metadata.Message, gone bool) bool {
		if gone {
			r.gone = true
			return true
		}
		failed = yield(searchHit{seq, m.UID, m.ModSeq}, m)
		return failed == nil
	})
	if failed != nil {
		return failed
	}
	return err
}

// bodies returns the body rows of some messages.
func (r *searchRun) bodies(rows []*metadata.Message) (map[metadata.BodyID]*metadata.Body, error) {
	ids := make([]metadata.BodyID, len(rows))
	for i, m := range rows {
		ids[i] = m.Body
	}
	var bodies map[metadata.BodyID]*metadata.Body
	err := r.away(func() (err error) {
		bodies, err = r.sel.Bodies(r.ctx, ids)
		return err
	})
	return bodies, err
}
