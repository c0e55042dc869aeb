package blobstore

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"golang.org/x/sync/errgroup"
)

const (
	prefetchBody     = 4 * FrameSize // raw bytes of the largest body that is worth reading ahead whole
	prefetchGap      = 16 << 10      // bytes between two bodies that are read along rather than asked around
	prefetchRange    = 1 << 20       // compressed bytes of one range
	prefetchParallel = 4             // ranges at a time
)

// Prefetch reads small bodies that will be read soon into the cache, merging those that lie side by side in a pack into
// one range. Errors are left for ReadAt to find. It returns when they are there. It reads at most a quarter of the cache, in
// the order of locs, so that what it brings does not push out what it brought.
func (r *Reader) Prefetch(ctx context.Context, locs []Location) {
	if r.cache == nil {
		return
	}
	wanted := make([]*Location, 0, len(locs))
	budget := r.bound / 4
	for i := range locs {
		loc := &locs[i]
		if loc.Size == 0 || loc.Size > prefetchBody {
			continue
		}
		if budget -= loc.Size + frameOverhead; budget < 0 {
			break
		}
		wanted = append(wanted, loc)
	}
	slices.SortFunc(wanted, func(a, b *Location) int {
		return cmp.Or(bytes.Compare(a.Pack[:], b.Pack[:]), cmp.Compare(a.Offset, b.Offset))
	})
	var g errgroup.Group
	g.SetLimit(prefetchParallel)
	for len(wanted) > 0 && ctx.Err() == nil {
		n := mergeable(wanted)
		group := wanted[:n]
		wanted = wanted[n:]
		g.Go(func() error {
			r.load(ctx, group[0].Pack, r.claimAbsent(group))
			return nil
		})
	}
	_ = g.Wait()
}

// mergeable returns how many of the first locations make one range.
func mergeable(locs []*Location) int {
	first := locs[0]
	end := first.Offset + first.Length
	for i, loc := range locs[1:] {
		next := max(end, loc.Offset+loc.Length)
		if loc.Pack != first.Pack || loc.Offset > end+prefetchGap || next-first.Offset > prefetchRange {
			return i + 1
		}
		end = next
	}
	return len(locs)
}

// claimAbsent claims the frames of the locations, which are sorted and of one pack, that nobody has or reads.
func (r *Reader) claimAbsent(locs []*Location) []*frameLoad {
	var refs []frameRef
	for _, loc := range locs {
		if more, err := frameRefs(refs, loc, 0, frameCount(loc.Size)-1); err == nil {
			refs = more
		}
	}
	own := make([]*frameLoad, 0, len(refs))
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, ref := range refs {
		key := frameKey{locs[0].Pack, ref.offset}
		if _, ok := r.cached(locs[0].Pack, ref); ok || r.loading[key] != nil {
			continue
		}
		own = append(own, r.claim(key, ref))
	}
	return own
}
