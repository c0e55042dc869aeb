package sqldb

import "testing"

func TestSQLiteParameters(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT 1":                          "SELECT 1",
		"a = $1 AND b IN ($2, $3)":          "a = ? AND b IN (?, ?)",
		"VALUES ($1, $2), ($3, $4)":         "VALUES (?, ?), (?, ?)",
		"SET a = $2 WHERE b = $1":           "SET a = ?2 WHERE b = ?1",
		"a = $1 OR b = $1":                  "a = ?1 OR b = ?1",
		"$1 $2 $3 $4 $5 $6 $7 $8 $9 $10":    "? ? ? ? ? ? ? ? ? ?",
		"$1 $2 $3 $4 $5 $6 $7 $8 $9 $11 $1": "?1 ?2 ?3 ?4 ?5 ?6 ?7 ?8 ?9 ?11 ?1",
	} {
		if got := sqliteParameters(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
