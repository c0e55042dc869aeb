package blobstore

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rookery-mail/rookery/mailerr"
)

const (
	maxKeyLen     = 900 // S3 allows 1,024 bytes
	maxSegmentLen = 200 // file systems allow 255 bytes
)

// CheckKey returns an Invalid error unless key can name an object in every Store: segments of letters, digits and "._-=+@",
// separated by single slashes, none of them beginning with a dot.
func CheckKey(op, key string) error {
	if err := checkKey(key); err != nil {
		return mailerr.Wrap(op, mailerr.Invalid, fmt.Errorf("key %.100q: %w", key, err))
	}
	return nil
}

func checkKey(key string) error {
	if key == "" || len(key) > maxKeyLen {
		return errors.New("empty or too long")
	}
	for segment := range strings.SplitSeq(key, "/") {
		if segment == "" || segment[0] == '.' || len(segment) > maxSegmentLen {
			return errors.New("a segment is empty, too long or begins with a dot")
		}
		if strings.IndexFunc(segment, notInKey) >= 0 {
			return errors.New("a character is not allowed")
		}
	}
	return nil
}

func notInKey(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-=+@", r)
}

// CheckPrefix is CheckKey for the prefix of a List: any beginning of a key, the empty one too.
func CheckPrefix(op, prefix string) error {
	if prefix == "" {
		return nil
	}
	return CheckKey(op, prefix+"x")
}

// CheckRange is CheckKey for ReadRange: offset and length must not be negative either.
func CheckRange(op, key string, offset, length int64) error {
	if offset < 0 || length < 0 || offset+length < 0 {
		return mailerr.Wrap(op, mailerr.Invalid, fmt.Errorf("range of %d bytes at %d", length, offset))
	}
	return CheckKey(op, key)
}
