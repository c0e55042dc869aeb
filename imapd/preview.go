package imapd

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/message"
)

// parsePreview reads what follows PREVIEW (RFC 8970): nothing, or a list of modifiers.
func (f *fetch) parsePreview(p *wire.Parser) error {
	it := fetchItem{kind: fetchPreview, name: "PREVIEW"}
	const modifier = " (LAZY"
	if rest := p.Rest(); len(rest) < len(modifier) || !strings.EqualFold(string(rest[:len(modifier)]), modifier) {
		f.add(it) // what follows belongs to FETCH
		return nil
	}
	if err := p.SP(); err != nil {
		return err
	}
	err := p.List(func() error {
		if !p.TryKeyword("LAZY") {
			return &wire.SyntaxError{Text: "Unknown PREVIEW modifier"}
		}
		it.lazy = true
		return nil
	})
	f.add(it)
	return err
}

// loadPreview makes sure that there is a preview. Mostly it was made when the message came; of others, such as a large message
// whose first text stands behind an attachment, some KiB are read, but not for LAZY.
func (r *fetchRun) loadPreview(ctx context.Context, body *fetchedBody) error {
	st := body.structure
	if st.Preview != nil || !slices.ContainsFunc(r.items, func(it fetchItem) bool { return it.kind == fetchPreview && !it.lazy }) {
		return nil
	}
	text, err := message.Preview(&st.Root, func(p *message.Part) io.Reader {
		return body.open(ctx, span{p.BodyOffset, min(p.End, p.BodyOffset+message.PreviewBytes)})
	})
	st.Preview = &text
	return err
}
