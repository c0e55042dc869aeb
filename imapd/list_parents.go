package imapd

import (
	"cmp"
	"slices"
	"strings"

	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// withParents returns the names that have selected names below them, and infos with those of them added that it lacked (above
// names that are only subscribed to).
func withParents(infos []mailstore.MailboxInfo, selects func(*mailstore.MailboxInfo) bool) ([]mailstore.MailboxInfo, map[string]bool) {
	known := make(map[string]bool, len(infos))
	for i := range infos {
		known[infos[i].Name] = true
	}
	below := make(map[string]bool)
	for i := range infos {
		if !selects(&infos[i]) {
			continue
		}
		for name := range parents(infos[i].Name) {
			if below[name] {
				break // and so all above it
			}
			below[name] = true
			if !known[name] {
				known[name] = true
				infos = append(infos, mailstore.MailboxInfo{Mailbox: metadata.Mailbox{Name: name}, NonExistent: true})
			}
		}
	}
	slices.SortFunc(infos, func(a, b mailstore.MailboxInfo) int {
		if c := cmp.Compare(b2i(b.Name == "INBOX"), b2i(a.Name == "INBOX")); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	return infos, below
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// parents yields the names above a name, the nearest first.
func parents(name string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for {
			cut := strings.LastIndexByte(name, mailstore.Delimiter)
			if cut < 0 {
				return
			}
			name = name[:cut]
			if !yield(name) {
				return
			}
		}
	}
}
