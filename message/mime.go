package message

import "strings"

// describe fills in what a part's header says about its body. digest is whether the part is a child of a
// multipart/digest, whose children are messages unless they say otherwise (RFC 2046 section 5.1.5).
func (h header) describe(p *Part, digest bool) {
	p.Encoding = "7bit"
	var hasType, hasEncoding bool
	for _, f := range h {
		switch f.id {
		case fieldContentType:
			if !hasType {
				hasType = true
				p.setType(f.value)
			}
		case fieldContentEncoding:
			if token, _ := mediaToken(skipCFWS(unfold(f.value))); !hasEncoding && token != "" && len(token) <= maxMediaToken {
				hasEncoding = true
				p.Encoding = lowerToken(token)
			}
		case fieldContentDisposition:
			if p.Disposition == "" {
				p.setDisposition(f.value)
			}
		case fieldContentID:
			keepFirst(&p.ID, f.value)
		case fieldContentDescription:
			keepFirst(&p.Description, f.value)
		case fieldContentMD5:
			keepFirst(&p.MD5, f.value)
		case fieldContentLocation:
			keepFirst(&p.Location, f.value)
		case fieldContentLanguage:
			if p.Language == nil {
				p.Language = parseLanguages(unfold(f.value))
			}
		}
	}
	switch {
	case p.Type != "":
	case digest:
		p.Type, p.Subtype = "message", "rfc822"
	default:
		p.Type, p.Subtype = "text", "plain"
		if len(p.Params) == 0 {
			p.Params = []Param{{"charset", "us-ascii"}}
		}
	}
}

func keepFirst(dst *string, value string) {
	if *dst == "" {
		*dst = unfold(value)
	}
}

// setType takes a Content-Type. One that names no type and subtype leaves Type empty: RFC 2045 section 5.2 makes it the
// default; its parameters are kept all the same.
func (p *Part) setType(value string) {
	s := skipCFWS(unfold(value))
	typ, s := mediaToken(s)
	s = skipCFWS(s)
	var subtype string
	if strings.HasPrefix(s, "/") {
		subtype, s = mediaToken(skipCFWS(s[1:]))
	}
	p.Params = parseParams(s)
	if typ == "" || subtype == "" || len(typ) > maxMediaToken || len(subtype) > maxMediaToken {
		return
	}
	p.Type, p.Subtype = lowerToken(typ), lowerToken(subtype)
}

// setDisposition takes a Content-Disposition. One that begins with a parameter is an attachment (RFC 2183 section 2.8
// treats what it does not know so).
func (p *Part) setDisposition(value string) {
	s := skipCFWS(unfold(value))
	token, rest := mediaToken(s)
	if strings.HasPrefix(skipCFWS(rest), "=") {
		token, rest = "attachment", s
	}
	if token == "" || len(token) > maxMediaToken {
		return
	}
	p.Disposition, p.DispositionParams = lowerToken(token), parseParams(rest)
}

// parseLanguages reads the tags of a Content-Language (RFC 3282).
func parseLanguages(s string) []string {
	var tags []string
	for len(s) > 0 && len(tags) < maxLanguages {
		s = skipCFWS(s)
		var tag string
		tag, s = mediaToken(s)
		if tag != "" {
			tags = append(tags, tag)
		} else if s != "" {
			s = s[1:]
		}
	}
	return tags
}

// boundary returns the boundary of a multipart, "" when there is none that can be used.
func (p *Part) boundary() string {
	if p.Type != "multipart" {
		return ""
	}
	for _, param := range p.Params {
		if param.Name == "boundary" {
			// White space at the end cannot be told from transport padding.
			if b := strings.TrimRight(param.Value, " \t\r\n"); len(b) <= maxBoundary {
				return b
			}
		}
	}
	return ""
}

// isMessage reports whether a part of this type embeds a message.
func (p *Part) isMessage() bool {
	return p.Type == "message" && (p.Subtype == "rfc822" || p.Subtype == "global")
}

// encoded reports whether a Content-Transfer-Encoding hides the bytes. RFC 2046 section 5.2.1 forbids those for embedded
// messages; names that nobody knows are taken for a misspelt 8bit.
func encoded(encoding string) bool {
	switch encoding {
	case "base64", "quoted-printable", "x-uuencode", "uuencode", "x-uue", "uue", "x-yencode", "x-gzip64":
		return true
	}
	return false
}

// plain makes a multipart without parts a text: its body is there to be read.
func (p *Part) plain() {
	p.Type, p.Subtype, p.Params = "text", "plain", nil
}

// opaque makes a part that is not looked into a leaf.
func (p *Part) opaque() {
	p.Type, p.Subtype, p.Params = "application", "octet-stream", nil
}

// dropDetails leaves of a part's description what FETCH cannot do without.
func (p *Part) dropDetails() {
	*p = Part{
		HeaderOffset: p.HeaderOffset,
		BodyOffset:   p.BodyOffset,
		HeaderLines:  p.HeaderLines,
		Type:         strings.Clone(p.Type),
		Subtype:      strings.Clone(p.Subtype),
		Encoding:     strings.Clone(p.Encoding),
	}
}
