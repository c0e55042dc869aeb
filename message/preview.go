package message

import (
	"errors"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// PreviewBytes is how many bytes of a part's body, as it stands in the message, Preview looks at.
	PreviewBytes = 64 << 10
	// previewLength is the length of a preview in characters (RFC 8970 section 3.3).
	previewLength = 200
	// previewParts is how many parts are looked into for text.
	previewParts = 4
	// previewStep is how much of a body is decoded first: mostly it is enough.
	previewStep = 768
)

// Preview returns the beginning of what a message says, for PREVIEW (RFC 8970): the first 200 characters of its first text
// that is there to be read, without markup and quoted lines, white space folded; "" when there is none. body returns a reader of a
// part's body as it stands in the message, from BodyOffset to End, of which PreviewBytes are read at most. Errors are those of
// body.
func Preview(root *Part, body func(*Part) io.Reader) (string, error) {
	parts := previewable(root, nil)
	for _, p := range parts {
		text, err := previewOf(p, body(p))
		if text != "" || err != nil {
			return text, err
		}
	}
	return "", nil
}

// previewable appends the texts of a part that are there to be read, in the order of the message, until there are enough.
func previewable(p *Part, parts []*Part) []*Part {
	if p.Disposition == "attachment" || len(parts) == previewParts {
		return parts
	}
	if p.Type == "text" && (p.Subtype == "plain" || p.Subtype == "html") {
		return append(parts, p)
	}
	for i := range p.Children {
		parts = previewable(&p.Children[i], parts)
	}
	return parts
}

func previewOf(p *Part, body io.Reader) (string, error) {
	source := &limitedSource{r: body, left: PreviewBytes, step: previewStep}
	text := TextOf(p, source)
	said, quoted := previewText{}, previewText{}
	in := &said
	lineStart := p.Subtype == "plain"
	buf := make([]byte, 2*previewStep)
	kept := 0
	for {
		n, err := text.Read(buf[kept:])
		n += kept
		kept = 0
		for i := 0; i < n; {
			if !utf8.FullRune(buf[i:n]) && err == nil {
				kept = copy(buf, buf[i:n])
				break
			}
			r, size := utf8.DecodeRune(buf[i:n])
			i += size
			if lineStart {
				if in = &said; r == '>' {
					in = &quoted
				}
			}
			lineStart = r == '\n' && p.Subtype == "plain"
			if in.add(r); said.full() {
				break // most of what was read is more than enough
			}
		}
		if said.full() || errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", err
		}
	}
	if said.text.Len() == 0 {
		said = quoted
	}
	return said.text.String(), nil
}

// limitedSource ends a body early, as if that were all of it, and gives it in steps that grow.
type limitedSource struct {
	r    io.Reader
	left int
	step int
}

func (s *limitedSource) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	n, err := s.r.Read(p[:min(len(p), s.left, s.step)])
	s.left -= n
	s.step *= 8
	return n, err
}

// previewText is a text being folded.
type previewText struct {
	text   strings.Builder
	length int
	space  bool // before the next character
}

func (t *previewText) full() bool { return t.length >= previewLength }

func (t *previewText) add(r rune) {
	switch {
	case unicode.IsSpace(r), unicode.IsControl(r), r == utf8.RuneError:
		t.space = true
		return
	case r == '\u00ad', r == '\u034f', r == '\u200b', r == '\u2060', r == '\ufeff':
		return // invisible; senders fill with them what would show in a preview
	case (r == '\u200c' || r == '\u200d') && (t.space || t.length == 0):
		return // joins nothing
	}
	if t.space && t.length > 0 {
		if t.length >= previewLength-1 { // no room for another word
			t.length = previewLength
			return
		}
		t.put(' ')
	}
	t.space = false
	if !t.full() {
		t.put(r)
	}
}

func (t *previewText) put(r rune) {
	t.text.WriteRune(r)
	t.length++
}
