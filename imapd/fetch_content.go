package imapd

import (
	"bufio"
	"bytes"
	"context"
	"io"

	"github.com/emersion/go-imap/v2"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
)

const (
	// headBytes of a literal are read before it is announced, so that a body that cannot be read is a failed command and not
	// a broken connection.
	headBytes = 32 << 10
	// filterBytes is the size of a header up to which HEADER.FIELDS is made in memory.
	filterBytes = 256 << 10
	// aheadBytes is how much of a long literal is read at once.
	aheadBytes = 512 << 10
)

// sectionContent is what BODY[section] is of one message.
type sectionContent struct {
	size int64

	// One of the following.
	data   []byte                              // in memory
	body   *fetchedBody                        // bytes of the message, at
	decode func(ctx context.Context) io.Reader // see fetch_binary.go

	at     span         // with body: where
	head   []byte       // with body: what load has read already
	filter *fieldFilter // with body: only these fields of the header at
	skip   int64        // with filter: bytes of the filtered header before the content
	binary bool         // to be sent as a literal8
}

// content prepares a section; nil when the message has no such section.
func (b *fetchedBody) content(ctx context.Context, s *imap.FetchItemBodySection) (*sectionContent, error) {
	if b.structure == nil { // only BODY[] goes without
		at := span{0, b.reader.Size()}.partial(s.Partial)
		return &sectionContent{size: at.end - at.off, body: b, at: at}, nil
	}
	at, ok := sectionSpan(b.structure, s)
	if !ok {
		return nil, nil
	}
	if headerFields(s) {
		return b.fields(ctx, s, at)
	}
	at = at.partial(s.Partial)
	return &sectionContent{size: at.end - at.off, body: b, at: at}, nil
}

// fields prepares HEADER.FIELDS or HEADER.FIELDS.NOT of the header at.
func (b *fetchedBody) fields(ctx context.Context, s *imap.FetchItemBodySection, at span) (*sectionContent, error) {
	filter := newFieldFilter(s)
	if len(s.Part) == 0 && b.structure.Complete() && filter.fromSummary() {
		return inMemory(filter.appendKept(nil, b.structure.Fields), s.Partial), nil
	}
	filtered := newFilterReader(b.open(ctx, at), filter)
	if at.end-at.off <= filterBytes {
		data, err := io.ReadAll(filtered)
		if err != nil {
			return nil, err
		}
		return inMemory(data, s.Partial), nil
	}
	// Read twice rather than held: once for its size, once to be sent.
	size, err := io.Copy(io.Discard, filtered)
	if err != nil {
		return nil, err
	}
	part := span{0, size}.partial(s.Partial)
	return &sectionContent{size: part.end - part.off, body: b, at: at, filter: &filter, skip: part.off}, nil
}

func inMemory(data []byte, partial *imap.SectionPartial) *sectionContent {
	at := span{0, int64(len(data))}.partial(partial)
	return &sectionContent{size: at.end - at.off, data: data[at.off:at.end]}
}

// load reads the first bytes of the content into buf, which must stay as it is until the content was sent.
func (c *sectionContent) load(ctx context.Context, buf []byte) error {
	if c.filter != nil {
		return nil // was read through already
	}
	buf = buf[:min(int64(len(buf)), c.size)]
	if _, err := io.ReadFull(c.body.open(ctx, c.at), buf); err != nil {
		return err
	}
	c.head = buf
	return nil
}

// reader returns the content.
func (c *sectionContent) reader(ctx context.Context) io.Reader {
	switch {
	case c.decode != nil:
		return c.decode(ctx)
	case c.body == nil:
		return bytes.NewReader(c.data)
	case c.filter != nil:
		return &skipReader{r: newFilterReader(c.body.open(ctx, c.at), *c.filter), skip: c.skip}
	}
	head, rest := bytes.NewReader(c.head), c.size-int64(len(c.head))
	if rest == 0 {
		return head
	}
	// The writer asks for little at a time, the blob store is better asked for much.
	body := bufio.NewReaderSize(c.body.open(ctx, span{c.at.end - rest, c.at.end}), int(min(rest, aheadBytes)))
	return io.MultiReader(head, body)
}

// write sends the content as a literal or literal8.
func (c *sectionContent) write(ctx context.Context, w *wire.Writer) error {
	if c.binary {
		return w.Literal8(c.size, c.reader(ctx))
	}
	return w.Literal(c.size, c.reader(ctx))
}

// skipReader reads r without its first bytes.
type skipReader struct {
	r    io.Reader
	skip int64
}

func (s *skipReader) Read(p []byte) (int, error) {
	if s.skip > 0 {
		if _, err := io.CopyN(io.Discard, s.r, s.skip); err != nil {
			return 0, err
		}
		s.skip = 0
	}
	return s.r.Read(p)
}
