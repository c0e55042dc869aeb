package directory

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-crypt/crypt/algorithm"
	"github.com/go-crypt/crypt/algorithm/argon2"
	"github.com/go-crypt/crypt/algorithm/bcrypt"
	"github.com/go-crypt/crypt/algorithm/md5crypt"
	"github.com/go-crypt/crypt/algorithm/pbkdf2"
	"github.com/go-crypt/crypt/algorithm/scrypt"
	"github.com/go-crypt/crypt/algorithm/shacrypt"
)

// maxHash bounds a stored hash, scheme included, in bytes.
const maxHash = 512

// verifier is a stored hash, ready to be compared with a password.
type verifier interface {
	MatchAdvanced(password string) (bool, error)
}

// scheme reads the hashes of one {SCHEME}, spelled as Dovecot spells it.
type scheme struct {
	names []string
	parse func(hash string) (verifier, error)
}

var schemes = []scheme{
	{[]string{"ARGON2ID", "ARGON2I", "ARGON2"}, parseArgon2},
	{[]string{"BCRYPT", "BLF-CRYPT"}, parseBcrypt},
	{[]string{"SHA512-CRYPT", "SHA256-CRYPT"}, parseSHACrypt},
	{[]string{"CRYPT"}, parseCrypt},
	{[]string{"PBKDF2", "PBKDF2-SHA1", "PBKDF2-SHA256", "PBKDF2-SHA512"}, parsePBKDF2},
	{[]string{"MD5-CRYPT"}, parseMD5Crypt},
	{[]string{"SHA", "SHA1", "SHA256", "SHA512", "SSHA", "SSHA256", "SSHA512"}, nil}, // see digestSchemes
	{[]string{"PLAIN", "CLEARTEXT", "CLEAR"}, parsePlain},
}

// Schemes returns the names that a "{SCHEME}hash" may have.
func Schemes() []string {
	var names []string
	for _, s := range schemes {
		names = append(names, s.names...)
	}
	return names
}

// splitScheme splits "{SCHEME}hash"; ok is false when s does not begin with a word in braces.
func splitScheme(s string) (name, hash string, ok bool) {
	if !strings.HasPrefix(s, "{") {
		return "", "", false
	}
	name, hash, ok = strings.Cut(s[1:], "}")
	return strings.ToUpper(name), hash, ok
}

// parseHash reads a stored "{SCHEME}hash". Its error is fit for the administrator's eyes: it holds nothing of the hash but
// the scheme's name.
func parseHash(s string) (verifier, error) {
	if len(s) > maxHash {
		return nil, fmt.Errorf("a hash has at most %d bytes", maxHash)
	}
	name, hash, ok := splitScheme(s)
	if !ok {
		return nil, fmt.Errorf("no {SCHEME} before the hash")
	}
	base, encoding, _ := strings.Cut(name, ".")
	for _, sch := range schemes {
		if !slices.Contains(sch.names, base) {
			continue
		}
		if sch.parse == nil {
			return parseDigest(base, encoding, hash)
		}
		if encoding != "" {
			return nil, fmt.Errorf("{%s} has no .%s form here", base, encoding)
		}
		v, err := sch.parse(hash)
		if err != nil {
			return nil, fmt.Errorf("not a hash of {%s}: %w", base, err)
		}
		return v, nil
	}
	return nil, fmt.Errorf("unknown scheme {%s}; known are %s", name, strings.Join(Schemes(), ", "))
}

// Bounds of what verifying one hash may cost. A hash beyond them would make every login attempt a denial of service.
const (
	maxArgonMemory   = 256 << 10 // KiB
	maxArgonTime     = 64
	maxArgonThreads  = 16
	maxBcryptCost    = 16
	maxSHARounds     = 5_000_000
	maxPBKDF2Rounds  = 10_000_000
	errTooExpensive  = costError("it asks for more memory or time than is allowed")
	errWrongSpelling = costError("it is not spelled as its scheme says")
)

type costError string

func (e costError) Error() string { return string(e) }

var (
	argonForm  = regexp.MustCompile(`^\$argon2(?:id|i)\$v=19\$m=(\d{1,9}),t=(\d{1,9}),p=(\d{1,9})\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{16,172}$`)
	bcryptForm = regexp.MustCompile(`^\$2[abxy]?\$(\d{2})\$[./A-Za-z0-9]{53}$`)
	shaForm    = regexp.MustCompile(`^\$[56]\$(?:rounds=(\d{1,9})\$)?[^$:\s]{1,16}\$[./A-Za-z0-9]{43,86}$`)
	md5Form    = regexp.MustCompile(`^\$1\$[^$:\s]{1,8}\$[./A-Za-z0-9]{22}$`)
	// yescrypt as crypt(5) makes it, up to 256 MiB.
	yescryptForm = regexp.MustCompile(`^\$y\$j[./0-9A-D][5-9A-T]\$[./A-Za-z0-9]{1,86}\$[./A-Za-z0-9]{43}$`)
	pbkdf2Form   = regexp.MustCompile(`^\$pbkdf2(?:-sha1|-sha256|-sha512)?\$(\d{1,9})\$[A-Za-z0-9./]{1,128}\$[A-Za-z0-9./]{16,128}$`)
)

// match checks a hash's form and bounds the numbers in it; a number that is left out is 0.
func match(form *regexp.Regexp, hash string, atMost ...int) error {
	m := form.FindStringSubmatch(hash)
	if m == nil {
		return errWrongSpelling
	}
	for i, limit := range atMost {
		if n, _ := strconv.Atoi(m[i+1]); n > limit { // at most nine digits
			return errTooExpensive
		}
	}
	return nil
}

func parseArgon2(hash string) (verifier, error) {
	if err := match(argonForm, hash, maxArgonMemory, maxArgonTime, maxArgonThreads); err != nil {
		return nil, err
	}
	return decoded(argon2.Decode(hash))
}

func parseBcrypt(hash string) (verifier, error) {
	if err := match(bcryptForm, hash, maxBcryptCost); err != nil {
		return nil, err
	}
	return decoded(bcrypt.Decode(hash))
}

func parseSHACrypt(hash string) (verifier, error) {
	if err := match(shaForm, hash, maxSHARounds); err != nil {
		return nil, err
	}
	return decoded(shacrypt.Decode(hash))
}

func parseMD5Crypt(hash string) (verifier, error) {
	if err := match(md5Form, hash); err != nil {
		return nil, err
	}
	return decoded(md5crypt.Decode(hash))
}

func parseYescrypt(hash string) (verifier, error) {
	if err := match(yescryptForm, hash); err != nil {
		return nil, err
	}
	return decoded(scrypt.Decode(hash))
}

func parsePBKDF2(hash string) (verifier, error) {
	if strings.HasPrefix(hash, "$1$") {
		return parseDovecotPBKDF2(hash)
	}
	if err := match(pbkdf2Form, hash, maxPBKDF2Rounds); err != nil {
		return nil, err
	}
	return decoded(pbkdf2.Decode(hash))
}

// parseCrypt reads what crypt(3) makes, by its prefix.
func parseCrypt(hash string) (verifier, error) {
	id, _, _ := strings.Cut(strings.TrimPrefix(hash, "$"), "$")
	switch id {
	case "1":
		return parseMD5Crypt(hash)
	case "2", "2a", "2b", "2x", "2y":
		return parseBcrypt(hash)
	case "5", "6":
		return parseSHACrypt(hash)
	case "y":
		return parseYescrypt(hash)
	case "argon2id", "argon2i":
		return parseArgon2(hash)
	}
	return nil, errWrongSpelling
}

func decoded(d algorithm.Digest, err error) (verifier, error) {
	if err != nil {
		return nil, errWrongSpelling // the library's own text quotes the hash
	}
	return d, nil
}
