package imapd

import (
	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/message"
)

// writeBodyStructure writes the BODYSTRUCTURE of RFC 3501 section 7.4.2, or without extension data the BODY of the same
// section. It counts on what message.Part promises: a multipart has children, an embedded message has an envelope.
func writeBodyStructure(w *wire.Writer, p *message.Part, extended bool) {
	w.Raw("(")
	if p.Type == "multipart" {
		for i := range p.Children {
			writeBodyStructure(w, &p.Children[i], extended)
		}
		w.SP().String(p.Subtype)
		if extended {
			w.SP()
			writeParams(w, p.Params)
			writeBodyExtension(w, p)
		}
		w.Raw(")")
		return
	}

	w.String(p.Type).SP().String(p.Subtype).SP()
	writeParams(w, p.Params)
	w.SP()
	writeNonEmpty(w, p.ID)
	w.SP()
	writeNonEmpty(w, p.Description)
	w.SP().String(p.Encoding).SP().Number(uint64(p.End - p.BodyOffset))
	switch {
	case p.Envelope != nil:
		// message/rfc822, and message/global, of which RFC 3501 did not know: RFC 9051 and RFC 6532 want the same of both.
		w.SP()
		writeEnvelope(w, p.Envelope)
		w.SP()
		writeBodyStructure(w, &p.Children[0], extended)
		w.SP().Number(uint64(p.Lines))
	case p.Type == "text":
		w.SP().Number(uint64(p.Lines))
	}
	if extended {
		w.SP()
		writeNonEmpty(w, p.MD5)
		writeBodyExtension(w, p)
	}
	w.Raw(")")
}

// writeBodyExtension writes the extension data that all kinds of parts have: disposition, language, location.
func writeBodyExtension(w *wire.Writer, p *message.Part) {
	w.SP()
	if p.Disposition == "" {
		w.Raw("NIL")
	} else {
		w.Raw("(").String(p.Disposition).SP()
		writeParams(w, p.DispositionParams)
		w.Raw(")")
	}
	w.SP()
	switch len(p.Language) {
	case 0:
		w.Raw("NIL")
	case 1:
		w.String(p.Language[0])
	default:
		w.Raw("(")
		for i, l := range p.Language {
			if i > 0 {
				w.SP()
			}
			w.String(l)
		}
		w.Raw(")")
	}
	w.SP()
	writeNonEmpty(w, p.Location)
}

func writeParams(w *wire.Writer, params []message.Param) {
	if len(params) == 0 {
		w.Raw("NIL")
		return
	}
	w.Raw("(")
	for i, p := range params {
		if i > 0 {
			w.SP()
		}
		w.String(p.Name).SP().String(p.Value)
	}
	w.Raw(")")
}

// writeNonEmpty writes a string, or NIL for one that is not there.
func writeNonEmpty(w *wire.Writer, s string) {
	if s == "" {
		w.Raw("NIL")
		return
	}
	w.String(s)
}
