package imapd

import (
	"context"
	"errors"
	"io"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/message"
	"github.com/rookery-mail/rookery/metadata"
)

func (r *fetchRun) end() { r.w.Raw(")\r\n") }

// nameKeywords makes sure that the client was told of the keywords that FLAGS is about to say.
func (r *fetchRun) nameKeywords(m *metadata.Message) {
	if m.Keywords != r.named { // runs of messages have the same
		r.s.nameKeywords(m.Keywords)
		r.named = m.Keywords
	}
}

// writeRowItem writes what the message's row has.
func (r *fetchRun) writeRowItem(kind fetchItemKind, m *metadata.Message) {
	switch kind {
	case fetchFlags:
		writeFlags(r.w, m, r.s.showsRecent() && r.s.sel.IsRecent(m.UID))
	case fetchUID:
		r.w.Number(uint64(m.UID))
	case fetchInternalDate:
		r.w.DateTime(m.InternalDate)
	case fetchSize:
		r.w.Number(uint64(m.Size))
	case fetchModSeq:
		r.w.Raw("(").Number(uint64(m.ModSeq)).Raw(")")
	case fetchSaveDate:
		r.w.DateTime(m.SaveDate)
	case fetchEmailID:
		r.w.Raw("(" + emailIDPrefix).Raw(m.Body.String()).Raw(")")
	case fetchThreadID:
		r.writeThreadID(m)
	}
}

// message writes the response for one message. What can fail is done before the first byte of it is written, but for the
// reading of long literals.
func (r *fetchRun) message(ctx context.Context, row *fetchRow, b *metadata.Body) error {
	var body *fetchedBody
	var contents []*sectionContent
	if !row.known {
		body = openBody(r.s.sel, b)
		prepare := func() (err error) {
			switch {
			case r.structure:
				err = body.scan(ctx)
			case r.envelope:
				err = body.scanEnvelope(ctx)
			}
			if err != nil {
				return err
			}
			if r.preview {
				if err := r.loadPreview(ctx, body); err != nil {
					return err
				}
			}
			contents, err = r.contents(ctx, body)
			return err
		}
		var err error
		if r.bytes || r.preview {
			err = r.away(prepare)
		} else {
			err = prepare()
		}
		if err != nil {
			return err
		}
	}
	if err := r.w.Err(); err != nil { // meanwhile: nothing is read for nobody
		return err
	}
	there, err := r.renew(ctx, row)
	if err != nil {
		return err
	}
	if !there { // and the client knows
		r.gone = true
		return nil
	}

	items := r.items
	if row.told {
		// RFC 3501 section 6.4.5: the change of \Seen is part of the response; RFC 7162 section 3.2.4: so are MODSEQ and UID.
		if r.s.condstore {
			items = prepend(items, fetchModSeq, "MODSEQ")
		}
		if (r.s.condstore || r.s.rev2) && !r.s.uidOnly {
			items = prepend(items, fetchUID, "UID")
		}
		items = prepend(items, fetchFlags, "FLAGS")
	}
	if r.flags || row.told {
		r.nameKeywords(&row.m)
	}
	r.s.beginFetch(row.seq, row.m.UID)
	for i := range items {
		it := &items[i]
		if i > 0 {
			r.w.SP()
		}
		r.w.Raw(it.name).SP()
		switch it.kind {
		case fetchEnvelope, fetchBody, fetchBodyStructure:
			r.texts.write(r.w, it.kind, row, body)
		case fetchPreview:
			r.w.NString(body.structure.Preview)
		case fetchBinarySize:
			r.w.Number(uint64(contents[0].size))
			contents = contents[1:]
		case fetchSection, fetchBinary:
			c := contents[0]
			contents = contents[1:]
			if c == nil {
				r.w.Raw("NIL")
			} else if err := c.write(ctx, r.w); err != nil {
				if fault := (*mailerr.Error)(nil); errors.As(err, &fault) {
					r.s.log.Error("message cannot be read to its end", "uid", row.m.UID, "body", row.m.Body.String(), "err", err)
				}
				return err
			}
		default:
			r.writeRowItem(it.kind, &row.m)
		}
	}
	r.end()
	return nil
}

// contents prepares the contents of all sections, in the order of the items; nil for a section the message does not have.
func (r *fetchRun) contents(ctx context.Context, body *fetchedBody) ([]*sectionContent, error) {
	var out []*sectionContent
	for i := range r.items {
		var c *sectionContent
		var err error
		switch it := &r.items[i]; it.kind {
		case fetchSection:
			c, err = body.content(ctx, it.section)
		case fetchBinary:
			c, err = body.binary(ctx, it.section, &r.s.decoded)
		case fetchBinarySize:
			c, err = body.binarySize(ctx, it.section, &r.s.decoded)
		default:
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	for _, c := range out {
		if c != nil && c.body != nil && c.size > 0 {
			if r.head == nil {
				r.head = make([]byte, headBytes)
			}
			return out, c.load(ctx, r.head)
		}
	}
	return out, nil
}

// fetchedBody is a message's body and what is known of it.
type fetchedBody struct {
	row       *metadata.Body
	reader    *mailstore.BodyReader
	structure *message.Structure // after scan
	envelope  *message.Envelope  // after scan or scanEnvelope
}

func openBody(sel *mailstore.Selected, row *metadata.Body) *fetchedBody {
	return &fetchedBody{row: row, reader: sel.OpenBody(row)}
}

// scan finds out the structure: from the summary, or from the message when the summary is of an unknown version.
func (b *fetchedBody) scan(ctx context.Context) (err error) {
	if b.structure, err = message.Decode(b.row.Summary, b.row.Prefix); err != nil {
		scanner := message.NewScanner()
		if _, err := io.Copy(scanner, b.open(ctx, span{0, b.reader.Size()})); err != nil {
			return err
		}
		b.structure = scanner.Close()
	}
	b.envelope = &b.structure.Envelope
	return nil
}

// scanEnvelope is scan where the envelope is enough.
func (b *fetchedBody) scanEnvelope(ctx context.Context) (err error) {
	if b.envelope, err = message.DecodeEnvelope(b.row.Summary, b.row.Prefix); err != nil {
		return b.scan(ctx)
	}
	return nil
}

// open returns a reader of some of the message's bytes.
func (b *fetchedBody) open(ctx context.Context, at span) *bodySpan {
	return &bodySpan{ctx: ctx, body: b.reader, at: at}
}

// bodySpan reads bytes of a body one after another.
type bodySpan struct {
	ctx  context.Context
	body *mailstore.BodyReader
	at   span
}

func (r *bodySpan) Read(p []byte) (int, error) {
	left := r.at.end - r.at.off
	if left <= 0 {
		return 0, io.EOF
	}
	n, err := r.body.ReadAt(r.ctx, p[:min(int64(len(p)), left)], r.at.off)
	r.at.off += int64(n)
	if n > 0 {
		return n, nil
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // the row says that there is more
	}
	return 0, err
}
