package message

import (
	"bytes"
	"errors"
	"io"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// maxHTMLToken bounds the memory that one tag or run of text takes. A longer tag is cut there: what remains of it is text.
const maxHTMLToken = 256 << 10

// StripHTML returns a reader of the text in the HTML that r reads, which must be UTF-8: character references decoded,
// tags, comments, scripts and styles left out, a line break in place of what begins or ends a block.
func StripHTML(r io.Reader) io.Reader {
	h := &htmlReader{source: r}
	h.restart(r)
	return h
}

type htmlReader struct {
	source io.Reader
	z      *html.Tokenizer
	out    []byte
	hidden atom.Atom // the element whose text is not shown
	err    error
}

func (h *htmlReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(h.out) == 0 {
		if h.err != nil {
			return 0, h.err
		}
		h.next()
	}
	n := copy(p, h.out)
	h.out = h.out[n:]
	return n, nil
}

func (h *htmlReader) restart(r io.Reader) {
	h.z = html.NewTokenizer(r)
	h.z.SetMaxBuf(maxHTMLToken)
}

var lineBreak = []byte{'\n'}

// next takes a token.
func (h *htmlReader) next() {
	switch h.z.Next() {
	case html.ErrorToken:
		if err := h.z.Err(); !errors.Is(err, html.ErrBufferExceeded) {
			h.err = err
			return
		}
		h.restart(io.MultiReader(bytes.NewReader(bytes.Clone(h.z.Buffered())), h.source))
	case html.TextToken:
		if h.hidden == 0 {
			h.out = h.z.Text()
		}
	case html.StartTagToken, html.SelfClosingTagToken:
		name, _ := h.z.TagName()
		tag := atom.Lookup(name)
		switch tag {
		case atom.Script, atom.Style, atom.Template:
			if h.hidden == 0 {
				h.hidden = tag
			}
		}
		h.breakAt(tag)
	case html.EndTagToken:
		name, _ := h.z.TagName()
		tag := atom.Lookup(name)
		if tag == h.hidden {
			h.hidden = 0
		}
		h.breakAt(tag)
	}
}

// breakAt writes a line break unless the element is part of running text, so that words in neighbouring blocks stay apart.
func (h *htmlReader) breakAt(tag atom.Atom) {
	switch tag {
	case atom.A, atom.Abbr, atom.B, atom.Bdi, atom.Bdo, atom.Big, atom.Cite, atom.Code, atom.Del, atom.Dfn, atom.Em, atom.Font,
		atom.I, atom.Ins, atom.Kbd, atom.Mark, atom.Q, atom.S, atom.Samp, atom.Small, atom.Span, atom.Strike, atom.Strong,
		atom.Sub, atom.Sup, atom.Tt, atom.U, atom.Var, atom.Wbr:
		return
	}
	if h.hidden == 0 {
		h.out = lineBreak
	}
}
