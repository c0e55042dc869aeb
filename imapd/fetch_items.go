package imapd

import (
	"strings"

	"github.com/emersion/go-imap/v2"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
)

type fetchItemKind uint8

const (
	fetchFlags fetchItemKind = iota
	fetchUID
	fetchInternalDate
	fetchSize
	fetchModSeq
	fetchEnvelope
	fetchBody // BODYSTRUCTURE without extension data
	fetchBodyStructure
	fetchSection
	fetchBinary
	fetchBinarySize
	fetchPreview
	fetchSaveDate
	fetchEmailID
	fetchThreadID
)

// fetchItem is one data item of a FETCH.
type fetchItem struct {
	kind    fetchItemKind
	name    string                     // in the response: "BODY[1.MIME]<0>", "RFC822.TEXT"
	section *imap.FetchItemBodySection // of fetchSection, fetchBinary, fetchBinarySize
	lazy    bool                       // of fetchPreview
}

var plainFetchItems = map[string]fetchItemKind{
	"FLAGS":         fetchFlags,
	"UID":           fetchUID,
	"INTERNALDATE":  fetchInternalDate,
	"RFC822.SIZE":   fetchSize,
	"MODSEQ":        fetchModSeq,
	"ENVELOPE":      fetchEnvelope,
	"BODYSTRUCTURE": fetchBodyStructure,
	"SAVEDATE":      fetchSaveDate,
	"EMAILID":       fetchEmailID,
	"THREADID":      fetchThreadID,
}

var fetchMacros = map[string][]fetchItem{
	"FAST": {{kind: fetchFlags, name: "FLAGS"}, {kind: fetchInternalDate, name: "INTERNALDATE"}, {kind: fetchSize, name: "RFC822.SIZE"}},
	"ALL": {
		{kind: fetchFlags, name: "FLAGS"}, {kind: fetchInternalDate, name: "INTERNALDATE"}, {kind: fetchSize, name: "RFC822.SIZE"},
		{kind: fetchEnvelope, name: "ENVELOPE"},
	},
	"FULL": {
		{kind: fetchFlags, name: "FLAGS"}, {kind: fetchInternalDate, name: "INTERNALDATE"}, {kind: fetchSize, name: "RFC822.SIZE"},
		{kind: fetchEnvelope, name: "ENVELOPE"}, {kind: fetchBody, name: "BODY"},
	},
}

// parseItems reads a macro, an item, or a list of them.
func (f *fetch) parseItems(p *wire.Parser) error {
	if p.Peek() != '(' {
		return f.parseItem(p)
	}
	if err := p.List(func() error { return f.parseItem(p) }); err != nil {
		return err
	}
	if len(f.items) == 0 {
		return &wire.SyntaxError{Text: "Nothing to fetch"}
	}
	return nil
}

func (f *fetch) parseItem(p *wire.Parser) error {
	name, err := p.Keyword()
	if err != nil {
		return err
	}
	if kind, ok := plainFetchItems[name]; ok {
		f.add(fetchItem{kind: kind, name: name})
		return nil
	}
	// Macros belong outside of lists, but what they mean inside is clear.
	if items, ok := fetchMacros[name]; ok {
		for _, it := range items {
			f.add(it)
		}
		return nil
	}
	switch name {
	case "RFC822":
		f.add(fetchItem{kind: fetchSection, name: name, section: &imap.FetchItemBodySection{}})
	case "RFC822.HEADER":
		f.add(fetchItem{kind: fetchSection, name: name, section: &imap.FetchItemBodySection{Specifier: imap.PartSpecifierHeader, Peek: true}})
	case "RFC822.TEXT":
		f.add(fetchItem{kind: fetchSection, name: name, section: &imap.FetchItemBodySection{Specifier: imap.PartSpecifierText}})
	case "BODY", "BODY.PEEK":
		peek := name == "BODY.PEEK"
		if p.Peek() != '[' && !peek {
			f.add(fetchItem{kind: fetchBody, name: name})
			return nil
		}
		section, err := p.Section()
		if err != nil {
			return err
		}
		section.Peek = peek
		f.add(fetchItem{kind: fetchSection, name: sectionName(section), section: section})
	case "PREVIEW":
		return f.parsePreview(p)
	case "BINARY", "BINARY.PEEK", "BINARY.SIZE":
		return f.parseBinary(p, name)
	default:
		return &wire.SyntaxError{Text: "Unknown FETCH item"}
	}
	return nil
}

// parseBinary reads what follows the name of an item of RFC 3516.
func (f *fetch) parseBinary(p *wire.Parser, name string) error {
	part, err := p.SectionPart()
	if err != nil {
		return err
	}
	section := &imap.FetchItemBodySection{Part: part, Peek: name != "BINARY"}
	if name == "BINARY.SIZE" {
		f.add(fetchItem{kind: fetchBinarySize, name: "BINARY.SIZE" + strings.TrimPrefix(sectionName(section), "BODY"), section: section})
		return nil
	}
	if section.Partial, err = p.Partial(); err != nil {
		return err
	}
	f.add(fetchItem{kind: fetchBinary, name: "BINARY" + strings.TrimPrefix(sectionName(section), "BODY"), section: section})
	return nil
}

// add puts an item behind the others. One that is there already is answered once.
func (f *fetch) add(it fetchItem) {
	for i := range f.items {
		have := &f.items[i]
		if have.kind != it.kind || have.name != it.name {
			continue
		}
		if it.section == nil {
			have.lazy = have.lazy && it.lazy
			return
		}
		// The name has only the beginning of a partial.
		if a, b := have.section.Partial, it.section.Partial; a == nil && b == nil || a != nil && b != nil && *a == *b {
			have.section.Peek = have.section.Peek && it.section.Peek
			return
		}
	}
	f.items = append(f.items, it)
}

// prepend puts a plain item before the others, unless it is there.
func prepend(items []fetchItem, kind fetchItemKind, name string) []fetchItem {
	for i := range items {
		if items[i].kind == kind {
			return items
		}
	}
	return append([]fetchItem{{kind: kind, name: name}}, items...)
}
