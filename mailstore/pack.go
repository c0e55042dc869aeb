package mailstore

import (
	"context"
	"runtime"
	"slices"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

func (l *lanes) runPacker() {
	for {
		batch, end := l.takeStaged()
		if batch == nil {
			return
		}
		l.guard("mailstore.pack", func(err error) { failAll(batch, err) }, func() { l.putPack(batch) })
		end()
		for _, d := range batch {
			d.staged.release()
		}
	}
}

// mayPack reports whether a pack should be begun: there is something for it that would not, once it is stored, only wait
// behind others of its account. What waits anyway may as well wait here and travel in a larger pack. l.mu is held.
func (l *lanes) mayPack() bool {
	if l.stopped {
		return len(l.staged) > 0
	}
	if len(l.located) >= maxLocated || (l.packing.running > 0 || l.commitAwaits()) && !l.fillsPack() {
		return false
	}
	for _, d := range l.staged {
		for _, it := range d.items {
			if l.queued[it.account] == 0 {
				return true
			}
		}
	}
	return false
}

// commitAwaits reports whether the next transaction has its items already and waits for the running one: what is packed
// now would only wait behind them, so it had better travel in a larger pack. l.mu is held.
func (l *lanes) commitAwaits() bool {
	if l.commits.running == 0 {
		return false
	}
	for _, it := range l.located {
		if _, busy := l.busy[it.account]; !busy {
			return true
		}
	}
	return false
}

// fillsPack reports whether what waits fills a pack. l.mu is held.
func (l *lanes) fillsPack() bool {
	size := 0
	for _, d := range l.staged {
		size += len(d.staged.body.Data)
	}
	return len(l.staged) >= maxPackBodies || size >= maxPackBytes
}

// takeStaged waits for deliveries and returns as many as fit a pack; nil when the lanes have stopped. While the database is
// far behind, no more packs are written for it. end is to be called when the pack is stored.
func (l *lanes) takeStaged() (batch []*delivery, end func()) {
	for {
		l.mu.Lock()
		for !l.mayPack() {
			if l.stopped {
				l.mu.Unlock()
				return nil, nil
			}
			l.toPack.Wait()
		}
		end = l.begin(&l.packing)
		l.mu.Unlock()
		l.letOthersStage()
		if batch = l.cutStaged(); len(batch) > 0 {
			return batch, end
		}
		end() // another packer was quicker
	}
}

// maxYields bounds how often a packer lets others go first.
const maxYields = 8

// letOthersStage lets whoever is about to hand something over go first, as long as somebody does: on a busy node that makes packs
// larger, on an idle one there is nobody and no delay.
func (l *lanes) letOthersStage() {
	for n, had := 0, 0; n < maxYields; n++ {
		runtime.Gosched()
		l.mu.Lock()
		have := len(l.staged)
		l.mu.Unlock()
		if n > 0 && have <= had {
			return
		}
		had = have
	}
}

// cutStaged takes as many deliveries as fit a pack from the front of staged.
func (l *lanes) cutStaged() []*delivery {
	l.mu.Lock()
	defer l.mu.Unlock()
	var size int64
	n := 0
	for n < len(l.staged) && n < maxPackBodies {
		size += int64(len(l.staged[n].staged.body.Data))
		if n > 0 && size > maxPackBytes {
			break
		}
		n++
	}
	batch := slices.Clone(l.staged[:n])
	rest := copy(l.staged, l.staged[n:])
	clear(l.staged[rest:])
	if l.staged = l.staged[:rest]; rest > 0 {
		l.toPack.Signal()
	}
	return batch
}

// putPack writes the deliveries' bodies as one pack and hands their items on to be committed.
func (l *lanes) putPack(batch []*delivery) {
	const op = "mailstore.Deliver"
	ctx, cancel := context.WithTimeout(l.s.ctx, packTimeout)
	defer cancel()
	now := l.s.now()
	id := metadata.NewPackID(now)
	b := blobstore.NewBuilder(blobstore.PackID(id))
	wanted := make([]*delivery, 0, len(batch))
	locs := make([]blobstore.Location, 0, len(batch))
	for _, d := range batch {
		if d.isAbandoned() {
			d.fail(mailerr.Wrap(op, mailerr.Unavailable, errGaveUp))
			continue
		}
		wanted = append(wanted, d)
		locs = append(locs, b.Add(d.staged.body, d.entries()...))
	}
	if len(wanted) == 0 {
		return
	}
	size, err := b.Put(ctx, l.s.blobs)
	if err != nil {
		l.s.metrics.packs.WithLabelValues("failed").Inc()
		l.s.log.Warn("writing a pack failed", "pack", id.String(), "bodies", len(wanted), "err", err)
		// Whatever the object store says, the sender can do nothing but try again.
		failAll(wanted, mailerr.Wrap(op, mailerr.Unavailable, err))
		return
	}
	l.s.metrics.packs.WithLabelValues("stored").Inc()
	l.s.metrics.packBodies.Observe(float64(len(wanted)))
	pack := metadata.Pack{ID: id, Size: size, Bodies: len(wanted), Created: now}
	for i, d := range wanted {
		d.locate(pack, locs[i])
	}
	for _, d := range wanted {
		if d.keepOnly {
			d.settleKept()
		}
	}
	wanted = slices.DeleteFunc(wanted, func(d *delivery) bool { return d.keepOnly })
	if !l.handOn(wanted) {
		failAll(wanted, errClosed(op))
	}
}

// handOn queues the deliveries' items to be committed; false when there is nobody left to do it.
func (l *lanes) handOn(stored []*delivery) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped {
		return false
	}
	for _, d := range stored {
		l.enqueue(d.items)
	}
	return true
}

func failAll(batch []*delivery, err error) {
	for _, d := range batch {
		d.fail(err)
	}
}
