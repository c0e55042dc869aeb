package sqlstore

import (
	"bytes"
	"context"
	"math"
	"slices"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

// clock is an account's row while a transaction holds its lock.
type clock struct {
	id                        metadata.AccountID
	modSeq                    int64
	usedBytes, usedMessages   int64
	quotaBytes, quotaMessages int64
	lastUIDValidity           int64
	ticked                    bool
}

// tick returns the MODSEQ of this transaction: the next one, the same however often it is asked for.
func (c *clock) tick() int64 {
	if !c.ticked {
		c.modSeq++
		c.ticked = true
	}
	return c.modSeq
}

// add counts messages that are new in the account.
func (c *clock) add(messages, size int64) {
	c.usedMessages += messages
	c.usedBytes += size
}

// fits reports whether the account's quota, and grace percent of it, has room.
func (c *clock) fits(messages, size, grace int64) bool {
	return (c.quotaBytes == 0 || c.usedBytes+size <= withGrace(c.quotaBytes, grace)) &&
		(c.quotaMessages == 0 || c.usedMessages+messages <= withGrace(c.quotaMessages, grace))
}

// withGrace returns a limit with some percent added; a limit beyond all bounds stays one.
func withGrace(limit, percent int64) int64 {
	if percent <= 0 {
		return limit
	}
	more := int64(float64(limit) / 100 * float64(percent))
	if limit > math.MaxInt64-max(more, 0) {
		return math.MaxInt64
	}
	return limit + more
}

// use is what the account holds now.
func (c *clock) use() metadata.Use {
	return metadata.Use{Bytes: c.usedBytes, Messages: c.usedMessages, QuotaBytes: c.quotaBytes, QuotaMessages: c.quotaMessages}
}

// ledger is the rows a transaction has locked or may change, by id: the clocks, and under their lock the mailboxes.
type ledger struct {
	s         *Store
	clocks    map[metadata.AccountID]*clock
	mailboxes map[metadata.MailboxID]*metadata.Mailbox
}

func (s *Store) newLedger() *ledger {
	return &ledger{s: s, clocks: map[metadata.AccountID]*clock{}, mailboxes: map[metadata.MailboxID]*metadata.Mailbox{}}
}

var sqlLockClocks = newText("lock clocks", `SELECT account_id, modseq, used_bytes, used_messages, quota_bytes, quota_messages,
	last_uid_validity FROM accounts WHERE account_id IN ({list}) ORDER BY account_id {for update}`)

var sqlMailboxesByID = newText("mailboxes by id", `SELECT `+mailboxColumns+` FROM mailboxes WHERE mailbox_id IN ({list})`)

// lock returns the statements that lock accounts' clocks, in id order. They come first in a transaction.
func (l *ledger) lock(accounts ...metadata.AccountID) []*sqldb.Stmt {
	slices.SortFunc(accounts, func(a, b metadata.AccountID) int { return bytes.Compare(a[:], b[:]) })
	stmts := listStmts(sqlLockClocks, &l.s.words, slices.Compact(accounts), func(a *metadata.AccountID) any { return a[:] })
	for _, st := range stmts {
		st.Each = func(r sqldb.Row) error {
			c := &clock{}
			err := r.Scan((*idColumn)(&c.id), &c.modSeq, &c.usedBytes, &c.usedMessages, &c.quotaBytes, &c.quotaMessages, &c.lastUIDValidity)
			l.clocks[c.id] = c
			return err
		}
	}
	return stmts
}

// load returns the statements that read mailboxes; they come after those of lock.
func (l *ledger) load(mailboxes ...metadata.MailboxID) []*sqldb.Stmt {
	stmts := listStmts(sqlMailboxesByID, &l.s.words, mailboxes, func(m *metadata.MailboxID) any { return m[:] })
	for _, st := range stmts {
		st.Each = func(r sqldb.Row) error {
			m := &metadata.Mailbox{}
			err := scanMailbox(r, m)
			l.mailboxes[m.ID] = m
			return err
		}
	}
	return stmts
}

// mailbox returns a mailbox and its clock; NotFound with the text when it is not there or not the account's.
func (l *ledger) mailbox(op string, account metadata.AccountID, id metadata.MailboxID, text string) (*metadata.Mailbox, *clock, error) {
	m, c := l.mailboxes[id], l.clocks[account]
	if m == nil || c == nil || m.Account != account {
		return nil, nil, mailerr.New(op, mailerr.NotFound, text)
	}
	return m, c, nil
}

const noMailbox = "no such mailbox"

var sqlSaveClocks = newText("save clocks", `UPDATE accounts SET modseq = v.column2, used_bytes = v.column3,
	used_messages = v.column4, last_uid_validity = v.column5
	FROM (VALUES {rows (CAST(? AS {blob}), CAST(? AS INT8), CAST(? AS INT8), CAST(? AS INT8), CAST(? AS INT8))}) AS v
	WHERE accounts.account_id = v.column1`)

var sqlSaveMailboxes = newText("save mailboxes", `UPDATE mailboxes SET uid_next = v.column2, highest_modseq = v.column3,
	messages = v.column4, unseen = v.column5, deleted = v.column6, size = v.column7
	FROM (VALUES {rows (CAST(? AS {blob}), CAST(? AS INT8), CAST(? AS INT8), CAST(? AS INT8), CAST(? AS INT8), CAST(? AS INT8),
	CAST(? AS INT8))}) AS v WHERE mailboxes.mailbox_id = v.column1`)

// save returns the statements that write the clocks that ticked and the mailboxes given.
func (l *ledger) save(changed ...*metadata.Mailbox) []*sqldb.Stmt {
	var ticked []*clock
	for _, c := range l.clocks {
		if c.ticked {
			ticked = append(ticked, c)
		}
	}
	slices.SortFunc(ticked, func(a, b *clock) int { return bytes.Compare(a.id[:], b.id[:]) })
	stmts := rowStmts(sqlSaveClocks, &l.s.words, ticked, repeatLast, func(args []any, c **clock) []any {
		return append(args, (*c).id[:], (*c).modSeq, (*c).usedBytes, (*c).usedMessages, (*c).lastUIDValidity)
	})
	slices.SortFunc(changed, func(a, b *metadata.Mailbox) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return append(stmts, rowStmts(sqlSaveMailboxes, &l.s.words, slices.Compact(changed), repeatLast, func(args []any, m **metadata.Mailbox) []any {
		return append(args, (*m).ID[:], int64((*m).UIDNext), int64((*m).HighestModSeq), int64((*m).Messages),
			int64((*m).Unseen), int64((*m).Deleted), (*m).Size)
	})...)
}

// lockOnly locks accounts' clocks and nothing else: for reading back.
func (s *Store) lockOnly(ctx context.Context, tx sqldb.Tx, accounts ...metadata.AccountID) error {
	return tx.Run(ctx, s.newLedger().lock(accounts...)...)
}

// count changes a mailbox's counters by n (1 or -1) messages with these flags and size.
func count(m *metadata.Mailbox, flags metadata.Flags, size int64, n int) {
	d := uint32(n)
	m.Messages += d
	m.Size += int64(n) * size
	if flags&metadata.FlagSeen == 0 {
		m.Unseen += d
	}
	if flags&metadata.FlagDeleted != 0 {
		m.Deleted += d
	}
}
