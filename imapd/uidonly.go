package imapd

import (
	"slices"

	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// byNumber are the commands whose arguments or responses are message sequence numbers: each has a UID form. Once UIDONLY is
// enabled they are not to be used (RFC 9586 sections 3.2 and 3.8).
var byNumber = map[string]bool{
	"FETCH": true, "STORE": true, "SEARCH": true, "SORT": true, "THREAD": true, "COPY": true, "MOVE": true, "REPLACE": true,
}

var errUIDRequired = &statusError{typ: "BAD", code: "UIDREQUIRED", text: "Message numbers are not allowed once UIDONLY is enabled"}

// enableUIDOnly is ENABLE UIDONLY. Searches by message number that are told on end: what they would tell may not be told.
func (s *session) enableUIDOnly() {
	s.uidOnly = true
	s.contexts = slices.DeleteFunc(s.contexts, func(x *searchContext) bool { return !x.uid })
}

// needsUID reports whether the session may not use the command.
func (s *session) needsUID(cmd *command) bool { return s.uidOnly && byNumber[cmd.name] }

// beginFetch writes the beginning of a FETCH response, with UIDONLY of an UIDFETCH response.
func (s *session) beginFetch(seq mailstore.SeqNum, uid metadata.UID) {
	if s.uidOnly {
		s.w.Raw("* ").Number(uint64(uid)).Raw(" UIDFETCH (")
		return
	}
	s.w.Raw("* ").Number(uint64(seq)).Raw(" FETCH (")
}
