package uidl

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/rookery-mail/rookery/message"
)

// readFiles looks into the files that entries name: those of a Maildir. An entry whose file is not there stays as it is.
func readFiles(dir string, entries []Entry, progress func(done, all int)) error {
	files := make(map[string]string)
	for _, sub := range []string{"cur", "new"} {
		found, err := os.ReadDir(filepath.Join(dir, sub))
		if err != nil {
			return fmt.Errorf("the list names files of a Maildir, which cannot be read: %w", err)
		}
		for _, f := range found {
			files[stem(f.Name())] = filepath.Join(dir, sub, f.Name())
		}
	}
	for i := range entries {
		if path, ok := files[stem(entries[i].file)]; ok {
			if err := entries[i].read(path); err != nil {
				return err
			}
		}
		if progress != nil {
			progress(i+1, len(entries))
		}
	}
	return nil
}

// stem is what of a file's name never changes: without flags and sizes.
func stem(name string) string {
	if i := strings.IndexAny(name, ":,"); i >= 0 {
		return name[:i]
	}
	return name
}

// read notes a message's hash and Message-ID.
func (e *Entry) read(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil // it was renamed or deleted just now
	}
	if err != nil {
		return err
	}
	defer f.Close()
	sum, scan := sha256.New(), message.NewScanner()
	if err := copyCRLF(io.MultiWriter(sum, scan), f); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	e.Hash = (*Hash)(sum.Sum(nil))
	e.MessageID = MessageID(scan.Close())
	return nil
}

// MessageID returns a message's Message-ID in angle brackets, "" if it has none that can be read.
func MessageID(s *message.Structure) string {
	if s.Envelope.MessageID == nil {
		return ""
	}
	return firstID(*s.Envelope.MessageID)
}

// firstID returns the first Message-ID in a text, in its one form and angle brackets; "" for none.
func firstID(value string) string {
	for id := range message.MessageIDs(value) {
		return "<" + string(id) + ">"
	}
	return ""
}

// copyCRLF copies a text and makes every line end CRLF.
func copyCRLF(w io.Writer, r io.Reader) error {
	in := bufio.NewReaderSize(r, 64<<10)
	out := bufio.NewWriterSize(w, 64<<10)
	var before byte
	for {
		c, err := in.ReadByte()
		if errors.Is(err, io.EOF) {
			return out.Flush()
		}
		if err != nil {
			return err
		}
		if c == '\n' && before != '\r' {
			_ = out.WriteByte('\r') // Flush has the error
		}
		_ = out.WriteByte(c) // Flush has the error
		before = c
	}
}
