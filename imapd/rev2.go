package imapd

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// enableRev2 is ENABLE IMAP4rev2 (RFC 9051 section 6.3.1): from now on answers are as that says. What differs from RFC 3501 is
// where s.rev2 is asked: SEARCH answers with ESEARCH, SELECT with LIST and without UNSEEN, there is no \Recent, unsolicited
// FETCH responses have the UID. Strings and mailbox names are UTF-8.
func (s *session) enableRev2() {
	s.rev2 = true
	s.enableUTF8()
}

// enableUTF8Accept is ENABLE UTF8=ACCEPT (RFC 6855 section 3).
func (s *session) enableUTF8Accept() {
	s.utf8Accept = true
	s.enableUTF8()
}

// showsRecent reports whether the client knows \Recent.
func (s *session) showsRecent() bool { return !s.rev2 }

// writeRecent writes the RECENT response, which RFC 9051 has no more.
func (s *session) writeRecent(n uint32) {
	if s.showsRecent() {
		s.w.Raw("* ").Number(uint64(n)).Raw(" RECENT\r\n")
	}
}

// tellSpelling writes a LIST response with OLDNAME when a mailbox was called by another spelling than the one it has (RFC 9051
// section 6.3.9.7). The command it belongs to has been done, whatever comes of this.
func (s *session) tellSpelling(ctx context.Context, asked string) {
	if !s.rev2 || norm.NFC.IsNormalString(asked) {
		return
	}
	m, err := s.user.MyRights(ctx, asked)
	if err != nil {
		s.log.Warn("mailbox's name not told", "error", err)
		return
	}
	s.tellOldName(ctx, m.ID, m.Name, asked)
}

// tellOldName writes the LIST response with OLDNAME of a mailbox, unless LIST does not show it.
func (s *session) tellOldName(ctx context.Context, id metadata.MailboxID, name, old string) {
	infos, err := s.user.List(ctx)
	if err != nil {
		s.log.Warn("mailbox's name not told", "error", err)
		return
	}
	i := slices.IndexFunc(infos, func(info mailstore.MailboxInfo) bool { return info.ID == id && info.Name == name && !info.NonExistent })
	if i >= 0 {
		(&list{extended: true, returnSubscribed: true, oldName: old}).write(s.w, &infos[i], false)
	}
}

// writeSelectedName writes the LIST response of SELECT and EXAMINE (RFC 9051 section 6.3.2), with OLDNAME where the mailbox was not
// called by the one spelling that it has.
func (s *session) writeSelectedName(ctx context.Context, asked string) error {
	infos, err := s.user.List(ctx)
	if err != nil {
		return err
	}
	for i := range infos {
		info := &infos[i]
		if !info.NonExistent && info.ID == s.sel.Mailbox().ID && strings.EqualFold(info.Name, norm.NFC.String(asked)) {
			cmd := list{extended: true, returnSubscribed: true}
			if info.Name != asked {
				cmd.oldName = asked
			}
			cmd.write(s.w, info, false)
			return nil
		}
	}
	// One that LIST does not show to this user, or that was renamed just now.
	s.w.Raw(`* LIST () "/" `).Mailbox(asked).CRLF()
	return nil
}
