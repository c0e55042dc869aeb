package sqlstore

import (
	"strings"

	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

var sqlMailboxNames = newText("mailbox names", `SELECT mailbox_id, name FROM mailboxes WHERE account_id = $1 AND name IN ({list})`)

// nearest is the mailbox nearest above a name.
type nearest struct {
	id   *metadata.MailboxID // nil: there is none
	name string
}

// parentOf returns the statements that find the mailbox whose ACL a new one gets: the nearest above it, else m.Parent. The
// statements may come with those that lock the clock, behind them.
func (s *Store) parentOf(account metadata.AccountID, m *metadata.NewMailbox) (*nearest, []*sqldb.Stmt) {
	found := &nearest{}
	names := above(m.Name)
	if m.Parent != "" && m.Parent != m.Name {
		names = append(names, m.Parent)
	}
	stmts := listStmts(sqlMailboxNames, &s.words, names, func(n *string) any { return *n }, account[:])
	for _, st := range stmts {
		st.Each = func(r sqldb.Row) error {
			var id metadata.MailboxID
			var name string
			if err := r.Scan((*idColumn)(&id), &name); err != nil {
				return err
			}
			isAbove := strings.HasPrefix(m.Name, name+"/")
			wasAbove := strings.HasPrefix(m.Name, found.name+"/")
			if found.id == nil || isAbove && (!wasAbove || len(name) > len(found.name)) {
				found.id, found.name = &id, name
			}
			return nil
		}
	}
	return found, stmts
}

// above returns the names above a name, nearest first.
func above(name string) []string {
	var names []string
	for i := strings.LastIndexByte(name, '/'); i > 0; i = strings.LastIndexByte(name, '/') {
		name = name[:i]
		names = append(names, name)
	}
	return names
}
