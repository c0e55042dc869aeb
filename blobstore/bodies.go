package blobstore

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"golang.org/x/sync/errgroup"
)

// bodiesParallel is how many ranges ReadBodies reads at a time: mail that arrived message by message lies in as many packs, and an
// object store gives several at once nearly as fast as one.
const bodiesParallel = 16

// ReadBodies reads whole small bodies, those that lie side by side in a pack in one range, and returns their raw bytes in the
// order of locs: nil for one that is too large (over 1 MiB) or could not be read, of which ReadAt tells why. Nothing is put into the cache:
// it is for readers who want each body once, and who hold what they get in their own bounds.
func (r *Reader) ReadBodies(ctx context.Context, locs []Location) [][]byte {
	raws := make([][]byte, len(locs))
	order := make([]int, 0, len(locs))
	var refs [prefetchBody / FrameSize]frameRef
	for i := range locs {
		loc := &locs[i]
		switch _, err := frameRefs(refs[:0], loc, 0, 0); {
		case err != nil || loc.Size > prefetchBody: // a damaged row must not say how much is read
		case loc.Size == 0:
			raws[i] = []byte{}
		default:
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(bytes.Compare(locs[a].Pack[:], locs[b].Pack[:]), cmp.Compare(locs[a].Offset, locs[b].Offset))
	})
	sorted := make([]*Location, len(order))
	for i, at := range order {
		sorted[i] = &locs[at]
	}
	var g errgroup.Group
	g.SetLimit(bodiesParallel)
	for len(sorted) > 0 && ctx.Err() == nil {
		n := mergeable(sorted)
		group, at := sorted[:n], order[:n]
		sorted, order = sorted[n:], order[n:]
		g.Go(func() error {
			r.readGroup(ctx, group, func(i int, raw []byte) { raws[at[i]] = raw })
			return nil
		})
	}
	_ = g.Wait()
	return raws
}

// readGroup reads bodies that make one range and gives each to have. What is not in order is left out.
func (r *Reader) readGroup(ctx context.Context, group []*Location, have func(i int, raw []byte)) {
	start, end := group[0].Offset, int64(0)
	for _, loc := range group {
		end = max(end, loc.Offset+loc.Length)
	}
	data, err := readExactly(ctx, r.store, PackKey(group[0].Pack), start, end-start)
	if err != nil {
		return
	}
	var refs []frameRef
	for i, loc := range group {
		if refs, err = frameRefs(refs[:0], loc, 0, frameCount(loc.Size)-1); err != nil {
			continue
		}
		if raw := r.assemble(loc, refs, data, start); raw != nil {
			have(i, raw)
		}
	}
}

// assemble returns a body's raw bytes out of the bytes of a pack from start on, nil if they are damaged.
func (r *Reader) assemble(loc *Location, refs []frameRef, data []byte, start int64) []byte {
	var whole []byte
	for _, ref := range refs {
		at := ref.offset - start
		if at < 0 || at+int64(ref.length) > int64(len(data)) {
			return nil
		}
		raw, err := r.decode(loc.Pack, ref, data[at:at+int64(ref.length)])
		switch {
		case err != nil:
			return nil
		case len(refs) == 1:
			return raw
		case whole == nil:
			whole = make([]byte, 0, loc.Size)
		}
		whole = append(whole, raw...)
	}
	return whole
}
