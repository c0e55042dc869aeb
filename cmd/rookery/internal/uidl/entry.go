package uidl

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/rookery-mail/rookery/metadata"
)

// Hash is the SHA-256 of a message with CRLF.
type Hash [32]byte

// Entry is a unique-id and what is known of its message.
type Entry struct {
	Line      int
	Unique    string
	UID       metadata.UID // 0: not known
	MessageID string       // "": not known
	Hash      *Hash        // nil: not known

	file string // in the Maildir, "" for none
}

// Options say how a list is read.
type Options struct {
	// Format is Dovecot's pop3_uidl_format; "": DefaultFormat.
	Format string
	// ByUID finds the messages of Dovecot's list by their UIDs rather than by their files, for a migration that kept them.
	ByUID bool
	// Progress is called after each file that was read; may be nil.
	Progress func(done, all int)
}

const (
	dovecotList = "dovecot-uidlist"
	courierList = "courierpop3dsizelist"
)

// A line of any of the lists is shorter than this.
const maxLine = 64 << 10

// Read reads a list or the one in a Maildir.
func Read(path string, o Options) ([]Entry, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		if path, err = listIn(path); err != nil {
			return nil, err
		}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := parse(f, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(entries) > 0 && entries[0].file != "" && !o.ByUID {
		err = readFiles(filepath.Dir(path), entries, o.Progress)
	}
	return entries, err
}

// listIn returns the list of a Maildir.
func listIn(dir string) (string, error) {
	var found []string
	for _, name := range []string{dovecotList, courierList} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			found = append(found, filepath.Join(dir, name))
		}
	}
	switch len(found) {
	case 0:
		return "", fmt.Errorf("%s has neither %s nor %s", dir, dovecotList, courierList)
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("%s and %s are both there: name the one that was in use", found[0], found[1])
}

// parse reads a list of whatever form.
func parse(r io.Reader, o Options) ([]Entry, error) {
	in := bufio.NewScanner(r)
	in.Buffer(nil, maxLine)
	var entries []Entry
	var line func(string) (Entry, bool, error)
	for n := 1; in.Scan(); n++ {
		text := string(bytes.TrimSuffix(in.Bytes(), []byte("\r")))
		if n == 1 {
			var header bool
			var err error
			if line, header, err = formOf(text, o); err != nil {
				return nil, err
			} else if header {
				continue
			}
		}
		e, ok, err := line(text)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if !ok {
			continue
		}
		if !metadata.ValidUIDL(e.Unique) {
			return nil, fmt.Errorf("line %d: %q is no unique-id", n, e.Unique)
		}
		e.Line = n
		entries = append(entries, e)
	}
	if errors.Is(in.Err(), bufio.ErrTooLong) {
		return nil, errors.New("a line is too long: this is no list")
	}
	return entries, in.Err()
}

// formOf returns what reads the lines of a list with this first line, and whether that is a header.
func formOf(first string, o Options) (line func(string) (Entry, bool, error), header bool, err error) {
	switch fields := strings.Fields(first); {
	case strings.HasPrefix(first, "/2 "), strings.HasPrefix(first, "/3 "):
		return courierLine, true, nil
	case strings.HasPrefix(first, "3 V"), len(fields) == 3 && fields[0] == "1" && isNumber(fields[1]) && isNumber(fields[2]):
		line, err = dovecotLines(fields, o)
		return line, true, err
	}
	return plainLine, false, nil
}
