package sqldb

import (
	"bytes"
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"modernc.org/sqlite"
)

// The driver gives out a row column by column, and takes the connection's mutex several times for each: that costs more than
// reading the row does. So statements with many rows (Words.Many) hand their columns to an aggregate function of ours, which
// gets a whole row in one call without a copy, and calls the statement's Each. The statement itself has one row, of no interest.
const (
	// eachRow is the function. Its first argument is the number of the connection, which prepare puts in.
	eachRow       = "rookery_each_row"
	eachRowSelect = "SELECT " + eachRow + "("
)

func init() {
	sqlite.MustRegisterFunction(eachRow, &sqlite.FunctionImpl{
		NArgs:         -1,
		MakeAggregate: func(sqlite.FunctionContext) (sqlite.AggregateFunction, error) { return &sqliteRows{}, nil },
		VolatileArgs:  true,
	})
}

// sinks are the connections by their numbers: a function is not told which connection it runs on.
var (
	sinks    sync.Map // int64 -> *sqliteSink
	lastSink atomic.Int64
)

// sqliteSink is where the rows of the statement go that a connection runs at present.
type sqliteSink struct {
	number int64
	each   func(Row) error
	err    error // of each
	// panicked is what each panicked with: no panic may pass through SQLite, which would keep its mutex.
	panicked any
}

func newSQLiteSink() *sqliteSink {
	s := &sqliteSink{number: lastSink.Add(1)}
	sinks.Store(s.number, s)
	return s
}

func (s *sqliteSink) close() { sinks.Delete(s.number) }

// numbered returns a text with the connection's number in it.
func (s *sqliteSink) numbered(text string) string {
	if rest, ok := strings.CutPrefix(text, eachRowSelect); ok {
		return eachRowSelect + strconv.FormatInt(s.number, 10) + ", " + rest
	}
	return text
}

var errSQLiteSink = errors.New("a row for no statement")

// sqliteRows is one run of eachRow.
type sqliteRows struct {
	sink *sqliteSink
	row  sqliteRow
}

// Step implements sqlite.AggregateFunction. An error ends the statement.
func (r *sqliteRows) Step(_ *sqlite.FunctionContext, args []driver.Value) (err error) {
	if r.sink == nil {
		n, _ := args[0].(int64)
		s, ok := sinks.Load(n)
		if !ok || s.(*sqliteSink).each == nil { //nolint:forcetypeassert // only these are there
			return errSQLiteSink
		}
		r.sink = s.(*sqliteSink) //nolint:forcetypeassert // as above
	}
	s := r.sink
	defer func() {
		if p := recover(); p != nil {
			s.panicked, s.err = p, errSQLiteSink
			err = s.err
		}
	}()
	r.row = args[1:]
	s.err = s.each(&r.row)
	return s.err
}

// WindowInverse implements sqlite.AggregateFunction: there are no windows.
func (r *sqliteRows) WindowInverse(*sqlite.FunctionContext, []driver.Value) error {
	return errSQLiteSink
}

// WindowValue implements sqlite.AggregateFunction.
func (r *sqliteRows) WindowValue(*sqlite.FunctionContext) (driver.Value, error) { return nil, nil } //nolint:nilnil // NULL

// Final implements sqlite.AggregateFunction.
func (r *sqliteRows) Final(*sqlite.FunctionContext) { r.row = nil }

// sqliteRow is a row whose texts and byte strings are SQLite's memory: Scan copies them.
type sqliteRow []driver.Value

// Scan implements Row. A *string that has the right text already stays as it is.
func (r *sqliteRow) Scan(dest ...any) error {
	if len(dest) != len(*r) {
		return fmt.Errorf("%d destinations for %d columns", len(dest), len(*r))
	}
	for i, v := range *r {
		if !scanSQLiteValue(v, dest[i]) {
			return fmt.Errorf("column %d is %T, its destination %T", i, v, dest[i])
		}
	}
	return nil
}

func scanSQLiteValue(v driver.Value, dest any) (ok bool) {
	switch d := dest.(type) {
	case *int64:
		*d, ok = v.(int64)
	case *string:
		var text string
		if text, ok = v.(string); ok && *d != text {
			*d = strings.Clone(text)
		}
	case *[]byte:
		var b []byte
		if b, ok = v.([]byte); ok && len(b) > 0 {
			*d = bytes.Clone(b)
		} else {
			*d, ok = nil, ok || v == nil
		}
	case interface{ ScanBytes(b []byte) error }: // copies
		var b []byte
		if b, ok = v.([]byte); ok {
			ok = d.ScanBytes(b) == nil
		}
	}
	return ok
}
