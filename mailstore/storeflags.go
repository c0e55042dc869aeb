package mailstore

import (
	"context"
	"slices"
	"strings"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// StoreFlagsRequest is a STORE in this session's mailbox.
type StoreFlagsRequest struct {
	UIDs           metadata.UIDSet
	Op             metadata.FlagOp
	Flags          metadata.Flags
	Keywords       []string
	UnchangedSince *metadata.ModSeq

	keepFlags    metadata.Flags // what the user has no right to change
	keepKeywords bool
}

// forbidden reports whether the user may change nothing of what is to be changed. With a right to some of it, that is done
// and the rest passed over (RFC 4314 section 4).
func (req *StoreFlagsRequest) forbidden() bool {
	if req.Op == metadata.FlagsReplace {
		return req.keepKeywords && req.keepFlags == ^metadata.Flags(0)
	}
	asked := req.Flags != 0 || len(req.Keywords) > 0
	return asked && req.Flags&^req.keepFlags == 0 && (req.keepKeywords || len(req.Keywords) == 0)
}

// StoreFlags changes flags of messages the session knows. The changes are not reported again by Sync to this session; the
// caller tells its client from the result. Only where somebody else changed the same message meanwhile, so that a silent
// STORE would leave the client with wrong flags, Sync does report it. Flags that the user has no right to change stay as
// they are. Permission when opened ReadOnly or when there is no right to any of them, Invalid or Limit for keywords, NotFound
// when the mailbox is gone.
func (sel *Selected) StoreFlags(ctx context.Context, req StoreFlagsRequest) (*metadata.StoreResult, error) {
	const op = "mailstore.StoreFlags"
	if err := sel.mayChange(op); err != nil {
		return nil, err
	}
	if err := checkKeywords(op, req.Keywords); err != nil {
		return nil, err
	}
	rights, err := sel.rightsNow(ctx, op)
	if err != nil {
		return nil, wrap(op, err)
	}
	req.keepFlags, req.keepKeywords = flagRights(rights)
	if req.forbidden() {
		return nil, errRights(op)
	}
	uids := intersect(req.UIDs, sel.uids)
	before, err := sel.rows(ctx)
	if err != nil {
		return nil, wrap(op, err)
	}
	if before.gone {
		return nil, errGone(op)
	}
	if len(uids) == 0 {
		return &metadata.StoreResult{ModSeq: before.modseq()}, nil
	}
	res, err := sel.view.store.meta.StoreFlags(ctx, metadata.StoreFlags{
		Account:        sel.view.account,
		Mailbox:        sel.view.id,
		UIDs:           uids,
		Op:             req.Op,
		Flags:          req.Flags,
		Keywords:       req.Keywords,
		UnchangedSince: req.UnchangedSince,
		KeepFlags:      req.keepFlags,
		KeepKeywords:   req.keepKeywords,
	})
	if err != nil {
		return nil, wrap(op, err)
	}
	if len(res.Changed) == 0 {
		return res, nil
	}
	if sel.told == nil {
		sel.told = make(map[metadata.UID]metadata.ModSeq, len(res.Changed))
	}
	for i := range res.Changed {
		if m := &res.Changed[i]; sel.expected(before, &req, m) {
			sel.told[m.UID] = m.ModSeq
		} else {
			delete(sel.told, m.UID)
		}
	}
	sel.committed(res.ModSeq)
	sel.view.store.publish(hintOf(sel.view.account, sel.view.id, res.ModSeq))
	return res, nil
}

// expected reports whether a client that knows what it was told, and what it asked for, knows what the message has become.
func (sel *Selected) expected(before *state, req *StoreFlagsRequest, m *metadata.Message) bool {
	r := findRow(before.pages, m.UID)
	if r == nil || r.modseq > sel.pos && sel.told[r.uid] != r.modseq {
		return false
	}
	flags, keywords := applied(req, r.flags, before.keywords[r.keywords])
	if flags != m.Flags {
		return false
	}
	have := strings.Fields(strings.ToLower(m.Keywords))
	slices.Sort(have)
	return keywords == strings.Join(have, " ")
}

// committed remembers that this session changed its mailbox: whatever it does next sees that.
func (sel *Selected) committed(modseq metadata.ModSeq) { sel.wrote = max(sel.wrote, modseq) }

func (sel *Selected) mayChange(op string) error {
	if sel.mode != ReadWrite {
		return mailerr.New(op, mailerr.Permission, "the mailbox is open read-only")
	}
	return nil
}
