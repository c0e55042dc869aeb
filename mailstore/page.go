package mailstore

import (
	"slices"
	"sort"

	"github.com/rookery-mail/rookery/metadata"
)

// pageRows is the most rows a page holds: what a change of one row copies.
const pageRows = 256

// page is some consecutive rows of a mailbox, ascending by UID, never empty. Pages and what they hold are immutable.
type page struct {
	rows   []row
	modseq metadata.ModSeq // the highest in rows
}

func newPage(rows []row) page {
	p := page{rows: rows}
	for i := range rows {
		p.modseq = max(p.modseq, rows[i].modseq)
	}
	return p
}

func (p *page) last() metadata.UID { return p.rows[len(p.rows)-1].uid }

// paginate cuts rows, ascending by UID, into pages.
func paginate(rows []row) []page {
	pages := make([]page, 0, (len(rows)+pageRows-1)/pageRows)
	for chunk := range slices.Chunk(rows, pageRows) {
		pages = append(pages, newPage(chunk[:len(chunk):len(chunk)]))
	}
	return pages
}

// findRow returns the row of a UID, nil when there is none.
func findRow(pages []page, uid metadata.UID) *row {
	i := sort.Search(len(pages), func(i int) bool { return pages[i].last() >= uid })
	if i == len(pages) {
		return nil
	}
	rows := pages[i].rows
	j := sort.Search(len(rows), func(j int) bool { return rows[j].uid >= uid })
	if j == len(rows) || rows[j].uid != uid {
		return nil
	}
	return &rows[j]
}

// mergePages returns pages with the rows of changed (ascending by UID) put in or replaced, and those that gone contains
// taken out. Pages that nothing happens to are shared. took gets every row that was taken out.
func mergePages(pages []page, changed []row, gone metadata.UIDSet, took func(row)) []page {
	out := make([]page, 0, len(pages)+len(changed)/pageRows+1)
	total := 0
	for i := range pages {
		p := &pages[i]
		n := 0
		for n < len(changed) && (changed[n].uid <= p.last() || i == len(pages)-1) {
			n++
		}
		mine := changed[:n]
		changed = changed[n:]
		if len(mine) == 0 && !overlaps(gone, p.rows[0].uid, p.last()) {
			out = append(out, *p)
			total += len(p.rows)
			continue
		}
		rows := mergeRows(p.rows, mine, gone, took)
		total += len(rows)
		out = append(out, paginate(rows)...)
	}
	if len(changed) > 0 { // there were no pages
		rows := mergeRows(nil, changed, gone, took)
		total += len(rows)
		out = append(out, paginate(rows)...)
	}
	if len(out) > 2*(total/pageRows)+8 { // expunges left many small pages
		rows := make([]row, 0, total)
		for i := range out {
			rows = append(rows, out[i].rows...)
		}
		out = paginate(rows)
	}
	return out
}

func mergeRows(old, changed []row, gone metadata.UIDSet, took func(row)) []row {
	rows := make([]row, 0, len(old)+len(changed))
	put := func(r *row) {
		if gone.Contains(r.uid) {
			took(*r)
			return
		}
		rows = append(rows, *r)
	}
	for len(old) > 0 || len(changed) > 0 {
		switch {
		case len(changed) == 0 || len(old) > 0 && old[0].uid < changed[0].uid:
			put(&old[0])
			old = old[1:]
		case len(old) > 0 && old[0].uid == changed[0].uid:
			old = old[1:]
			fallthrough
		default:
			put(&changed[0])
			changed = changed[1:]
		}
	}
	return rows
}

// overlaps reports whether the set has a UID from first to last, both inclusive.
func overlaps(s metadata.UIDSet, first, last metadata.UID) bool {
	i := sort.Search(len(s), func(i int) bool { return s[i].Last >= first })
	return i < len(s) && s[i].First <= last
}
