package directory

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/mailerr"
)

func TestCheckImport(t *testing.T) {
	d, _, _ := open(t)
	file := "\ufeffaddress,password\n" + // 1
		"# a comment\n" + // 2
		"alice,secret\n" + // 3
		"\n" + // 4
		"Bob@Other.org,{SSHA}r+sJdS0SkNOdQx5jfb/3aIzMhyBzYWx0c2FsdA==\n" + // 5
		"\"carol\",\"comma, quote \"\" and space \"\n" + // 6
		"alice@example.org,again\n" + // 7
		"nobody\n" + // 8
		"x,y,z\n" + // 9
		"a b,secret\n" + // 10
		"dave,\n" + // 11
		"erin,{NOSUCH}x\n" + // 12
		"frank,$6$saltsalt$OS0xGyLZIvi/kGx1C1lDHh6tVSiourdVrjIF6IrnYmG8LfNCYuQIE.5VSH5/O1hhViuWKiGDfgTtXwqLleQjt1\n" + // 13
		"grace,$money$\n" + // 14
		"heidi,{PLAIN}{brace}\n" + // 15
		"bad\"quote,x\n" + // 16
		"ivan,pa\"ss\n" + // 17
		"judy,last" // 18, no line end
	plan, err := d.CheckImport(strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var lines []int
	for _, bad := range plan.Bad {
		lines = append(lines, bad.Line)
		if bad.Why == "" || strings.Contains(bad.Why, "saltsalt") || strings.Contains(bad.Why, "secret") {
			t.Errorf("line %d: %q", bad.Line, bad.Why)
		}
	}
	if want := []int{7, 8, 9, 10, 11, 12, 13, 16, 17}; !slices.Equal(lines, want) {
		t.Errorf("bad lines %v, want %v: %v", lines, want, plan.Bad)
	}
	if plan.Rows != 6 || plan.Plain != 5 {
		t.Errorf("%+v", plan)
	}
	if !strings.Contains(plan.Bad[0].Why, "line 3") {
		t.Errorf("%q", plan.Bad[0].Why)
	}
	for range d.Accounts(t.Context()) {
		t.Error("checking made an account")
	}
}

func TestCheckImportReportsNoMoreThanAPersonCanRead(t *testing.T) {
	d, _, _ := open(t)
	plan, err := d.CheckImport(strings.NewReader(strings.Repeat("bad\n", maxRowErrors+50)))
	if err != nil || len(plan.Bad) != maxRowErrors || plan.MoreBad != 50 {
		t.Errorf("%d, %d, %v", len(plan.Bad), plan.MoreBad, err)
	}
	broken := io.MultiReader(strings.NewReader("a,b\n"), &failingReader{})
	if _, err := d.CheckImport(broken); !errors.Is(err, errDisk) {
		t.Errorf("%v", err)
	}
}

var errDisk = errors.New("disk on fire")

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errDisk }

func TestImport(t *testing.T) {
	d, _, _ := open(t)
	ctx := t.Context()
	account(t, d, "user3", "old")
	alias(t, d, "user4@example.org", "user3@example.org")
	var b strings.Builder
	const n = importBatch + 7
	for i := range n {
		fmt.Fprintf(&b, "user%d,pass%d\n", i, i)
	}
	b.WriteString("hashed," + knownHashes[2].hash + "\nbraces,{PLAIN}{x}\n")
	var existing []int
	last := 0
	result, err := d.Import(ctx, strings.NewReader(b.String()), ImportOptions{
		Progress: func(done int) { last = done },
		Existing: func(row ImportRow) { existing = append(existing, row.Line) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if result.Created != n || result.Existing != 2 || last != n+2 || !slices.Equal(existing, []int{4, 5}) {
		t.Errorf("%+v, last progress %d, existing %v", result, last, existing)
	}
	for login, password := range map[string]string{
		"user0": "pass0", fmt.Sprint("user", n-1): fmt.Sprint("pass", n-1), "user3": "old", "hashed": knownHashes[2].password, "braces": "{x}",
	} {
		if _, err := d.Authenticate(ctx, login, password); err != nil {
			t.Errorf("%s: %v", login, err)
		}
	}
	if a := mustAccount(t, d, "user1"); !strings.HasPrefix(a.PasswordHash, "{SHA512-CRYPT}$6$") {
		t.Errorf("hashed as %.20s", a.PasswordHash)
	}
	if a := mustAccount(t, d, "user0"); !strings.HasPrefix(a.PasswordHash, currentForm) {
		t.Errorf("not upgraded by the login: %.20s", a.PasswordHash)
	}
	boxes, err := d.meta.Mailboxes(ctx, mustAccount(t, d, "user1").ID)
	if err != nil || len(boxes) != len(NewMailboxes()) {
		t.Errorf("%d mailboxes, %v", len(boxes), err)
	}
	result, err = d.Import(ctx, strings.NewReader(b.String()), ImportOptions{})
	if err != nil || result.Created != 0 || result.Existing != n+2 {
		t.Errorf("the second time: %+v, %v", result, err)
	}
}

func TestImportEndsWithTheFirstError(t *testing.T) {
	d, spy, _ := open(t)
	_, err := d.Import(t.Context(), io.MultiReader(strings.NewReader("a,b\n"), failingReader{}), ImportOptions{})
	if !errors.Is(err, errDisk) {
		t.Errorf("%v", err)
	}
	if _, err = d.Import(t.Context(), strings.NewReader("a,b\nnonsense\n"), ImportOptions{}); !mailerr.Is(err, mailerr.Invalid) {
		t.Errorf("%v", err)
	}
	if _, err = d.Import(t.Context(), strings.NewReader("a,b\n"), ImportOptions{Scheme: "ROT13"}); !mailerr.Is(err, mailerr.Invalid) {
		t.Errorf("%v", err)
	}
	spy.fail = mailerr.New("test", mailerr.Unavailable, "")
	if _, err = d.Import(t.Context(), strings.NewReader("a,b\n"), ImportOptions{}); !mailerr.Is(err, mailerr.Unavailable) {
		t.Errorf("%v", err)
	}
}

func BenchmarkImportPlain(b *testing.B) {
	d, _, _ := open(b)
	var file strings.Builder
	for i := range b.N {
		fmt.Fprintf(&file, "user%d,pass%d\n", i, i)
	}
	b.ResetTimer()
	if r, err := d.Import(b.Context(), strings.NewReader(file.String()), ImportOptions{}); err != nil || r.Created != b.N {
		b.Fatal(r, err)
	}
}
