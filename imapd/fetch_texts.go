package imapd

import (
	"bytes"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/metadata"
)

// textKinds is how many kinds of items have their texts kept.
const textKinds = 3

// textIndex returns the place of a kind among those whose texts are kept, false when it is none of them.
func textIndex(kind fetchItemKind) (int, bool) {
	switch kind {
	case fetchEnvelope:
		return 0, true
	case fetchBody:
		return 1, true
	case fetchBodyStructure:
		return 2, true
	default:
		return 0, false
	}
}

// fetchTexts is how a FETCH uses the server's textCache: it looks up what it is about to write, and keeps what was not there.
type fetchTexts struct {
	cache   *textCache
	mailbox metadata.MailboxID
	forms   []textForm // of the items that have texts; none: the cache is not used
	all     bool       // nothing else is needed of a message's body

	chunks [textKinds]*textChunk // in which the last texts were found
	utf8   bool                  // with forms
	writer *wire.Writer          // to buf
	buf    *bytes.Buffer         // what is to be kept
}

// newFetchTexts returns nothing for what need not be looked up.
func (f *fetch) newFetchTexts(s *session) fetchTexts {
	t := fetchTexts{cache: s.srv.texts, mailbox: s.sel.Mailbox().ID, all: !f.bytes && !f.preview, utf8: s.utf8}
	for i := range f.items {
		kind := f.items[i].kind
		switch _, ok := textIndex(kind); {
		case ok:
			t.forms = append(t.forms, textForm{kind: kind, utf8Accept: s.utf8Accept, rev2: s.rev2})
		case kind == fetchSection: // of fields that are in the summary: it is decoded all the same
			t.all = false
		}
	}
	if len(t.forms) == 0 || t.cache.budget <= 0 {
		return fetchTexts{}
	}
	return t
}

// look puts into row what is known of its texts, and reports whether nothing more is needed.
func (t *fetchTexts) look(row *fetchRow) bool {
	complete := t.all && len(t.forms) > 0
	for _, form := range t.forms {
		i, _ := textIndex(form.kind)
		id := textChunkID{t.mailbox, row.m.UID / textChunkUIDs, form}
		if c := t.chunks[i]; c == nil || c.id != id {
			t.chunks[i] = t.cache.get(id)
		}
		row.texts[i] = t.chunks[i].of(row.m.UID)
		complete = complete && row.texts[i] != nil
	}
	return complete
}

// maxKeptSummary is the largest summary of a message whose texts are kept.
const maxKeptSummary = 4 << 10

// write writes the text of a kind for a row, whose body has what the row does not.
func (t *fetchTexts) write(w *wire.Writer, kind fetchItemKind, row *fetchRow, body *fetchedBody) {
	i, _ := textIndex(kind)
	switch {
	case row.texts[i] != nil:
		w.RawBytes(row.texts[i])
	case len(t.forms) == 0 || len(body.row.Summary)+len(body.row.Prefix) > maxKeptSummary:
		writeText(w, kind, body)
	default:
		if t.writer == nil {
			t.buf = new(bytes.Buffer)
			t.writer = wire.NewWriter(t.buf, writeBuffer)
			t.writer.UTF8(t.utf8)
		}
		from := t.buf.Len()
		writeText(t.writer, kind, body)
		_ = t.writer.Flush() // to memory
		text := t.buf.Bytes()[from:]
		w.RawBytes(text)
		if len(text) <= maxKeptText {
			row.texts[i], row.fresh = text, true
		}
	}
}

func writeText(w *wire.Writer, kind fetchItemKind, body *fetchedBody) {
	if kind == fetchEnvelope {
		writeEnvelope(w, body.envelope)
	} else {
		writeBodyStructure(w, &body.structure.Root, kind == fetchBodyStructure)
	}
}

// keep remembers what was written for the rows of a window.
func (t *fetchTexts) keep(rows []fetchRow) {
	for _, form := range t.forms {
		i, _ := textIndex(form.kind)
		var texts []keptText
		for j := range rows {
			if rows[j].fresh && rows[j].texts[i] != nil {
				texts = append(texts, keptText{rows[j].m.UID, rows[j].texts[i]})
			}
		}
		t.cache.put(t.mailbox, form, texts)
	}
	t.chunks = [textKinds]*textChunk{}
	if t.buf != nil {
		t.buf.Reset()
	}
}
