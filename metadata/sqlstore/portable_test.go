package sqlstore_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
	"github.com/rookery-mail/rookery/metadata/sqlstore"
)

// refused are the constructs that CockroachDB lacks or treats differently from PostgreSQL, and those SQLite has not. Nothing
// of the kind may stand in a text or a migration; what an engine needs of its own is in sqldb.Words.
var refused = []struct{ pattern, why string }{
	{`\b(LISTEN|NOTIFY|UNLISTEN)\b`, "CockroachDB has no LISTEN and NOTIFY"},
	{`ADVISORY`, "advisory locks lock nothing on CockroachDB"},
	{`\bTRIGGER\b|\bFUNCTION\b|\bPROCEDURE\b|\bDO \$`, "code in the database differs everywhere"},
	{`\b(SMALL|BIG)?SERIAL\d?\b|\bSEQUENCE\b|NEXTVAL|AUTOINCREMENT|\bIDENTITY\b|UNIQUE_ROWID`, "generated numbers have gaps and no order on CockroachDB"},
	{`/`, "1/2 is 0.5 on CockroachDB"},
	{`\bDOMAIN\b|\bENUM\b|\bCREATE TYPE\b`, "types of one's own are not everywhere"},
	{`\bWITH\b`, "a statement that modifies a table twice is refused by CockroachDB; common table expressions are not needed"},
	{`\bUNNEST\b|\bARRAY\b|\bANY ?\(|\bJSONB?\b|\bUUID\b|\bHSTORE\b|RANGE\(`, "types of one engine"},
	{`::`, "SQLite has CAST only"},
	{`\bINT(EGER)?\b|\bINT[24]\b|\bBIGINT\b|\bSMALLINT\b`, "INT is 4 bytes on PostgreSQL and 8 on CockroachDB: INT8"},
	{`\bTIMESTAMP|\bDATE\b|\bINTERVAL\b|\bNOW\(|CURRENT_|\bTRUE\b|\bFALSE\b|\bBOOL`, "dates are microseconds, booleans are 0 and 1"},
	{`\bBYTEA\b|\bBLOB\b|\bBYTES\b|\bCOLLATE\b|FILLFACTOR|\bWITHOUT\b`, "these are the engine's words"},
	{`\bFOR (UPDATE|SHARE)\b`, "row locks are the engine's words"},
	{`\bILIKE\b|\bSIMILAR\b|~|\bGLOB\b|\bREGEXP\b`, "patterns differ"},
	{`\bTEMP(ORARY)?\b|\bTRUNCATE\b|\bLOCK TABLE\b|\bCOPY\b|\bVACUUM\b|\bPRAGMA\b`, "not everywhere"},
	{`\bNULLS (FIRST|LAST)\b|\bMERGE\b|\bLATERAL\b|\bSET LOCAL\b|\bSAVEPOINT\b`, "not everywhere"},
	{`\bINSERT OR\b|\bREPLACE\b|\bUPSERT\b`, "ON CONFLICT is for all"},
	{`SELECT \*`, "columns are named, so that a later version's column does no harm"},
	{`;`, "one statement each"},
}

func TestTextsArePortable(t *testing.T) {
	// An engine's words stay as marks, so that only what is written here is looked at.
	marks := sqldb.Words{Engine: "marks", ForUpdate: "[for-update]", Now: "[clock]", Blob: "[octets]", Text: "[characters]",
		Clustered: "[clustered]", HotRow: "[hot-row]", MaxParams: 1 << 20}
	all := append(sqlstore.Texts(marks, 2), sqlstore.Migrations(marks)...)
	if len(all) < 60 {
		t.Fatalf("only %d texts", len(all))
	}
	names := map[string]bool{}
	for _, text := range all {
		if names[text.Name] {
			t.Errorf("two texts are called %s", text.Name)
		}
		names[text.Name] = true
		for _, r := range refused {
			if m := regexp.MustCompile(`(?i)` + r.pattern).FindString(text.SQL); m != "" {
				t.Errorf("%s has %q: %s\n%s", text.Name, m, r.why, text.SQL)
			}
		}
		if strings.ContainsAny(text.SQL, "{}?") {
			t.Errorf("%s is not filled: %s", text.Name, text.SQL)
		}
	}
}

// TestParametersAreNumberedInOrder keeps every parameter used and none beyond those given.
func TestParametersAreNumberedInOrder(t *testing.T) {
	for _, text := range sqlstore.Texts(sqldb.Words{Engine: "marks"}, 3) {
		highest := 0
		used := map[int]bool{}
		for _, m := range regexp.MustCompile(`\$([0-9]+)`).FindAllStringSubmatch(text.SQL, -1) {
			var n int
			if _, err := fmt.Sscan(m[1], &n); err != nil {
				t.Fatal(err)
			}
			used[n] = true
			highest = max(highest, n)
		}
		if len(used) != highest {
			t.Errorf("%s uses %d of %d parameters: %s", text.Name, len(used), highest, text.SQL)
		}
	}
}

// TestMigrationsMayRunTwice keeps migrations to one repeatable statement each, and indexes from beginning with a column that
// rises: on CockroachDB all writes would go to one range.
func TestMigrationsMayRunTwice(t *testing.T) {
	rising := regexp.MustCompile(`(?i)(modseq|uid|created|expires|next_attempt|updated|expunged_at|_date|uid_next|uid_validity)`)
	repeatable := regexp.MustCompile(`(?i)^(CREATE TABLE IF NOT EXISTS|CREATE (UNIQUE )?INDEX IF NOT EXISTS|DROP (TABLE|INDEX) IF EXISTS|ALTER TABLE \w+ ADD COLUMN IF NOT EXISTS)\b`)
	keys := regexp.MustCompile(`(?i)(?:PRIMARY KEY|ON \w+) ?\((\w+)|(\w+)\s+\S+(?: NOT NULL)? PRIMARY KEY`)
	numbered := regexp.MustCompile(`^migrations/([0-9]{4})_[a-z_]+\.sql$`)
	numbers := map[string]bool{}
	for _, m := range sqlstore.Migrations(sqldb.Words{Engine: "marks", Blob: "B", Text: "T"}) {
		n := numbered.FindStringSubmatch(m.Name)
		if n == nil || numbers[n[1]] {
			t.Errorf("a migration is called %s", m.Name)
			continue
		}
		numbers[n[1]] = true
		if !repeatable.MatchString(strings.TrimSpace(m.SQL)) || strings.Contains(m.SQL, ";") {
			t.Errorf("%s is not one statement that may run twice:\n%s", m.Name, m.SQL)
		}
		found := keys.FindAllStringSubmatch(m.SQL, -1)
		if len(found) == 0 {
			t.Errorf("%s: no key found in\n%s", m.Name, m.SQL)
		}
		for _, k := range found {
			if first := k[1] + k[2]; rising.MatchString(first) {
				t.Errorf("%s: a key begins with %s", m.Name, first)
			}
		}
	}
}
