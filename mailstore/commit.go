package mailstore

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/notify"
)

func (l *lanes) runCommitter() {
	for {
		batch, end := l.takeLocated()
		if batch == nil {
			return
		}
		fail := func(err error) {
			for _, it := range batch {
				it.settle(metadata.AppendResult{Err: err})
			}
		}
		l.guard("mailstore.commit", fail, func() { l.commitBatch(batch, end) })
	}
}

// takeLocated waits for items of accounts that no other committer has in hand and returns as many as fit a transaction, in
// order; their accounts are busy until free is called, and end is to be called then too. nil when the lanes have stopped.
func (l *lanes) takeLocated() (batch []*item, end func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		var rest []*item
		if batch, rest = l.eligible(); len(batch) > 0 {
			for _, it := range batch {
				l.busy[it.account] = struct{}{}
				if l.queued[it.account]--; l.queued[it.account] == 0 {
					delete(l.queued, it.account)
				}
			}
			l.located = rest
			if len(l.staged) > 0 {
				l.toPack.Broadcast()
			}
			if len(rest) > 0 {
				l.toDo.Signal() // another committer may take some of them
			}
			return batch, l.begin(&l.commits)
		}
		if l.stopped {
			return nil, nil
		}
		l.toDo.Wait()
	}
}

// eligible splits located into what may be committed now, and the rest. l.mu is held.
func (l *lanes) eligible() (batch, rest []*item) {
	if l.commits.running > 0 && len(l.located) < maxCommitItems && !l.stopped {
		return nil, l.located // there will soon be more for one transaction
	}
	size := 0
	for i, it := range l.located {
		if _, busy := l.busy[it.account]; busy {
			rest = append(rest, it)
			continue
		}
		size += len(it.body.Summary) + len(it.body.Prefix)
		if len(batch) == maxCommitItems || len(batch) > 0 && size > maxCommitBytes {
			return batch, append(rest, l.located[i:]...)
		}
		batch = append(batch, it)
	}
	return batch, rest
}

// free lets other committers have the batch's accounts.
func (l *lanes) free(batch []*item) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, it := range batch {
		delete(l.busy, it.account)
	}
	l.toDo.Broadcast()
}

// commitBatch makes the items exist, hints, and answers.
func (l *lanes) commitBatch(batch []*item, end func()) {
	ctx, cancel := context.WithTimeout(l.s.ctx, commitTimeout)
	defer cancel()
	results := func() []metadata.AppendResult {
		defer end()
		defer l.free(batch)
		return l.appendItems(ctx, batch)
	}()
	l.s.metrics.commitItems.Observe(float64(len(batch)))
	l.s.publish(hintsOf(batch, results)...)
	for i, it := range batch {
		it.settle(results[i])
		if results[i].Err == nil && !it.noQuota {
			l.s.warnOfQuota(it.account, results[i].Use.Without(1, it.body.Size()), results[i].Use)
		}
	}
}

// appendItems is metadata.Append, but an item that the database refuses outright fails alone: a batch with a fault in it is
// halved until the fault is found. That is safe because nothing of a failed Append exists, and ids were chosen before.
func (l *lanes) appendItems(ctx context.Context, items []*item) []metadata.AppendResult {
	const op = "mailstore.Deliver"
	start := l.s.cfg.Now()
	results, err := l.s.meta.Append(ctx, appendBatch(items))
	l.s.metrics.commitSeconds.Observe(l.s.cfg.Now().Sub(start).Seconds())
	if err == nil && len(results) != len(items) {
		err = mailerr.Wrap(op, mailerr.Internal, fmt.Errorf("%d results for %d items", len(results), len(items)))
	}
	if err == nil {
		return results
	}
	if !mailerr.Is(err, mailerr.Unavailable) && len(items) > 1 && ctx.Err() == nil {
		half := len(items) / 2
		return append(l.appendItems(ctx, items[:half]), l.appendItems(ctx, items[half:])...)
	}
	l.s.log.Warn("committing messages failed", "items", len(items), "err", err)
	kind := mailerr.KindOf(err)
	if kind != mailerr.Unavailable {
		kind = mailerr.Internal
	}
	results = make([]metadata.AppendResult, len(items))
	for i := range results {
		results[i].Err = mailerr.Wrap(op, kind, err)
	}
	return results
}

func appendBatch(items []*item) metadata.AppendBatch {
	b := metadata.AppendBatch{Items: make([]metadata.AppendItem, len(items))}
	seen := make(map[metadata.PackID]struct{}, 4)
	for i, it := range items {
		if _, ok := seen[it.pack.ID]; !ok {
			seen[it.pack.ID] = struct{}{}
			b.Packs = append(b.Packs, it.pack)
		}
		b.Items[i] = metadata.AppendItem{
			Account:      it.account,
			Mailbox:      it.mailbox,
			Body:         it.body,
			Links:        it.links,
			Flags:        it.flags,
			Keywords:     it.keywords,
			InternalDate: it.internal,
			SaveDate:     it.save,
			QuotaGrace:   it.grace,
			IgnoreQuota:  it.noQuota,
		}
	}
	// Two commits may share packs; in one order their rows cannot be wanted crosswise.
	slices.SortFunc(b.Packs, func(x, y metadata.Pack) int { return bytes.Compare(x.ID[:], y.ID[:]) })
	return b
}

// hintsOf returns one hint for each mailbox that grew.
func hintsOf(items []*item, results []metadata.AppendResult) []notify.Hint {
	at := make(map[metadata.MailboxID]int, len(items))
	var hints []notify.Hint
	for i, it := range items {
		if results[i].Err != nil {
			continue
		}
		modseq := uint64(results[i].ModSeq)
		if k, ok := at[it.mailbox]; ok {
			hints[k].ModSeq = max(hints[k].ModSeq, modseq)
			continue
		}
		at[it.mailbox] = len(hints)
		hints = append(hints, notify.Hint{Account: it.account, Mailbox: it.mailbox, ModSeq: modseq})
	}
	return hints
}
