package imapd

import (
	"github.com/rookery-mail/rookery/mailstore"
)

// kib is what STORAGE is counted in (RFC 9208 section 5.1).
const kib = 1024

// maxQuota bounds a limit in bytes: more than anybody has.
const maxQuota = 1 << 60

// writeQuota writes the QUOTA response: the resources that have limits (RFC 9208 section 4.2.1). STORAGE is rounded so that a full
// account shows as full.
func (s *session) writeQuota(q *mailstore.Quota) {
	s.w.Raw("* QUOTA ").AString(q.Root).Raw(" (")
	first := true
	resource := func(name string, use, limit int64) {
		if limit <= 0 {
			return
		}
		if !first {
			s.w.SP()
		}
		first = false
		s.w.Raw(name).SP().Number(uint64(max(use, 0))).SP().Number(uint64(limit))
	}
	resource("STORAGE", roundUp(q.Bytes), roundUp(q.QuotaBytes))
	resource("MESSAGE", q.Messages, q.QuotaMessages)
	resource("MAILBOX", q.Mailboxes, q.MaxMailboxes)
	s.w.Raw(")\r\n")
}

func roundUp(bytes int64) int64 {
	n := bytes / kib
	if bytes%kib > 0 {
		n++
	}
	return n
}
