package delivery

import (
	"strings"

	"github.com/rookery-mail/rookery/metadata"
)

// Event is what one IMAP command did to messages of one mailbox (RFC 6785 section 2.2). It has the fields of imapd.Event.
type Event struct {
	Cause   string              // APPEND, COPY or FLAG
	User    metadata.AccountID  // who did it
	Account metadata.AccountID  // whose the mailbox is
	Mailbox metadata.MailboxID  // where the messages are now
	From    *metadata.MailboxID // where COPY took them from; nil otherwise
	UIDs    metadata.UIDSet     // in Mailbox
	Changed []string            // the flags that FLAG set or cleared
}

// The causes of RFC 6785 section 4.3.
const (
	causeCopy = "COPY"
	causeFlag = "FLAG"
)

// Rule makes an administrator's script run at events in mailboxes: those of every account.
type Rule struct {
	From    string // where a COPY comes from; "": any event fits, not only COPY
	Mailbox string // where the message is then
	Script  string // one of the scripts shared by all accounts
}

// fits reports whether the rule is for an event. from is nil unless it is known where the messages came from.
func (r *Rule) fits(from, mailbox *metadata.Mailbox) bool {
	return matches(r.Mailbox, mailbox) && (r.From == "" || from != nil && from.ID != mailbox.ID && matches(r.From, from))
}

// matches reports whether a mailbox is meant: by a special use (`\Junk`), by its name, or by the beginning of it ("Work/*").
func matches(pattern string, m *metadata.Mailbox) bool {
	if strings.HasPrefix(pattern, `\`) {
		return byUse(pattern)(m)
	}
	if beginning, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(m.Name, beginning)
	}
	return byName(pattern)(m)
}

// ParseRule reads a rule: MAILBOX=SCRIPT, or FROM>MAILBOX=SCRIPT.
func ParseRule(s string) (r Rule, ok bool) {
	i := strings.LastIndexByte(s, '=')
	if i < 0 {
		return r, false
	}
	r.Mailbox, r.Script = s[:i], s[i+1:]
	from, mailbox, moved := strings.Cut(r.Mailbox, ">")
	if moved {
		r.From, r.Mailbox = from, mailbox
	}
	valid := r.Mailbox != "" && r.Script != "" && len(r.Script) <= metadata.MaxScriptName && (!moved || r.From != "")
	return r, valid
}
