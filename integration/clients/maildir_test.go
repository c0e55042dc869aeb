package clients

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// maildir is a directory of mail on the client's side.
type maildir string

// expect fails unless the messages in cur and new have these subjects and flags, "subject [FLAGS]" with the letters of Maildir.
func (m maildir) expect(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	for _, f := range m.files(t) {
		_, flags, _ := strings.Cut(filepath.Base(f), ":2,")
		got = append(got, fmt.Sprintf("%s [%s]", subjectOf(t, f), flags))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("%s has\n%q, want\n%q", m, got, want)
	}
}

func (m maildir) files(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(string(m), "[cn][ue][rw]", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// find returns the file of the message with a subject.
func (m maildir) find(t *testing.T, subject string) string {
	t.Helper()
	for _, f := range m.files(t) {
		if subjectOf(t, f) == subject {
			return f
		}
	}
	t.Fatalf("%s has no message %q", m, subject)
	return ""
}

// flag gives a message other flags, as a mail reader does: by renaming it.
func (m maildir) flag(t *testing.T, subject, flags string) {
	t.Helper()
	f := m.find(t, subject)
	base, _, _ := strings.Cut(filepath.Base(f), ":2,")
	if err := os.Rename(f, filepath.Join(string(m), "cur", base+":2,"+flags)); err != nil {
		t.Fatal(err)
	}
}

// put stores a message, with the line ends of Unix.
func (m maildir) put(t *testing.T, name, flags, message string) {
	t.Helper()
	for _, sub := range []string{"cur", "new", "tmp"} {
		if err := os.MkdirAll(filepath.Join(string(m), sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(string(m), "cur", name+":2,"+flags), strings.ReplaceAll(message, "\r\n", "\n"))
}

func subjectOf(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut("\n"+string(b), "\nSubject: ")
	subject, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSuffix(subject, "\r")
}

// checkBodies fails unless each file's message ends as letter made it; programs add header fields of their own.
func (m maildir) checkBodies(t *testing.T) {
	t.Helper()
	for _, f := range m.files(t) {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		got := crlf(strings.ReplaceAll(string(b), "\r\n", "\n"))
		want := letter(subjectOf(t, f))
		if want = want[strings.Index(want, "\r\n\r\n"):]; !strings.HasSuffix(got, want) {
			t.Errorf("%s ends %.200q, want %q", f, got[max(0, len(got)-len(want)):], want)
		}
	}
}
