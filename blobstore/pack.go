package blobstore

import (
	"context"
	"io"
	"time"
)

// Entry describes one owner of a body in a pack's footer: enough to rebuild the metadata from packs alone. A body delivered
// to several recipients has one Entry for each, over the same frames.
type Entry struct {
	Body         BodyID
	Account      OwnerID
	Mailbox      OwnerID
	UID          uint32 // 0: not known when the pack was written
	InternalDate time.Time
	Prefix       []byte // raw header lines before the stored bytes, for this owner only
	Location     Location
}

// PackKey returns the object key of a pack: packs/YYYYMMDD/HHMM/<id>, by the time in the id.
func PackKey(id PackID) string { panic("stub") }

// Compressed is a body as frames in memory, ready to go into a pack with others.
type Compressed struct {
	Data   []byte // the frames
	Frames []byte // as in Location
	Size   int64  // raw bytes
}

// FrameWriter splits raw bytes into frames. It holds one frame.
type FrameWriter struct{}

// NewFrameWriter returns a FrameWriter that writes finished frames to dst.
func NewFrameWriter(dst io.Writer) *FrameWriter { panic("stub") }

// Write takes raw bytes.
func (w *FrameWriter) Write(p []byte) (int, error) { panic("stub") }

// Close writes the last frame. After it Frames, Length and Size are final. It does not close dst.
func (w *FrameWriter) Close() error { panic("stub") }

// Frames returns the frame table, as in Location.
func (w *FrameWriter) Frames() []byte { panic("stub") }

// Length returns the compressed bytes written to dst.
func (w *FrameWriter) Length() int64 { panic("stub") }

// Size returns the raw bytes taken.
func (w *FrameWriter) Size() int64 { panic("stub") }

// Builder collects bodies for one pack in memory.
type Builder struct{}

// NewBuilder begins a pack.
func NewBuilder(id PackID) *Builder { panic("stub") }

// Add puts a body into the pack, once for all its owners, and returns where it will be. Entry.Location is filled in.
func (b *Builder) Add(c Compressed, owners ...Entry) Location { panic("stub") }

// Len returns the pack's size so far, without footer.
func (b *Builder) Len() int64 { panic("stub") }

// Put finishes the pack and stores it under PackKey; it returns the object's size.
func (b *Builder) Put(ctx context.Context, s Store) (size int64, err error) { panic("stub") }

// PackUpload is a pack of one large body, streamed.
type PackUpload struct{}

// CreatePack begins a streamed pack.
func CreatePack(ctx context.Context, s Store, id PackID) (*PackUpload, error) { panic("stub") }

// Write takes raw bytes of the body.
func (u *PackUpload) Write(p []byte) (int, error) { panic("stub") }

// Commit writes the footer for the owners and makes the pack durable.
func (u *PackUpload) Commit(ctx context.Context, owners ...Entry) (loc Location, size int64, err error) {
	panic("stub")
}

// Abort throws the pack away.
func (u *PackUpload) Abort(ctx context.Context) { panic("stub") }

// Reader reads bodies, through a bounded cache of decompressed frames.
type Reader struct{}

// ReaderOptions bound a Reader.
type ReaderOptions struct {
	CacheBytes int64 // decompressed frames kept in memory; 0: none
}

// NewReader returns a Reader over s.
func NewReader(s Store, o ReaderOptions) *Reader { panic("stub") }

// ReadAt fills p from raw offset off of the body, asking the store for no more than the frames that cover it, in one range.
// Like io.ReaderAt it returns io.EOF with fewer bytes at the end.
func (r *Reader) ReadAt(ctx context.Context, loc Location, p []byte, off int64) (int, error) {
	panic("stub")
}

// Prefetch reads small bodies that will be read soon into the cache, merging those that lie side by side in a pack into
// one range. Errors are left for ReadAt to find. It returns when they are there.
func (r *Reader) Prefetch(ctx context.Context, locs []Location) { panic("stub") }

// ReadFooter returns the entries of a pack, from the pack alone, verifying magic, version and checksum.
func ReadFooter(ctx context.Context, s Store, id PackID) ([]Entry, error) { panic("stub") }
