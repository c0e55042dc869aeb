package imapd

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/rookery-mail/rookery/message"
)

// look reads a message for its pending keys, and sets what was found for all content keys.
func (r *searchRun) look(ctx context.Context, row *searchRow) error {
	found := row.c.found
	// What the summary decides stays decided; eval does not look at the summary again.
	row.c.found = nil
	for _, k := range r.program.content {
		found[k.index] = k.eval(&row.c) == matches
	}
	row.c.found = found

	piece := searchPieces.Get().(*[2 * matchPiece]byte)
	defer searchPieces.Put(piece)
	l := &bodyLook{ctx: ctx, body: row.body, piece: piece[:]}
	var inText, inAll []*needle // of TEXT; of TEXT and BODY
	texts := make(map[int]*needle)
	for _, k := range row.pending {
		if k.name != "" {
			l.fields = append(l.fields, k)
			continue
		}
		n := &needle{text: k.text}
		texts[k.index] = n
		inAll = append(inAll, n)
		if k.head {
			inText = append(inText, n)
		}
	}
	l.found = found
	l.text, l.all = newMatcher(inText), newMatcher(inAll)

	root := &row.c.structure.Root
	if len(l.fields) > 0 || len(inText) > 0 {
		if err := l.header(root, l.text, l.fields); err != nil {
			return err
		}
	}
	if err := l.part(root); err != nil {
		return err
	}
	for i, n := range texts {
		found[i] = n.found
	}
	return nil
}

// bodyLook is one message being read.
type bodyLook struct {
	ctx       context.Context
	piece     []byte // for decoded text
	body      *fetchedBody
	fields    []*contentKey // looked for in the message's header
	found     []bool        // of contentKeys, by index
	text, all *matcher      // what TEXT looks for; what TEXT and BODY look for
}

// part looks into a part's body and all that is inside it.
func (l *bodyLook) part(p *message.Part) error {
	if l.all.done() {
		return nil
	}
	if p.IsText() {
		return l.textPart(p)
	}
	for i := range p.Children {
		child := &p.Children[i]
		// The header of an embedded message is something people read. What a MIME header says, such as the name of an
		// attachment, is for TEXT only.
		in := l.text
		if p.Envelope != nil {
			in = l.all
		}
		if err := l.header(child, in, nil); err != nil {
			return err
		}
		if err := l.part(child); err != nil {
			return err
		}
	}
	return nil
}

// textPart looks into a text, into HTML as it is read.
func (l *bodyLook) textPart(p *message.Part) error {
	at := span{p.BodyOffset, p.End}
	source := bufio.NewReaderSize(l.body.open(l.ctx, at), int(min(max(at.end-at.off, 512), headBytes)))
	text := wholeReads{message.TextOf(p, source)}
	l.all.reset()
	for !l.all.done() {
		n, err := text.Read(l.piece)
		_, _ = l.all.Write(l.piece[:n])
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// wholeReads fills what it is given: decoders return a line at a time, which is little to search in.
type wholeReads struct{ r io.Reader }

func (w wholeReads) Read(p []byte) (int, error) {
	n, err := io.ReadFull(w.r, p)
	if err == io.ErrUnexpectedEOF {
		err = io.EOF
	}
	return n, err
}

// maxSearchField is how much of a header field is decoded at once, in bytes. What spans a longer field's pieces is not found.
const maxSearchField = 64 << 10

// header looks into a part's header: with in for texts, and for fields.
func (l *bodyLook) header(p *message.Part, in *matcher, fields []*contentKey) error {
	if len(fields) == 0 && in.done() || p.HeaderOffset == p.BodyOffset {
		return nil
	}
	header := l.body.open(l.ctx, span{p.HeaderOffset, p.BodyOffset})
	in.reset()
	return eachField(header, func(f message.Field) {
		value := f.Value()
		for _, k := range fields {
			if !l.found[k.index] && strings.EqualFold(k.name, f.Name) {
				l.found[k.index] = k.matches(value)
			}
		}
		if !in.done() {
			_, _ = in.Write([]byte(f.Name + ": " + message.DecodeHeader(value) + "\n"))
		}
	})
}

// eachField calls yield for every field of a header; for a very long one, several times.
func eachField(header io.Reader, yield func(message.Field)) error {
	src := bufio.NewReaderSize(header, headerLine)
	var name string
	var raw []byte
	flush := func() {
		if name != "" && len(raw) > 0 {
			yield(message.Field{Name: name, Raw: raw})
		}
		raw = raw[:0]
	}
	for inLine := false; ; {
		chunk, err := src.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) && !errors.Is(err, io.EOF) {
			return err
		}
		if !inLine && isBlankLine(chunk) {
			flush()
			return nil
		}
		if !inLine && chunk[0] != ' ' && chunk[0] != '\t' {
			flush()
			name = string(fieldName(chunk))
		}
		if len(raw)+len(chunk) > maxSearchField {
			flush()
			raw = append(append(raw, name...), ':')
		}
		raw = append(raw, chunk...)
		inLine = errors.Is(err, bufio.ErrBufferFull)
	}
}
