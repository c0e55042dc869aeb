package directory

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1" //nolint:gosec // reads hashes of old installations; they are replaced at the first login
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"regexp"
	"strconv"
	"strings"
)

// digestSchemes are the plain and salted digests of LDAP servers: base64 (or hex) of the digest and the salt after it.
var digestSchemes = map[string]struct {
	new    func() hash.Hash
	salted bool
}{
	"SHA": {sha1.New, false}, "SHA1": {sha1.New, false}, "SHA256": {sha256.New, false}, "SHA512": {sha512.New, false},
	"SSHA": {sha1.New, true}, "SSHA256": {sha256.New, true}, "SSHA512": {sha512.New, true},
}

type saltedDigest struct {
	new       func() hash.Hash
	sum, salt []byte
}

func parseDigest(name, encoding, text string) (verifier, error) {
	sch := digestSchemes[name]
	var raw []byte
	var err error
	switch {
	case encoding == "HEX", encoding == "" && !sch.salted && len(text) == 2*sch.new().Size():
		raw, err = hex.DecodeString(text)
	case encoding == "", encoding == "B64", encoding == "BASE64":
		raw, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	default:
		return nil, fmt.Errorf("{%s} has no .%s form here", name, encoding)
	}
	size := sch.new().Size()
	if err != nil || len(raw) < size || !sch.salted && len(raw) > size {
		return nil, fmt.Errorf("not a hash of {%s}: %w", name, errWrongSpelling)
	}
	return saltedDigest{sch.new, raw[:size], raw[size:]}, nil
}

func (d saltedDigest) MatchAdvanced(password string) (bool, error) {
	h := d.new()
	h.Write([]byte(password))
	h.Write(d.salt)
	return hmac.Equal(h.Sum(nil), d.sum), nil
}

// dovecotPBKDF2 is Dovecot's own {PBKDF2}: HMAC-SHA1, "$1$salt$rounds$key in hex", the salt's characters taken as bytes.
type dovecotPBKDF2 struct {
	salt   string
	rounds int
	key    []byte
}

var dovecotPBKDF2Form = regexp.MustCompile(`^\$1\$([^$]{1,128})\$(\d{1,9})\$([0-9a-fA-F]{40})$`)

func parseDovecotPBKDF2(text string) (verifier, error) {
	m := dovecotPBKDF2Form.FindStringSubmatch(text)
	if m == nil {
		return nil, errWrongSpelling
	}
	rounds, _ := strconv.Atoi(m[2])
	if rounds < 1 || rounds > maxPBKDF2Rounds {
		return nil, errTooExpensive
	}
	key, err := hex.DecodeString(m[3])
	if err != nil {
		return nil, errWrongSpelling
	}
	return dovecotPBKDF2{m[1], rounds, key}, nil
}

func (d dovecotPBKDF2) MatchAdvanced(password string) (bool, error) {
	key, err := pbkdf2.Key(sha1.New, password, []byte(d.salt), d.rounds, len(d.key))
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(key, d.key) == 1, nil
}

type plain string

func parsePlain(text string) (verifier, error) {
	if text == "" {
		return nil, errWrongSpelling
	}
	return plain(text), nil
}

func (p plain) MatchAdvanced(password string) (bool, error) {
	a, b := sha256.Sum256([]byte(p)), sha256.Sum256([]byte(password))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1, nil
}
