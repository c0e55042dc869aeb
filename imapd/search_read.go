package imapd

import (
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

const (
	// searchReaders is how many messages one SEARCH reads at once.
	searchReaders = 4
	// searchBatch is how many messages are read between two points at which a SEARCH tells how far it is.
	searchBatch = 256
)

// newSearchReads bounds the messages that all searches of a server read at once. Each costs some 100 KiB, however large it is.
func newSearchReads() *semaphore.Weighted {
	return semaphore.NewWeighted(int64(max(2*searchReaders, 4*runtime.GOMAXPROCS(0))))
}

// searchPieces are buffers for decoded text.
var searchPieces = sync.Pool{New: func() any { return new([2 * matchPiece]byte) }}

// read reads messages and decides on them.
func (r *searchRun) read(rows []searchRow) error {
	for len(rows) > 0 {
		batch := rows[:min(len(rows), searchBatch)]
		rows = rows[len(batch):]
		if err := r.away(func() error { return r.readBatch(batch) }); err != nil {
			return err
		}
		for i := range batch {
			row := &batch[i]
			if row.failed != nil {
				if err := r.damaged(row.c.row, row.failed); err != nil {
					return err
				}
			} else if r.program.root.eval(&row.c) == matches {
				r.hit(row.seq, row.c.row)
			}
		}
	}
	return nil
}

// readBatch reads messages, several at once, and sets what was found in each, or how it failed. It returns what ends the search.
// Panics are the caller's.
func (r *searchRun) readBatch(rows []searchRow) error {
	var (
		panicked any
		once     sync.Once
	)
	readers, ctx := errgroup.WithContext(r.ctx)
	readers.SetLimit(searchReaders)
	for len(rows) > 0 && ctx.Err() == nil {
		// What is read ahead has to fit the cache with that of other sessions.
		n := r.ahead(rows)
		for i := range rows[:n] {
			row := &rows[i]
			readers.Go(func() error {
				defer func() {
					if v := recover(); v != nil {
						once.Do(func() { panicked = v })
					}
				}()
				if err := r.reads.Acquire(ctx, 1); err != nil {
					return err
				}
				defer r.reads.Release(1)
				row.c.found = make([]bool, len(r.program.content))
				row.failed = r.look(ctx, row)
				if row.failed != nil && mailerr.KindOf(row.failed) != mailerr.Internal {
					return row.failed // the others will not do better
				}
				return nil
			})
		}
		rows = rows[n:]
	}
	err := readers.Wait()
	if panicked != nil {
		panic(panicked)
	}
	if err != nil && r.ctx.Err() != nil {
		return r.ctx.Err()
	}
	return err
}

// ahead asks for the bodies of the first messages of rows, as far as they are small enough, and returns how many messages those
// are.
func (r *searchRun) ahead(rows []searchRow) int {
	var (
		bodies []*metadata.Body
		size   int64
		n      int
	)
	for ; n < len(rows) && n < fetchBatch; n++ {
		b := rows[n].body.row
		if b.Stored > prefetchBytes {
			continue
		}
		if size += b.Stored; size > fetchBatchBytes && n > 0 {
			break
		}
		bodies = append(bodies, b)
	}
	if len(bodies) > 1 {
		r.sel.Prefetch(r.ctx, bodies)
	}
	return n
}
