package sqlstore

import (
	"fmt"
	"time"

	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

// idColumn scans an id of 16 bytes from any engine without allocating.
type idColumn [16]byte

// Scan implements sql.Scanner.
func (c *idColumn) Scan(v any) error {
	b, ok := v.([]byte)
	if !ok {
		return fmt.Errorf("an id is %T", v)
	}
	return c.ScanBytes(b)
}

// ScanBytes implements pgtype.BytesScanner.
func (c *idColumn) ScanBytes(b []byte) error {
	if len(b) != len(c) {
		return fmt.Errorf("an id has %d bytes", len(b))
	}
	copy(c[:], b)
	return nil
}

// linkColumn scans a linkKey.
type linkColumn linkKey

// Scan implements sql.Scanner.
func (c *linkColumn) Scan(v any) error {
	b, ok := v.([]byte)
	if !ok {
		return fmt.Errorf("a link is %T", v)
	}
	return c.ScanBytes(b)
}

// ScanBytes implements pgtype.BytesScanner.
func (c *linkColumn) ScanBytes(b []byte) error {
	if len(b) != len(c) {
		return fmt.Errorf("a link has %d bytes", len(b))
	}
	copy(c[:], b)
	return nil
}

func micros(t time.Time) int64     { return t.UnixMicro() }
func fromMicros(v int64) time.Time { return time.UnixMicro(v).UTC() }

const mailboxColumns = `mailbox_id, account_id, name, uid_validity, uid_next, highest_modseq, expunged_before, messages, unseen,
	deleted, size, first_recent, special_use, created`

func scanMailbox(r sqldb.Row, m *metadata.Mailbox) error {
	var validity, next, highest, before, messages, unseen, deleted, recent, created int64
	err := r.Scan((*idColumn)(&m.ID), (*idColumn)(&m.Account), &m.Name, &validity, &next, &highest, &before, &messages, &unseen,
		&deleted, &m.Size, &recent, &m.SpecialUse, &created)
	if err != nil {
		return err
	}
	for _, v := range []int64{validity, next, messages, unseen, deleted, recent} {
		if v < 0 || v > maxUint32 {
			return fmt.Errorf("mailbox %v has %d in a column of 32 bits", m.ID, v)
		}
	}
	m.UIDValidity, m.UIDNext, m.FirstRecent = metadata.UIDValidity(validity), metadata.UID(next), metadata.UID(recent)
	m.Messages, m.Unseen, m.Deleted = uint32(messages), uint32(unseen), uint32(deleted)
	m.HighestModSeq, m.ExpungedBefore = metadata.ModSeq(highest), metadata.ModSeq(before)
	m.Created = fromMicros(created)
	return nil
}

const messageColumns = `uid, flags, keywords, modseq, internal_date, save_date, size, body_id`

// messageScanner scans rows of messageColumns without an allocation each.
type messageScanner struct {
	uid, flags, modseq, internalDate, saveDate, size int64
	keywords                                         string // of the row before, which mostly are the same
	body                                             idColumn
	dest                                             []any
}

func (c *messageScanner) scan(r sqldb.Row, m *metadata.Message) error {
	if c.dest == nil {
		c.dest = []any{&c.uid, &c.flags, &c.keywords, &c.modseq, &c.internalDate, &c.saveDate, &c.size, &c.body}
	}
	err := r.Scan(c.dest...)
	*m = metadata.Message{
		UID: metadata.UID(c.uid), Flags: metadata.Flags(c.flags), Keywords: c.keywords, ModSeq: metadata.ModSeq(c.modseq),
		InternalDate: fromMicros(c.internalDate), SaveDate: fromMicros(c.saveDate), Size: c.size, Body: metadata.BodyID(c.body),
	}
	return err
}

const accountColumns = `c.account_id, k.address, k.password_hash, c.modseq, c.used_bytes, c.used_messages, c.quota_bytes,
	c.quota_messages, c.disabled, c.created`

func scanAccount(r sqldb.Row, a *metadata.Account) error {
	var modseq, disabled, created int64
	err := r.Scan((*idColumn)(&a.ID), &a.Address, &a.PasswordHash, &modseq, &a.UsedBytes, &a.UsedMessages, &a.QuotaBytes,
		&a.QuotaMessages, &disabled, &created)
	a.ModSeq, a.Disabled, a.Created = metadata.ModSeq(modseq), disabled != 0, fromMicros(created)
	return err
}

const maxUint32 = 1<<32 - 1

// boolColumn is a boolean as it is stored.
func boolColumn(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
