package mailstore

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"
)

// overdrafts is how many messages at once may grow to streamAbove although the budget is used up.
const overdrafts = 8

// stageMemory bounds the bytes that small messages hold between their first byte and their commit.
//
// A message takes from the budget step by step while it grows. Were it to wait for more while it holds some, all could
// wait for each other; so a step that the budget cannot give at once waits for one of a few overdrafts instead, and who
// has one needs nothing more. Who holds budget or an overdraft and does not wait is either receiving, and given up when it is
// slow (see receivers), or in a lane, which always ends.
type stageMemory struct {
	budget    *semaphore.Weighted
	overdraft *semaphore.Weighted
}

func newStageMemory(budget int64) *stageMemory {
	return &stageMemory{budget: semaphore.NewWeighted(budget), overdraft: semaphore.NewWeighted(overdrafts)}
}

// grant is what one message holds of a stageMemory. Not for concurrent use.
type grant struct {
	m     *stageMemory
	bytes int64
	over  bool
}

// grow makes the grant cover n bytes. It waits when there is no memory, until ctx ends, and makes slow ones of all give theirs.
func (g *grant) grow(ctx context.Context, all *receivers, n int64) error {
	for !g.over && n > g.bytes {
		if g.m.budget.TryAcquire(n - g.bytes) {
			g.bytes = n
			return nil
		}
		ok, err := all.wait(ctx, g.m.overdraft)
		if err != nil {
			return err
		}
		if g.over = ok; !ok {
			all.giveUp((*stager).holding)
		}
	}
	return nil
}

// shrink gives back what is not needed for n bytes.
func (g *grant) shrink(n int64) {
	if g.over && (n <= g.bytes || g.m.budget.TryAcquire(n-g.bytes)) {
		g.m.overdraft.Release(1)
		g.over = false
		g.bytes = max(g.bytes, n)
	}
	if n < g.bytes {
		g.m.budget.Release(g.bytes - n)
		g.bytes = n
	}
}

// Buffers come in these sizes, so that what one message used the next can.
var bufferSizes = [...]int{16 << 10, 64 << 10, 256 << 10, 1 << 20, streamAbove}

var bufferPools [len(bufferSizes)]sync.Pool // of *[]byte

// getBuffer returns an empty buffer of at least n bytes capacity, n at most the largest size.
func getBuffer(n int) []byte {
	for i, size := range bufferSizes {
		if n <= size {
			if b, ok := bufferPools[i].Get().(*[]byte); ok {
				return (*b)[:0]
			}
			return make([]byte, 0, size)
		}
	}
	return make([]byte, 0, n)
}

// putBuffer gives a buffer of getBuffer back.
func putBuffer(b []byte) {
	for i, size := range bufferSizes {
		if cap(b) == size {
			bufferPools[i].Put(&b)
			return
		}
	}
}
