package sqlstore

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

// sqlText is one SQL text for all engines, with places to fill:
//
//	$1, $2 ...      parameters of which there is always one
//	{list}          as many more parameters as there are list elements, separated by commas
//	{rows (?, ?)}   the form in parentheses once for each row, every ? one more parameter
//	{many a, b} the columns of a SELECT of many rows, whose order is not promised: see sqldb.Words
//	{for update} {now} {blob} {text} {clustered} {hot row}   the engine's own words
//
// A text has at most one of {list} and {rows}.
type sqlText struct {
	name     string
	template string
	fixed    int // number of $ parameters
	mu       sync.Mutex
	rendered map[renderKey]string // guarded by mu
}

type renderKey struct {
	engine string
	n      int
}

// texts are all texts of the package, for the tests that look at every one.
var texts []*sqlText

// newText registers a text at the start of the program.
func newText(name, template string) *sqlText {
	t := &sqlText{name: name, template: strings.Join(strings.Fields(template), " "), rendered: map[renderKey]string{}}
	for strings.Contains(t.template, "$"+strconv.Itoa(t.fixed+1)) {
		t.fixed++
	}
	texts = append(texts, t)
	return t
}

// stmt returns the text for n list elements or rows with its arguments: the fixed ones, then those of the list or rows.
func (t *sqlText) stmt(w *sqldb.Words, n int, args ...any) *sqldb.Stmt {
	return &sqldb.Stmt{SQL: t.render(w, n), Args: args}
}

func (t *sqlText) render(w *sqldb.Words, n int) string {
	k := renderKey{w.Engine, n}
	t.mu.Lock()
	defer t.mu.Unlock()
	s, ok := t.rendered[k]
	if !ok {
		s = fill(t.template, t.fixed, n, w)
		t.rendered[k] = s
	}
	return s
}

// fill writes a template's places out.
func fill(template string, fixed, n int, w *sqldb.Words) string {
	s := strings.NewReplacer("{for update}", w.ForUpdate, "{now}", w.Now, "{blob}", w.Blob, "{text}", w.Text,
		"{clustered}", w.Clustered, "{hot row}", w.HotRow).Replace(template)
	if before, rest, ok := strings.Cut(s, "{many "); ok {
		columns, after, _ := strings.Cut(rest, "}")
		if w.Many != "" {
			columns = w.Many + "(" + columns + ")"
		}
		s = before + columns + after
	}
	next := fixed
	param := func() string {
		next++
		return "$" + strconv.Itoa(next)
	}
	if before, after, ok := strings.Cut(s, "{list}"); ok {
		list := make([]string, n)
		for i := range list {
			list[i] = param()
		}
		s = before + strings.Join(list, ", ") + after
	}
	if before, rest, ok := strings.Cut(s, "{rows "); ok {
		row, after, _ := strings.Cut(rest, "}")
		parts := strings.Split(row, "?")
		rows := make([]string, n)
		for i := range rows {
			var b strings.Builder
			for j, p := range parts {
				if j > 0 {
					b.WriteString(param())
				}
				b.WriteString(p)
			}
			rows[i] = b.String()
		}
		s = before + strings.Join(rows, ", ") + after
	}
	return strings.TrimSpace(s)
}

// Statement sizes are rounded so that few different texts are prepared, however many different sizes are asked for.
const (
	maxList = 1024 // elements in one {list}
	maxRows = 256  // rows in one {rows}
)

// padded returns n rounded up to a power of two: lists may hold an element twice, rows with absolute values too.
func padded(n int) int {
	p := 1
	for p < n {
		p *= 2
	}
	return p
}

// listStmts returns the statements of a text for all elements, in chunks. The last element fills the rest of a chunk.
func listStmts[T any](t *sqlText, w *sqldb.Words, elems []T, arg func(*T) any, fixed ...any) []*sqldb.Stmt {
	var stmts []*sqldb.Stmt
	for len(elems) > 0 {
		chunk := elems[:min(maxList, len(elems))]
		elems = elems[len(chunk):]
		n := padded(len(chunk))
		args := make([]any, 0, len(fixed)+n)
		args = append(args, fixed...)
		for i := range n {
			args = append(args, arg(&chunk[min(i, len(chunk)-1)]))
		}
		stmts = append(stmts, t.stmt(w, n, args...))
	}
	return stmts
}

// rowStmts returns the statements of a text for all rows, in chunks; appendArgs appends one row's arguments. With pad the
// last row fills the rest of a chunk; without, the rows are split into chunks of a few fixed sizes.
func rowStmts[T any](t *sqlText, w *sqldb.Words, rows []T, pad padding, appendArgs func([]any, *T) []any) []*sqldb.Stmt {
	var stmts []*sqldb.Stmt
	for len(rows) > 0 {
		take := len(rows)
		var n int
		switch {
		case take >= maxRows:
			take, n = maxRows, maxRows
		case pad == repeatLast:
			n = padded(take)
		default:
			if take > 16 {
				take -= take % 16
			}
			n = take
		}
		chunk := rows[:take]
		rows = rows[take:]
		var args []any
		for i := range n {
			args = appendArgs(args, &chunk[min(i, take-1)])
			if i == 0 {
				per := len(args)
				if per*n > w.MaxParams {
					panic(fmt.Sprintf("sqlstore: %s needs %d parameters", t.name, per*n))
				}
				args = append(make([]any, 0, per*n), args...)
			}
		}
		stmts = append(stmts, t.stmt(w, n, args...))
	}
	return stmts
}

// padding is how rowStmts rounds.
type padding bool

const (
	exact      padding = false // every row once: for INSERT
	repeatLast padding = true  // the last row several times: for absolute values
)
