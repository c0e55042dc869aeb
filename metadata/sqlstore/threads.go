package sqlstore

import (
	"bytes"
	"context"
	"slices"

	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

var (
	// One column and a list: PostgreSQL joins many rows of two columns to an index by reading all of the table.
	sqlThreadsOfLinks = newText("threads of links", `SELECT link, thread_id FROM thread_links WHERE link IN ({list})`)
	sqlInsertThreads  = newText("insert threads", `INSERT INTO threads (account_id, body_id, thread_id) VALUES {rows (?, ?, ?)}
		ON CONFLICT (account_id, body_id) DO NOTHING`)
	sqlInsertLinks = newText("insert links", `INSERT INTO thread_links (link, thread_id) VALUES {rows (?, ?)}
		ON CONFLICT (link) DO NOTHING`)
	sqlCopyThreads = newText("copy threads", `INSERT INTO threads (account_id, body_id, thread_id)
		SELECT CAST($1 AS {blob}), body_id, thread_id FROM threads WHERE account_id = $2 AND body_id IN ({list})
		ON CONFLICT (account_id, body_id) DO NOTHING`)

	sqlThreads      = newText("threads", `SELECT body_id, thread_id FROM threads WHERE account_id = $1 AND body_id IN ({list})`)
	sqlThreadBodies = newText("thread bodies", `SELECT body_id FROM threads WHERE account_id = $1 AND thread_id = $2`)

	sqlDeleteThreads = newText("delete threads of account", `DELETE FROM threads WHERE account_id = $1`)
	sqlDeleteLinks   = newText("delete links of account", `DELETE FROM thread_links WHERE link BETWEEN $1 AND $2`)
)

// A body that began its thread has no row in threads: most do, and then a message costs one row, that of its own link.

// threadPlacing gives threads to the new bodies of an Append.
type threadPlacing struct {
	known map[linkKey]metadata.ThreadID // links that are there or about to be
	rows  []threadRow
	links []linkRow
}

// linkKey is how a link is stored: its account and the link itself.
type linkKey [16 + 8]byte

func newLinkKey(account metadata.AccountID, link *metadata.ThreadLink) (k linkKey) {
	copy(k[copy(k[:], account[:]):], link[:])
	return k
}

// deleteLinks returns the statement that deletes an account's links.
func deleteLinks(w *sqldb.Words, account metadata.AccountID) *sqldb.Stmt {
	first := newLinkKey(account, &metadata.ThreadLink{})
	last := newLinkKey(account, (*metadata.ThreadLink)(bytes.Repeat([]byte{0xff}, len(metadata.ThreadLink{}))))
	return sqlDeleteLinks.stmt(w, 0, first[:], last[:])
}

type threadRow struct {
	account metadata.AccountID
	body    metadata.BodyID
	thread  metadata.ThreadID
}

type linkRow struct {
	key    linkKey
	thread metadata.ThreadID
}

// look returns the statements that read the threads of the items' links.
func (p *threadPlacing) look(w *sqldb.Words, items []metadata.AppendItem) []*sqldb.Stmt {
	n := 0
	for i := range items {
		n += len(items[i].Links)
	}
	p.known = make(map[linkKey]metadata.ThreadID, n)
	keys := make([]linkKey, 0, n)
	for i := range items {
		for j := range items[i].Links {
			keys = append(keys, newLinkKey(items[i].Account, &items[i].Links[j]))
		}
	}
	stmts := listStmts(sqlThreadsOfLinks, w, keys, func(k *linkKey) any { return k[:] })
	for _, st := range stmts {
		st.Each = func(r sqldb.Row) error {
			var k linkKey
			var thread metadata.ThreadID
			err := r.Scan((*linkColumn)(&k), (*idColumn)(&thread))
			p.known[k] = thread
			return err
		}
	}
	return stmts
}

// place finds the thread of a new body: that of the first link known, or a new one.
func (p *threadPlacing) place(it *metadata.AppendItem) {
	thread := metadata.ThreadID(it.Body.ID)
	for i := range it.Links {
		if t, ok := p.known[newLinkKey(it.Account, &it.Links[i])]; ok {
			thread = t
			p.rows = append(p.rows, threadRow{it.Account, it.Body.ID, thread})
			break
		}
	}
	for i := range it.Links {
		k := newLinkKey(it.Account, &it.Links[i])
		if _, ok := p.known[k]; !ok {
			p.known[k] = thread
			p.links = append(p.links, linkRow{k, thread})
		}
	}
}

// write returns the statements that insert what place decided. Rows are in the order of their keys, so that transactions of
// accounts that have nothing in common write neighbouring pages in one order.
func (p *threadPlacing) write(w *sqldb.Words) []*sqldb.Stmt {
	slices.SortFunc(p.links, func(a, b linkRow) int { return bytes.Compare(a.key[:], b.key[:]) })
	stmts := rowStmts(sqlInsertThreads, w, p.rows, exact, func(args []any, r *threadRow) []any {
		return append(args, r.account[:], r.body[:], r.thread[:])
	})
	return append(stmts, rowStmts(sqlInsertLinks, w, p.links, exact, func(args []any, r *linkRow) []any {
		return append(args, r.key[:], r.thread[:])
	})...)
}

// Threads implements metadata.Store.
func (s *Store) Threads(ctx context.Context, account metadata.AccountID, bodies []metadata.BodyID) (map[metadata.BodyID]metadata.ThreadID, error) {
	var found map[metadata.BodyID]metadata.ThreadID
	if len(bodies) == 0 {
		return found, nil
	}
	err := s.read(ctx, "metadata.Threads", func() []*sqldb.Stmt {
		found = make(map[metadata.BodyID]metadata.ThreadID, len(bodies))
		stmts := listStmts(sqlThreads, &s.words, bodies, func(id *metadata.BodyID) any { return id[:] }, account[:])
		for _, st := range stmts {
			st.Each = func(r sqldb.Row) error {
				var body metadata.BodyID
				var thread metadata.ThreadID
				err := r.Scan((*idColumn)(&body), (*idColumn)(&thread))
				found[body] = thread
				return err
			}
		}
		return stmts
	})
	if err != nil {
		return nil, err
	}
	for _, body := range bodies {
		if _, ok := found[body]; !ok {
			found[body] = metadata.ThreadID(body)
		}
	}
	return found, nil
}

// ThreadBodies implements metadata.Store.
func (s *Store) ThreadBodies(ctx context.Context, account metadata.AccountID, thread metadata.ThreadID) ([]metadata.BodyID, error) {
	var bodies []metadata.BodyID
	begun := true
	err := s.read(ctx, "metadata.ThreadBodies", func() []*sqldb.Stmt {
		bodies, begun = []metadata.BodyID{metadata.BodyID(thread)}, true
		first := sqlThreads.stmt(&s.words, 1, account[:], thread[:])
		first.Each = func(sqldb.Row) error { begun = false; return nil }
		st := sqlThreadBodies.stmt(&s.words, 0, account[:], thread[:])
		st.Each = func(r sqldb.Row) error {
			bodies = append(bodies, metadata.BodyID{})
			return r.Scan((*idColumn)(&bodies[len(bodies)-1]))
		}
		return []*sqldb.Stmt{first, st}
	})
	if !begun { // the body is of another thread, so none has its name
		bodies = nil
	}
	return bodies, err
}
