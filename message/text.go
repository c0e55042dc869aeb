package message

import "io"

// TextOf returns a reader of a part's text as UTF-8, for SEARCH TEXT and BODY: body is the part's body as it stands in the
// message, from BodyOffset to End. The transfer encoding and the charset are decoded; of text/html the words are left.
// IsText says whether there is any. What cannot be decoded is skipped or replaced; the only errors are those of body.
func TextOf(p *Part, body io.Reader) io.Reader {
	r := DecodeTransfer(body, p.Encoding)
	r = DecodeCharset(r, DecodeParam(p.Params, "charset"))
	if p.Type == "text" && (p.Subtype == "html" || p.Subtype == "x-amp-html") {
		r = StripHTML(r)
	}
	return r
}

// IsText reports whether a part's body is text to search in.
func (p *Part) IsText() bool {
	return p.Type == "text" || p.Type == "message" && len(p.Children) == 0
}
