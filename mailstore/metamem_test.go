package mailstore_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// memory is metadata in memory: the contract in its simplest form.
type memory struct {
	metadata.Store // what is not implemented panics
	mu             sync.Mutex
	accounts       map[metadata.AccountID]*metadata.Account
	mailboxes      map[metadata.MailboxID]*memoryMailbox
	bodies         map[metadata.BodyID]metadata.Body
	packs          map[metadata.PackID]metadata.Pack
	subs           map[metadata.AccountID][]string
	validity       metadata.UIDValidity
}

type memoryMailbox struct {
	row      metadata.Mailbox
	msgs     []metadata.Message
	expunged map[metadata.UID]metadata.ModSeq
}

func newMemory() *memory {
	return &memory{
		accounts: map[metadata.AccountID]*metadata.Account{}, mailboxes: map[metadata.MailboxID]*memoryMailbox{},
		bodies: map[metadata.BodyID]metadata.Body{}, packs: map[metadata.PackID]metadata.Pack{}, subs: map[metadata.AccountID][]string{},
	}
}

func (m *memory) notFound() error { return mailerr.New("memory", mailerr.NotFound, "") }

func (m *memory) Ping(context.Context) error { return nil }
func (m *memory) Close() error               { return nil }

func (m *memory) CreateAccounts(ctx context.Context, accounts []metadata.NewAccount) ([]error, error) {
	for _, a := range accounts {
		m.mu.Lock()
		m.accounts[a.ID] = &metadata.Account{ID: a.ID, Address: a.Address, ModSeq: 1, QuotaBytes: a.QuotaBytes, QuotaMessages: a.QuotaMessages}
		m.mu.Unlock()
		for _, mb := range a.Mailboxes {
			if _, err := m.CreateMailbox(ctx, a.ID, mb, 0); err != nil {
				return nil, err
			}
		}
	}
	return make([]error, len(accounts)), nil
}

func (m *memory) Account(_ context.Context, id metadata.AccountID) (*metadata.Account, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a, ok := m.accounts[id]
	if !ok {
		return nil, m.notFound()
	}
	c := *a
	return &c, nil
}

func (m *memory) RemoveAccount(_ context.Context, id metadata.AccountID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.accounts, id)
	for k, mb := range m.mailboxes {
		if mb.row.Account == id {
			delete(m.mailboxes, k)
		}
	}
	return nil
}

func (m *memory) Mailboxes(_ context.Context, account metadata.AccountID) ([]metadata.Mailbox, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []metadata.Mailbox
	for _, mb := range m.mailboxes {
		if mb.row.Account == account {
			out = append(out, mb.row)
		}
	}
	slices.SortFunc(out, func(a, b metadata.Mailbox) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

func (m *memory) byName(account metadata.AccountID, name string) *memoryMailbox {
	for _, mb := range m.mailboxes {
		if mb.row.Account == account && mb.row.Name == name {
			return mb
		}
	}
	return nil
}

func (m *memory) Mailbox(_ context.Context, account metadata.AccountID, name string) (*metadata.Mailbox, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	mb := m.byName(account, name)
	if mb == nil {
		return nil, m.notFound()
	}
	row := mb.row
	return &row, nil
}

func (m *memory) MailboxByID(_ context.Context, id metadata.MailboxID) (*metadata.Mailbox, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	mb := m.mailboxes[id]
	if mb == nil {
		return nil, m.notFound()
	}
	row := mb.row
	return &row, nil
}

func (m *memory) tick(account metadata.AccountID) metadata.ModSeq {
	a := m.accounts[account]
	a.ModSeq++
	return a.ModSeq
}

func (m *memory) CreateMailbox(_ context.Context, account metadata.AccountID, n metadata.NewMailbox, _ int) (*metadata.Mailbox, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.accounts[account] == nil {
		return nil, m.notFound()
	}
	if m.byName(account, n.Name) != nil {
		return nil, mailerr.New("memory", mailerr.Exists, "")
	}
	m.validity++
	row := metadata.Mailbox{ID: n.ID, Account: account, Name: n.Name, UIDValidity: m.validity, UIDNext: 1, FirstRecent: 1,
		HighestModSeq: m.tick(account), SpecialUse: n.SpecialUse}
	m.mailboxes[n.ID] = &memoryMailbox{row: row, expunged: map[metadata.UID]metadata.ModSeq{}}
	return &row, nil
}

func (m *memory) DeleteMailbox(_ context.Context, account metadata.AccountID, id metadata.MailboxID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mailboxes[id] == nil {
		return m.notFound()
	}
	m.tick(account)
	delete(m.mailboxes, id)
	return nil
}

func (m *memory) RenameMailboxes(_ context.Context, account metadata.AccountID, renames []metadata.Rename) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range renames {
		if m.mailboxes[r.ID] == nil || m.mailboxes[r.ID].row.Name != r.From {
			return m.notFound()
		}
		if m.byName(account, r.To) != nil {
			return mailerr.New("memory", mailerr.Exists, "")
		}
	}
	at := m.tick(account)
	for _, r := range renames {
		m.mailboxes[r.ID].row.Name = r.To
		m.mailboxes[r.ID].row.HighestModSeq = at
	}
	return nil
}

func (m *memory) ClaimRecent(_ context.Context, id metadata.MailboxID) (metadata.UID, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	mb := m.mailboxes[id]
	if mb == nil {
		return 0, m.notFound()
	}
	was := mb.row.FirstRecent
	mb.row.FirstRecent = mb.row.UIDNext
	return was, nil
}

func (m *memory) ModSeqs(_ context.Context, ids []metadata.MailboxID) (map[metadata.MailboxID]metadata.ModSeq, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[metadata.MailboxID]metadata.ModSeq{}
	for _, id := range ids {
		if mb := m.mailboxes[id]; mb != nil {
			out[id] = mb.row.HighestModSeq
		}
	}
	return out, nil
}

func (m *memory) Subscriptions(_ context.Context, account metadata.AccountID) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.subs[account]), nil
}

func (m *memory) Subscribe(_ context.Context, account metadata.AccountID, names ...string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, n := range names {
		if !slices.Contains(m.subs[account], n) {
			m.subs[account] = append(m.subs[account], n)
		}
	}
	slices.Sort(m.subs[account])
	return nil
}

func (m *memory) Unsubscribe(_ context.Context, account metadata.AccountID, names ...string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.subs[account] = slices.DeleteFunc(m.subs[account], func(n string) bool { return slices.Contains(names, n) })
	return nil
}

func (mb *memoryMailbox) add(at metadata.ModSeq, msg metadata.Message) metadata.UID {
	msg.UID, msg.ModSeq = mb.row.UIDNext, at
	mb.row.UIDNext++
	mb.msgs = append(mb.msgs, msg)
	mb.count(at)
	return msg.UID
}

func (mb *memoryMailbox) count(at metadata.ModSeq) {
	r := &mb.row
	r.HighestModSeq = at
	r.Messages, r.Unseen, r.Deleted, r.Size = uint32(len(mb.msgs)), 0, 0, 0
	for _, m := range mb.msgs {
		r.Size += m.Size
		if m.Flags&metadata.FlagSeen == 0 {
			r.Unseen++
		}
		if m.Flags&metadata.FlagDeleted != 0 {
			r.Deleted++
		}
	}
}

func (m *memory) Append(_ context.Context, b metadata.AppendBatch) ([]metadata.AppendResult, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range b.Packs {
		m.packs[p.ID] = p
	}
	out := make([]metadata.AppendResult, len(b.Items))
	clock := map[metadata.AccountID]metadata.ModSeq{}
	for i, it := range b.Items {
		mb, a := m.mailboxes[it.Mailbox], m.accounts[it.Account]
		if mb == nil || a == nil {
			out[i].Err = m.notFound()
			continue
		}
		if a.QuotaMessages > 0 && a.UsedMessages >= a.QuotaMessages && !it.IgnoreQuota {
			out[i].Err = mailerr.New("memory", mailerr.OverQuota, "")
			continue
		}
		if clock[it.Account] == 0 {
			clock[it.Account] = m.tick(it.Account)
		}
		a.UsedMessages++
		m.bodies[it.Body.ID] = it.Body
		at := clock[it.Account]
		uid := mb.add(at, metadata.Message{Flags: it.Flags, Keywords: it.Keywords, InternalDate: it.InternalDate, SaveDate: it.SaveDate,
			Size: it.Body.Size(), Body: it.Body.ID})
		out[i] = metadata.AppendResult{UID: uid, UIDValidity: mb.row.UIDValidity, ModSeq: at}
	}
	return out, nil
}

func (m *memory) LoadMailbox(_ context.Context, id metadata.MailboxID) (*metadata.Mailbox, []metadata.Message, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	mb := m.mailboxes[id]
	if mb == nil {
		return nil, nil, m.notFound()
	}
	row := mb.row
	return &row, slices.Clone(mb.msgs), nil
}

func (m *memory) ChangesSince(_ context.Context, id metadata.MailboxID, since metadata.ModSeq) (*metadata.Changes, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	mb := m.mailboxes[id]
	if mb == nil {
		return nil, m.notFound()
	}
	ch := &metadata.Changes{Mailbox: mb.row, Complete: since >= mb.row.ExpungedBefore}
	for _, msg := range mb.msgs {
		if msg.ModSeq > since {
			ch.Changed = append(ch.Changed, msg)
		}
	}
	var gone []metadata.UID
	for uid, at := range mb.expunged {
		if at > since && at > mb.row.ExpungedBefore {
			gone = append(gone, uid)
		}
	}
	slices.Sort(gone)
	ch.Vanished = metadata.UIDSetOf(gone...)
	return ch, nil
}

func (m *memory) StoreFlags(_ context.Context, req metadata.StoreFlags) (*metadata.StoreResult, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	mb := m.mailboxes[req.Mailbox]
	if mb == nil {
		return nil, m.notFound()
	}
	res := &metadata.StoreResult{ModSeq: mb.row.HighestModSeq}
	var at metadata.ModSeq
	for i := range mb.msgs {
		msg := &mb.msgs[i]
		if !req.UIDs.Contains(msg.UID) {
			continue
		}
		flags, words := msg.Flags, strings.Fields(msg.Keywords)
		switch req.Op {
		case metadata.FlagsReplace:
			flags, words = req.Flags, req.Keywords
		case metadata.FlagsAdd:
			flags, words = flags|req.Flags, append(words, req.Keywords...)
		case metadata.FlagsRemove:
			flags = flags &^ req.Flags
			words = slices.DeleteFunc(words, func(w string) bool { return slices.Contains(req.Keywords, w) })
		}
		words = slices.Clone(words)
		slices.Sort(words)
		keywords := strings.Join(slices.Compact(words), " ")
		if flags == msg.Flags && keywords == msg.Keywords {
			res.Same = append(res.Same, *msg)
			continue
		}
		if at == 0 {
			at = m.tick(req.Account)
		}
		msg.Flags, msg.Keywords, msg.ModSeq = flags, keywords, at
		res.Changed = append(res.Changed, *msg)
	}
	if at > 0 {
		mb.count(at)
		res.ModSeq = at
	}
	return res, nil
}

func (m *memory) Copy(_ context.Context, req metadata.CopyRequest) (*metadata.CopyResult, error) {
	return m.transfer(req, false)
}

func (m *memory) Move(_ context.Context, req metadata.CopyRequest) (*metadata.CopyResult, error) {
	return m.transfer(req, true)
}

func (m *memory) transfer(req metadata.CopyRequest, move bool) (*metadata.CopyResult, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	src, dst := m.mailboxes[req.Source], m.mailboxes[req.Dest]
	if src == nil || dst == nil {
		return nil, m.notFound()
	}
	res := &metadata.CopyResult{UIDValidity: dst.row.UIDValidity, DestModSeq: dst.row.HighestModSeq}
	var taken []metadata.Message
	for _, msg := range src.msgs {
		if req.UIDs.Contains(msg.UID) {
			taken = append(taken, msg)
			res.Source = append(res.Source, msg.UID)
		}
	}
	if len(taken) == 0 {
		return res, nil
	}
	at := m.tick(req.Account)
	res.DestModSeq = at
	for _, msg := range taken {
		msg.SaveDate = req.SaveDate
		res.Dest = append(res.Dest, dst.add(at, msg))
	}
	if move {
		src.expunge(at, metadata.UIDSetOf(res.Source...))
		res.SourceModSeq = at
	}
	return res, nil
}

func (mb *memoryMailbox) expunge(at metadata.ModSeq, uids metadata.UIDSet) {
	mb.msgs = slices.DeleteFunc(slices.Clone(mb.msgs), func(msg metadata.Message) bool { return uids.Contains(msg.UID) })
	for uid := range uids.All {
		mb.expunged[uid] = at
	}
	mb.count(at)
}

func (m *memory) Expunge(_ context.Context, req metadata.ExpungeRequest) (*metadata.ExpungeResult, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	mb := m.mailboxes[req.Mailbox]
	if mb == nil {
		return nil, m.notFound()
	}
	var uids []metadata.UID
	for _, msg := range mb.msgs {
		if (req.UIDs == nil || req.UIDs.Contains(msg.UID)) && (!req.OnlyDeleted || msg.Flags&metadata.FlagDeleted != 0) {
			uids = append(uids, msg.UID)
		}
	}
	res := &metadata.ExpungeResult{ModSeq: mb.row.HighestModSeq, UIDs: metadata.UIDSetOf(uids...)}
	if len(uids) > 0 {
		res.ModSeq = m.tick(req.Account)
		mb.expunge(res.ModSeq, res.UIDs)
	}
	return res, nil
}

func (m *memory) Bodies(_ context.Context, account metadata.AccountID, ids []metadata.BodyID) ([]metadata.Body, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []metadata.Body
	for _, id := range ids {
		if b, ok := m.bodies[id]; ok && b.Account == account {
			out = append(out, b)
		}
	}
	return out, nil
}

func (m *memory) BodyLocations(ctx context.Context, account metadata.AccountID, ids []metadata.BodyID) ([]metadata.Body, error) {
	return m.Bodies(ctx, account, ids)
}

// purge forgets expunged rows up to now, as retention does.
func (m *memory) purge(id metadata.MailboxID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	mb := m.mailboxes[id]
	mb.row.ExpungedBefore = mb.row.HighestModSeq
	mb.expunged = map[metadata.UID]metadata.ModSeq{}
}

var _ = time.Now
