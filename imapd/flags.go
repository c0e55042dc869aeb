package imapd

import (
	"strings"

	"github.com/emersion/go-imap/v2"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/metadata"
)

// systemFlagNames are the system flags in the order of their bits.
var systemFlagNames = [...]imap.Flag{imap.FlagSeen, imap.FlagAnswered, imap.FlagFlagged, imap.FlagDeleted, imap.FlagDraft}

// flagLists are the system flags of every metadata.Flags, written out.
var flagLists = func() (lists [1 << len(systemFlagNames)]string) {
	for f := range lists {
		var names []string
		for i, n := range systemFlagNames {
			if f&(1<<i) != 0 {
				names = append(names, string(n))
			}
		}
		lists[f] = strings.Join(names, " ")
	}
	return lists
}()

// writeFlags writes the value of a FLAGS item.
func writeFlags(w *wire.Writer, m *metadata.Message, recent bool) {
	system := flagLists[int(m.Flags)%len(flagLists)]
	w.Raw("(").Raw(system)
	if m.Keywords != "" {
		if system != "" {
			w.SP()
		}
		w.Raw(m.Keywords)
	}
	if recent {
		if system != "" || m.Keywords != "" {
			w.SP()
		}
		w.Raw(`\Recent`)
	}
	w.Raw(")")
}

// systemFlag returns the bit of a system flag as wire.Parser.Flag spells it; 0 for a keyword.
func systemFlag(f imap.Flag) metadata.Flags {
	for i, n := range systemFlagNames {
		if n == f {
			return 1 << i
		}
	}
	return 0
}

// maxKeywordLength is the longest keyword a client may store, in bytes.
const maxKeywordLength = 100

// splitFlags sorts the flags of a STORE or APPEND into system flags and keywords. \Recent is the server's to set (RFC 3501
// section 2.3.2), and other names with a backslash mean nothing: both are refused.
func splitFlags(list []imap.Flag) (flags metadata.Flags, keywords []string, err error) {
	for _, f := range list {
		bit := systemFlag(f)
		switch {
		case bit != 0:
			flags |= bit
		case strings.HasPrefix(string(f), `\`):
			return 0, nil, &wire.SyntaxError{Text: "That flag cannot be stored"}
		case len(f) > maxKeywordLength:
			return 0, nil, &wire.SyntaxError{Text: "Keyword too long"}
		default:
			keywords = append(keywords, string(f))
		}
	}
	return flags, keywords, nil
}
