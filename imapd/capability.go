package imapd

import (
	"context"
	"strconv"
	"strings"
)

var capabilityCommand = command{
	name:   "CAPABILITY",
	order:  beside(0, 0),
	states: anyState,
	parse:  noArguments(capability{}),
}

// capability is CAPABILITY (RFC 3501 section 6.1.1).
type capability struct{}

func (capability) run(_ context.Context, s *session) error {
	s.w.Raw("* CAPABILITY ").Raw(s.capabilities()).CRLF()
	return nil
}

// extensions are the capabilities of every connection in every state. docs/imap.md has a row for each.
var extensions = []string{
	"IMAP4rev1", "IMAP4rev2", "LITERAL+", "SASL-IR", "ID", "ENABLE", "NAMESPACE", "IDLE", "CHILDREN", "LIST-EXTENDED", "LIST-STATUS",
	"SPECIAL-USE", "CREATE-SPECIAL-USE", "STATUS=SIZE", "UNSELECT", "UIDPLUS", "MOVE", "ESEARCH", "SEARCHRES", "ESORT", "SORT", "SORT=DISPLAY",
	"THREAD=ORDEREDSUBJECT", "THREAD=REFERENCES", "THREAD=REFS", "I18NLEVEL=1", "MULTISEARCH", "PREVIEW", "CONTEXT=SEARCH", "CONTEXT=SORT", "NOTIFY", "WITHIN", "CONDSTORE", "PARTIAL", "INPROGRESS",
	"ACL", "RIGHTS=texk", "LIST-MYRIGHTS", "QUOTA", "QUOTA=RES-STORAGE", "QUOTA=RES-MESSAGE", "QUOTA=RES-MAILBOX",
	"QRESYNC", "SAVEDATE", "OBJECTID", "UIDONLY",
	"BINARY", "MULTIAPPEND", "CATENATE", "URL-PARTIAL", "REPLACE", "UTF8=ACCEPT", "URLAUTH", "URLAUTH=BINARY", "LANGUAGE",
	"METADATA", "METADATA-SERVER", "LIST-METADATA", "FILTERS",
}

// capabilities returns what the connection offers as it is now.
func (s *session) capabilities() string {
	var b strings.Builder
	announced := strings.Join(extensions, " ")
	if s.srv.cfg.LiteralMinus { // RFC 7888 section 5: never both
		announced = strings.Replace(announced, "LITERAL+", "LITERAL-", 1)
	}
	b.WriteString(announced)
	b.WriteString(" APPENDLIMIT=")
	b.WriteString(strconv.FormatInt(s.srv.cfg.MaxMessageBytes, 10))
	b.WriteString(s.limitCapability())
	if s.srv.cfg.SieveURL != "" {
		b.WriteString(" IMAPSIEVE=")
		b.WriteString(s.srv.cfg.SieveURL)
	}
	if s.administrator {
		b.WriteString(" QUOTASET") // RFC 9208 section 4.1.3
	}
	if s.user != nil {
		b.WriteString(" UNAUTHENTICATE")
		if !s.compressed {
			b.WriteString(" COMPRESS=DEFLATE")
		}
		return b.String()
	}
	if s.mayStartTLS() {
		b.WriteString(" STARTTLS")
	}
	if s.mayLogin() {
		b.WriteString(" AUTH=PLAIN")
	} else {
		b.WriteString(" LOGINDISABLED")
	}
	return b.String()
}

// capabilityCode is the response code for answers after which the capabilities are others.
func (s *session) capabilityCode() string { return "CAPABILITY " + s.capabilities() }
