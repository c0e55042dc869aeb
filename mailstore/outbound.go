package mailstore

import (
	"bytes"
	"context"
	"io"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// inlineOutbound is the compressed size up to which a body travels in its item's row: beyond it a PUT costs less than what
// the database would carry.
const inlineOutbound = 64 << 10

// Outbound returns the message as the body of items of the outbound queue: within the row if it is small, else in the pack
// that Deliver then uses too, whose row is returned. Call it before Deliver.
func (st *Staged) Outbound(ctx context.Context, owner metadata.AccountID) (metadata.OutboundBody, *metadata.Pack, error) {
	if st.upload == nil && !st.durable && len(st.body.Data) <= inlineOutbound {
		return metadata.OutboundBody{Data: st.body.Data, Frames: st.body.Frames, Stored: st.body.Size}, nil, nil
	}
	if err := st.MakeDurable(ctx, owner); err != nil {
		return metadata.OutboundBody{}, nil, err
	}
	pack := st.packRow
	return metadata.OutboundBody{Pack: metadata.PackID(st.loc.Pack), Offset: st.loc.Offset, Length: st.loc.Length,
		Frames: st.loc.Frames, Stored: st.loc.Size}, &pack, nil
}

// InlineOutbound returns a message that was made here as a body within its row. TooBig.
func (s *Store) InlineOutbound(raw []byte) (metadata.OutboundBody, error) {
	c := blobstore.Compress(raw)
	if len(c.Data) > metadata.MaxOutboundData {
		return metadata.OutboundBody{}, mailerr.New("mailstore.InlineOutbound", mailerr.TooBig, "")
	}
	return metadata.OutboundBody{Data: c.Data, Frames: c.Frames, Stored: c.Size}, nil
}

// OpenOutbound returns a reader of a body of the outbound queue, prefix included. Reading gives Unavailable, Internal.
func (s *Store) OpenOutbound(ctx context.Context, b *metadata.OutboundBody) io.Reader {
	var body io.Reader
	if b.InPack() {
		loc := blobstore.Location{Pack: blobstore.PackID(b.Pack), Offset: b.Offset, Length: b.Length, Size: b.Stored, Frames: b.Frames}
		body = io.NewSectionReader(&packReader{ctx: ctx, s: s, loc: loc}, 0, b.Stored)
	} else {
		body = blobstore.Compressed{Data: b.Data, Frames: b.Frames, Size: b.Stored}.Reader()
	}
	return io.MultiReader(bytes.NewReader(b.Prefix), body)
}

type packReader struct {
	ctx context.Context
	s   *Store
	loc blobstore.Location
}

// ReadAt implements io.ReaderAt.
func (r *packReader) ReadAt(p []byte, off int64) (int, error) {
	n, err := r.s.reader.ReadAt(r.ctx, r.loc, p, off)
	if err != nil && err != io.EOF { //nolint:errorlint // io.ReaderAt's io.EOF is never wrapped
		return n, wrap("mailstore.OpenOutbound", mailerr.Wrap("blobstore.ReadAt", mailerr.Unavailable, err))
	}
	return n, err
}
