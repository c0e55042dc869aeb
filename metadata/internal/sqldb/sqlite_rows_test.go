package sqldb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// openNumbers opens a database with a table of n rows and NULLs.
func openNumbers(t *testing.T, n int) DB {
	t.Helper()
	db, err := openSQLite(t.Context(), filepath.Join(t.TempDir(), "x.db"), Config{MaxConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	err = db.Write(t.Context(), func(tx Tx) error {
		return tx.Run(t.Context(), &Stmt{SQL: "CREATE TABLE numbers (n INT8 NOT NULL PRIMARY KEY, word TEXT, data BLOB)"}, &Stmt{
			SQL: `WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < $1)
				INSERT INTO numbers SELECT i * 1000000007, 'word ' || (i / 3), CASE i % 3 WHEN 0 THEN NULL WHEN 1 THEN x'' ELSE CAST('data ' || i AS BLOB) END FROM c`,
			Args: []any{int64(n)},
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func manyNumbers(each func(Row) error) *Stmt {
	return &Stmt{SQL: eachRowSelect + "n, word, data) FROM numbers WHERE n > $1 ORDER BY n", Args: []any{int64(0)}, Each: each}
}

// TestManyRows reads the same by Words.Many as without, on several connections at once, and keeps what it scanned.
func TestManyRows(t *testing.T) {
	const n = 2000
	db := openNumbers(t, n)
	read := func(many bool) (rows []string, data [][]byte) {
		st := manyNumbers(nil)
		if !many {
			st.SQL = strings.NewReplacer(eachRowSelect, "SELECT ", "data)", "data").Replace(st.SQL)
		}
		var word string
		st.Each = func(r Row) error {
			var n int64
			var b []byte
			err := r.Scan(&n, &word, &b)
			rows, data = append(rows, fmt.Sprint(n, word, b == nil)), append(data, b)
			return err
		}
		if err := db.Snapshot(t.Context(), st, st); err != nil {
			t.Error(err)
		}
		return rows, data
	}
	rows, data := read(false)
	if len(rows) != 2*n {
		t.Fatal(len(rows))
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			again, dataAgain := read(true)
			if len(again) != len(rows) {
				t.Errorf("%d rows, want %d", len(again), len(rows))
				return
			}
			for i := range rows {
				if rows[i] != again[i] || !bytes.Equal(data[i], dataAgain[i]) {
					t.Errorf("row %d: %s %q, want %s %q", i, again[i], dataAgain[i], rows[i], data[i])
					return
				}
			}
		})
	}
	wg.Wait()
}

// TestManyRowsEnd ends the reading of many rows in every way but the good one; the connections serve on.
func TestManyRowsEnd(t *testing.T) {
	db := openNumbers(t, 1000)
	mine := errors.New("mine")
	for range 5 {
		seen := 0
		err := db.Snapshot(t.Context(), manyNumbers(func(Row) error {
			if seen++; seen == 10 {
				return mine
			}
			return nil
		}))
		if !errors.Is(err, mine) || seen != 10 {
			t.Errorf("after %d rows: %v", seen, err)
		}

		ctx, cancel := context.WithCancel(t.Context())
		err = db.Snapshot(ctx, manyNumbers(func(Row) error { cancel(); return nil }))
		if e := (*Error)(nil); err != nil && (!errors.As(err, &e) || e.Class != Lost) {
			t.Errorf("canceled: %v", err)
		}
		cancel()

		err = db.Snapshot(t.Context(), manyNumbers(func(r Row) error { var a, b, c int64; return r.Scan(&a, &b, &c) }))
		if err == nil || !strings.Contains(err.Error(), "column 1 is string") {
			t.Errorf("of another type: %v", err)
		}
		err = db.Snapshot(t.Context(), manyNumbers(func(r Row) error { var a int64; return r.Scan(&a) }))
		if err == nil || !strings.Contains(err.Error(), "1 destinations for 3 columns") {
			t.Errorf("too few: %v", err)
		}

		func() {
			defer func() {
				if p := recover(); p != "mine" {
					t.Errorf("panicked with %v", p)
				}
			}()
			_ = db.Snapshot(t.Context(), manyNumbers(func(Row) error { panic("mine") }))
			t.Error("did not panic")
		}()

		none := manyNumbers(func(Row) error { return mine })
		none.Args[0] = int64(1 << 62)
		if err := db.Snapshot(t.Context(), none); err != nil {
			t.Errorf("no rows: %v", err)
		}
	}
}
