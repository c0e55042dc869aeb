package imapd

import (
	"context"
	"slices"
	"strings"

	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// syncAfter brings the session to the present before the tagged response. Only of a command that asks for fresh news does
// trouble with them become the answer; what others did has been done.
func (s *session) syncAfter(cmd *command) error {
	if s.sel == nil || cmd.sync == syncNone || s.end != nil {
		return nil //nolint:nilerr // the session's end is no error of the command
	}
	fresh := cmd.sync == syncFresh
	err := s.sync(s.ctx, mailstore.SyncOptions{Fresh: fresh || s.stale, NoExpunge: cmd.seqs})
	s.stale = false
	s.tellWithheld()
	if err != nil && !fresh {
		s.log.Warn("no news of the selected mailbox", "error", err)
		return nil
	}
	return err
}

// changed is called when a command has put messages, with these UIDs, into a mailbox by its name. If it is the selected one, the client is told of
// them before the command's completion (RFC 3501 section 6.3.11). No two mailboxes of an account have one UIDVALIDITY.
func (s *session) changed(v metadata.UIDValidity, uids metadata.UIDSet) {
	if s.sel != nil && s.sel.Mailbox().UIDValidity == v {
		s.stale, s.caused, s.appended = true, true, uids
	}
}

// sync moves the session's snapshot, and tells the client what changed (RFC 9051 sections 7.4.1, 7.5.1, 7.5.2). When the mailbox
// was deleted, the session ends: its state has no meaning any more.
func (s *session) sync(ctx context.Context, o mailstore.SyncOptions) error {
	o.NoExpunge = o.NoExpunge || s.countsMessages()
	s.notify.limit(s, &o)
	next := s.sel.Mailbox().UIDNext
	up, err := s.sel.Sync(ctx, o)
	if err != nil {
		return err
	}
	if up.Gone {
		s.end = errDeleted
		return nil
	}
	if s.sel.Rights() != s.rights { // RFC 4314 section 5.1.1
		s.writeFlagNames(s.sel.Keywords())
	}
	if len(up.Expunged)+len(up.Flags) > 0 {
		s.told++
	}
	s.forgetExpunged(up.Expunged)
	s.writeExpunged(up.Expunged)
	if up.Exists {
		s.w.Raw("* ").Number(uint64(up.NumMessages)).Raw(" EXISTS\r\n")
		s.writeRecent(up.NumRecent)
	}
	if s.notify.tellsFlags() {
		for i := range up.Flags {
			m := &up.Flags[i]
			s.nameKeywords(m.Keywords)
			s.writeFlagsUpdate(m)
		}
	} else {
		s.holdFlags(up.Flags)
	}
	s.fetchArrived(ctx, s.updateContexts(ctx, s.arrived(next)))
	return nil
}

// writeExpunged writes EXPUNGE or VANISHED.
func (s *session) writeExpunged(gone []mailstore.Expunged) {
	if s.qresync || s.uidOnly {
		uids := make([]metadata.UID, len(gone))
		for i := range gone {
			uids[i] = gone[i].UID
		}
		s.writeVanished(metadata.UIDSetOf(uids...), now)
		return
	}
	for _, e := range gone {
		s.w.Raw("* ").Number(uint64(e.Seq)).Raw(" EXPUNGE\r\n")
	}
}

// writeFlagsUpdate writes the untagged FETCH for changed flags. Clients that know CONDSTORE get MODSEQ (RFC 7162 section 3.2.4)
// and the UID, which RFC 9051 section 7.5.2 wants too.
func (s *session) writeFlagsUpdate(m *metadata.Message) {
	s.beginFetch(s.sel.Seq(m.UID), m.UID)
	if (s.condstore || s.rev2 || s.notify != nil) && !s.uidOnly { // RFC 5465 section 5.1 wants it too
		s.w.Raw("UID ").Number(uint64(m.UID)).SP()
	}
	s.w.Raw("FLAGS ")
	writeFlags(s.w, m, s.showsRecent() && s.sel.IsRecent(m.UID))
	if s.condstore {
		s.w.Raw(" MODSEQ (").Number(uint64(m.ModSeq)).Byte(')')
	}
	s.w.Raw(")\r\n")
}

// nameKeywords writes FLAGS and PERMANENTFLAGS anew when one of a message's keywords was not among them: a client may take no
// flag in FETCH that it was not told of (RFC 9051 section 7.3.5).
func (s *session) nameKeywords(keywords string) {
	if keywords == "" {
		return
	}
	known := true
	for k := range strings.SplitSeq(keywords, " ") {
		if _, ok := s.keywords[strings.ToLower(k)]; !ok {
			known = false
			break
		}
	}
	if known {
		return
	}
	all := s.sel.Keywords()
	for k := range strings.SplitSeq(keywords, " ") {
		if !slices.ContainsFunc(all, func(have string) bool { return strings.EqualFold(have, k) }) {
			all = append(all, k) // gone again since, but about to be written
		}
	}
	s.writeFlagNames(all)
}

// writeFlagNames writes FLAGS and PERMANENTFLAGS.
func (s *session) writeFlagNames(keywords []string) {
	s.keywords = make(map[string]struct{}, len(keywords))
	s.rights = s.sel.Rights()
	s.w.Raw("* FLAGS (" + systemFlagNames)
	for _, k := range keywords {
		s.keywords[strings.ToLower(k)] = struct{}{}
		s.w.SP().Raw(k)
	}
	s.w.Raw(")\r\n")
	if s.sel.Mode() == mailstore.ReadOnly {
		s.status("OK", "PERMANENTFLAGS ()", "Nothing can be changed")
		return
	}
	s.w.Raw("* OK [PERMANENTFLAGS (").Raw(permanentFlags(s.rights, keywords)).Byte(')')
	s.remark("Flags are kept")
}

// permanentFlags returns the flags that somebody with the rights may change (RFC 4314 section 4).
func permanentFlags(rights metadata.Rights, keywords []string) string {
	var flags []string
	for i := range systemFlags {
		if rights.Has(flagRight(systemFlags[i].bit)) {
			flags = append(flags, string(systemFlags[i].flag))
		}
	}
	if rights.Has(metadata.RightWrite) {
		flags = append(append(flags, keywords...), `\*`)
	}
	return strings.Join(flags, " ")
}

// flagRight returns the right that changes a system flag.
func flagRight(flag metadata.Flags) metadata.Rights {
	switch flag {
	case metadata.FlagSeen:
		return metadata.RightSeen
	case metadata.FlagDeleted:
		return metadata.RightTrash
	default:
		return metadata.RightWrite
	}
}
