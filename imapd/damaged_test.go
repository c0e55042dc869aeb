package imapd

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// packs returns the files of the test's object store, oldest first.
func packs(t *testing.T) []string {
	t.Helper()
	var files []string
	// All of a test's temporary folders are in one.
	err := filepath.WalkDir(filepath.Dir(t.TempDir()), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && filepath.Base(filepath.Dir(filepath.Dir(filepath.Dir(path)))) == "packs" {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// A message whose bytes are damaged is not served, and keeps no other from the client.
func TestDamagedMessage(t *testing.T) {
	b := newBed(t)
	known := map[string]bool{}
	var damaged string
	for _, text := range []string{"one", "two", "three"} {
		b.append(raw("Subject: "+text, "", text+" words"))
		for _, file := range packs(t) {
			if !known[file] && text == "two" {
				damaged = file
			}
			known[file] = true
		}
	}
	data, err := os.ReadFile(damaged)
	if err != nil {
		t.Fatal(err)
	}
	for i := range min(40, len(data)) {
		data[i] ^= 0x55
	}
	if err := os.Chmod(damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(damaged, data, 0o600); err != nil {
		t.Fatal(err)
	}

	c := b.session("EXAMINE INBOX")
	c.expect("FETCH 1:3 BODY[TEXT]", "* 1 FETCH (BODY[TEXT] {11}\none words\n)\n* 3 FETCH (BODY[TEXT] {13}\nthree words\n)\n"+
		"NO [SERVERBUG] Internal error")
	c.expect("FETCH 1:3 BODY.PEEK[HEADER.FIELDS (Subject)]<0.12>", "* 1 FETCH (BODY[HEADER.FIELDS (Subject)]<0> {12}\nSubject: one)\n"+
		"* 2 FETCH (BODY[HEADER.FIELDS (Subject)]<0> {12}\nSubject: two)\n* 3 FETCH (BODY[HEADER.FIELDS (Subject)]<0> {12}\nSubject: thr)\n"+
		"OK FETCH completed")
	c.expect("SEARCH BODY words", "* SEARCH 1 3\nOK SEARCH completed")
}
