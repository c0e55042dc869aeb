package imapd

// enableCondstore notes that the client knows CONDSTORE. RFC 7162 section 3.1: the first command that shows it, with a
// mailbox selected, is answered with the mailbox's HIGHESTMODSEQ.
func (s *session) enableCondstore() {
	if s.condstore {
		return
	}
	s.condstore = true
	if s.sel != nil {
		mailbox := s.sel.Mailbox()
		s.w.Raw("* OK [HIGHESTMODSEQ ").Number(uint64(mailbox.HighestModSeq)).Raw("] Highest\r\n")
	}
}
