package uidl

import (
	"encoding/hex"
	"errors"
	"strconv"
	"strings"

	"github.com/rookery-mail/rookery/metadata"
)

// plainLine reads "<unique-id> TAB <Message-ID, SHA-256 or UID>".
func plainLine(line string) (Entry, bool, error) {
	if line == "" || strings.HasPrefix(line, "#") {
		return Entry{}, false, nil
	}
	unique, key, ok := strings.Cut(line, "\t")
	key = strings.TrimSpace(key)
	if !ok || key == "" {
		return Entry{}, false, errors.New("expected a unique-id, a tab, and a Message-ID, SHA-256 or UID")
	}
	e := Entry{Unique: unique}
	if e.MessageID = firstID(key); e.MessageID != "" && key[0] == '<' {
		return e, true, nil
	}
	if len(key) == 2*len(e.Hash) {
		if h, err := hex.DecodeString(key); err == nil {
			e.Hash = (*Hash)(h)
			return e, true, nil
		}
	}
	uid, err := strconv.ParseUint(key, 10, 32)
	if err != nil || uid == 0 {
		return Entry{}, false, errors.New(strconv.Quote(key) + " is no Message-ID in angle brackets, no SHA-256 and no UID")
	}
	e.UID = metadata.UID(uid)
	return e, true, nil
}
