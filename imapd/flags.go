package imapd

import (
	"strings"

	"github.com/emersion/go-imap/v2"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/metadata"
)

// systemFlags are the system flags in the order they are written.
var systemFlags = [...]struct {
	bit  metadata.Flags
	flag imap.Flag
}{
	{metadata.FlagAnswered, imap.FlagAnswered},
	{metadata.FlagFlagged, imap.FlagFlagged},
	{metadata.FlagDeleted, imap.FlagDeleted},
	{metadata.FlagSeen, imap.FlagSeen},
	{metadata.FlagDraft, imap.FlagDraft},
}

const systemFlagNames = `\Answered \Flagged \Deleted \Seen \Draft`

// writeFlags writes a message's flags as a parenthesised list.
func writeFlags(w *wire.Writer, m *metadata.Message, recent bool) {
	w.Byte('(')
	first := true
	next := func() {
		if !first {
			w.SP()
		}
		first = false
	}
	for i := range systemFlags {
		if m.Flags&systemFlags[i].bit != 0 {
			next()
			w.Raw(string(systemFlags[i].flag))
		}
	}
	if recent {
		next()
		w.Raw(`\Recent`)
	}
	if m.Keywords != "" {
		next()
		w.Raw(m.Keywords)
	}
	w.Byte(')')
}

// storedFlags sorts a client's flags into system flags and keywords. \Recent, which no client can change, is passed over:
// clients send it back with the others. No other system flags exist.
func storedFlags(flags []imap.Flag) (system metadata.Flags, keywords []string, err error) {
next:
	for _, f := range flags {
		if !strings.HasPrefix(string(f), `\`) {
			keywords = append(keywords, string(f))
			continue
		}
		for i := range systemFlags {
			if f == systemFlags[i].flag {
				system |= systemFlags[i].bit
				continue next
			}
		}
		if f != `\Recent` {
			return 0, nil, &wire.SyntaxError{Text: "No such system flag"}
		}
	}
	return system, keywords, nil
}
