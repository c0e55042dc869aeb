package blobstore

import (
	"context"
	"io"
	"sync"

	"github.com/maypok86/otter/v2"

	"github.com/rookery-mail/rookery/mailerr"
)

// frameWindow is how many frames a Reader asks for, and holds, in one range.
const frameWindow = 16

// Reader reads bodies, through a bounded cache of decompressed frames. Its methods may be called concurrently; readers that
// want the same frame at the same time wait for one load of it.
type Reader struct {
	store Store
	bound int64
	cache *otter.Cache[frameKey, []byte] // nil: none

	mu      sync.Mutex
	loading map[frameKey]*frameLoad // guarded by mu
}

// frameKey names a frame: packs are immutable, so it needs no more.
type frameKey struct {
	pack   PackID
	offset int64
}

// frameLoad is a frame being read by one caller and waited for by others. done is closed after raw and err are set.
type frameLoad struct {
	ref  frameRef
	done chan struct{}
	raw  []byte
	err  error
}

// ReaderOptions bound a Reader.
type ReaderOptions struct {
	CacheBytes int64 // decompressed frames kept in memory; 0: none
}

// frameOverhead is what a cached frame costs beside its bytes, roughly.
const frameOverhead = 200

// NewReader returns a Reader over s.
func NewReader(s Store, o ReaderOptions) *Reader {
	r := &Reader{store: s, bound: o.CacheBytes, loading: map[frameKey]*frameLoad{}}
	if o.CacheBytes > 0 {
		r.cache = otter.Must(&otter.Options[frameKey, []byte]{
			MaximumWeight: uint64(o.CacheBytes),
			Weigher:       func(_ frameKey, raw []byte) uint32 { return uint32(cap(raw) + frameOverhead) },
		})
	}
	return r
}

// ReadAt fills p from raw offset off of the body, asking the store for no more than the frames that cover it, in one range
// for every 4 MiB. Like io.ReaderAt it returns io.EOF with fewer bytes at the end. NotFound, Unavailable, Internal; Invalid
// for a negative offset.
func (r *Reader) ReadAt(ctx context.Context, loc Location, p []byte, off int64) (int, error) {
	const op = "blobstore.Reader.ReadAt"
	if off < 0 {
		return 0, mailerr.New(op, mailerr.Invalid, "")
	}
	n := 0
	var refs [frameWindow]frameRef
	for n < len(p) && off < loc.Size {
		first := off / FrameSize
		last := min((off+int64(len(p)-n)-1)/FrameSize, first+frameWindow-1)
		window, err := frameRefs(refs[:0], &loc, first, last)
		if err != nil {
			return n, mailerr.Wrap(op, mailerr.Internal, err)
		}
		err = r.readFrames(ctx, loc.Pack, window, func(raw []byte) {
			c := copy(p[n:], raw[off%FrameSize:])
			n += c
			off += int64(c)
		})
		if err != nil {
			return n, err
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// readFrames calls use with each frame's raw bytes in order, from the cache, from another's load, or from the store.
func (r *Reader) readFrames(ctx context.Context, pack PackID, refs []frameRef, use func(raw []byte)) error {
	for len(refs) > 0 {
		// What is there already needs no claim.
		raw, ok := r.cached(pack, refs[0])
		if !ok {
			break
		}
		use(raw)
		refs = refs[1:]
	}
	if len(refs) == 0 {
		return nil
	}
	var ready [frameWindow][]byte
	var others [frameWindow]*frameLoad
	own := make([]*frameLoad, 0, len(refs))
	r.mu.Lock()
	for i, ref := range refs {
		key := frameKey{pack, ref.offset}
		if raw, ok := r.cached(pack, ref); ok {
			ready[i] = raw
		} else if l := r.loading[key]; l != nil {
			others[i] = l
		} else {
			own = append(own, r.claim(key, ref))
			others[i] = own[len(own)-1]
		}
	}
	r.mu.Unlock()
	r.load(ctx, pack, own)
	for i, ref := range refs {
		raw := ready[i]
		if raw == nil {
			var err error
			if raw, err = r.await(ctx, pack, ref, others[i]); err != nil {
				return err
			}
		}
		use(raw)
	}
	return nil
}

func (r *Reader) cached(pack PackID, ref frameRef) ([]byte, bool) {
	if r.cache == nil {
		return nil, false
	}
	raw, ok := r.cache.GetIfPresent(frameKey{pack, ref.offset})
	return raw, ok && len(raw) == ref.size
}

// claim makes the caller the one who loads a frame. The caller holds mu and calls load soon.
func (r *Reader) claim(key frameKey, ref frameRef) *frameLoad {
	l := &frameLoad{ref: ref, done: make(chan struct{})}
	r.loading[key] = l
	return l
}

// await returns a frame when its load has ended. A load that failed for somebody else is tried again here: their context may
// have ended while ours has not.
func (r *Reader) await(ctx context.Context, pack PackID, ref frameRef, l *frameLoad) ([]byte, error) {
	select {
	case <-l.done:
	case <-ctx.Done():
		return nil, mailerr.Wrap("blobstore.Reader", mailerr.Unavailable, ctx.Err())
	}
	if l.err == nil && len(l.raw) == ref.size {
		return l.raw, nil
	}
	if l.err != nil && (ctx.Err() != nil || !mailerr.Is(l.err, mailerr.Unavailable)) {
		return nil, l.err
	}
	data, err := readExactly(ctx, r.store, PackKey(pack), ref.offset, int64(ref.length))
	if err != nil {
		return nil, err
	}
	return r.decode(pack, ref, data)
}

// load reads claimed frames, sorted by offset, in one range, and ends their loads.
func (r *Reader) load(ctx context.Context, pack PackID, own []*frameLoad) {
	if len(own) == 0 {
		return
	}
	start, last := own[0].ref.offset, own[len(own)-1].ref
	defer func() {
		// Nobody may wait for ever, whatever happens here.
		r.mu.Lock()
		for _, l := range own {
			delete(r.loading, frameKey{pack, l.ref.offset})
		}
		r.mu.Unlock()
		for _, l := range own {
			if l.err == nil && l.raw == nil {
				l.err = mailerr.New("blobstore.Reader", mailerr.Internal, "")
			}
			close(l.done)
		}
	}()
	data, err := readExactly(ctx, r.store, PackKey(pack), start, last.offset+int64(last.length)-start)
	for _, l := range own {
		if err != nil {
			l.err = err
			continue
		}
		at := l.ref.offset - start
		l.raw, l.err = r.decode(pack, l.ref, data[at:at+int64(l.ref.length)])
		if l.err == nil && r.cache != nil {
			r.cache.Set(frameKey{pack, l.ref.offset}, l.raw)
		}
	}
}

func (r *Reader) decode(pack PackID, ref frameRef, data []byte) ([]byte, error) {
	raw, err := decodeFrame(data, ref.size)
	if err != nil {
		return nil, mailerr.Wrap("blobstore.Reader "+PackKey(pack), mailerr.Internal, err)
	}
	return raw, nil
}
