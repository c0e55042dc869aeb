package imapd

// enableCondstore is called by every command that shows that the client knows CONDSTORE (RFC 7162 section 3.1). From then on
// untagged FETCH responses with flags carry MODSEQ. A client with a mailbox selected is told where its MODSEQ stands.
func (s *session) enableCondstore() {
	if s.condstore {
		return
	}
	s.condstore = true
	if s.sel != nil {
		s.w.Raw("* OK [HIGHESTMODSEQ ").Number(uint64(s.sel.Mailbox().HighestModSeq))
		s.remark("Highest")
	}
}
