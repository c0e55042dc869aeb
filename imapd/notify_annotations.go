package imapd

import (
	"slices"

	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// maxEntriesTold is how many entries one METADATA response names.
const maxEntriesTold = 100

// tellAnnotations tells which annotations have changed (RFC 5465 sections 5.6 and 5.7). Of a mailbox that was not listed, or that
// is in anew, all have.
func (s *session) tellAnnotations(was, is *mailstore.Listing, anew map[metadata.MailboxID]struct{}, own *ownChange) {
	n := s.notify
	if n.wants(serverMetadataChange) {
		s.writeAnnotated("", is.ChangedAnnotations(was, metadata.ServerAnnotations), own)
	}
	if !n.wants(mailboxMetadataChange) {
		return
	}
	for _, info := range is.All() {
		if info.NonExistent || n.events(info)&mailboxMetadataChange == 0 {
			continue
		}
		before := was
		if _, ok := anew[info.ID]; ok {
			before = nil
		}
		s.writeAnnotated(info.Name, is.ChangedAnnotations(before, info.ID), own)
	}
}

// writeAnnotated writes METADATA responses without values (RFC 5464 section 4.4.2), but for what the client made of its own.
func (s *session) writeAnnotated(mailbox string, changed []mailstore.AnnotationChange, own *ownChange) {
	changed = slices.DeleteFunc(changed, func(c mailstore.AnnotationChange) bool {
		digest, mine := own.annotation(mailbox, c.Entry)
		return mine && digest == c.Digest
	})
	for some := range slices.Chunk(changed, maxEntriesTold) {
		s.w.Raw("* METADATA ")
		if mailbox == "" {
			s.w.Raw(`""`)
		} else {
			s.w.Mailbox(mailbox)
		}
		for _, c := range some {
			s.w.SP().AString(c.Entry)
		}
		s.w.CRLF()
	}
}

// annotation returns what a command of this session has made of an annotation, if anything.
func (own *ownChange) annotation(mailbox, entry string) (digest metadata.AnnotationDigest, ok bool) {
	if own == nil || own.annotated != mailbox {
		return 0, false
	}
	digest, ok = own.annotations[entry]
	return digest, ok
}
