package directory

import (
	"context"
	"fmt"
	"runtime"
	"strings"

	"github.com/go-crypt/crypt/algorithm"
	"github.com/go-crypt/crypt/algorithm/argon2"
	"github.com/go-crypt/crypt/algorithm/bcrypt"
	"github.com/go-crypt/crypt/algorithm/shacrypt"

	"github.com/rookery-mail/rookery/mailerr"
)

// Argon2id as OWASP's least: 19 MiB, two passes, one lane; about 20 ms on a small server's core.
const (
	argonMemory  = 19 << 10 // KiB
	argonTime    = 2
	argonThreads = 1
)

// currentForm is the beginning of every hash made with the parameters above. Any other is replaced at the next login.
var currentForm = fmt.Sprintf("{ARGON2ID}$argon2id$v=19$m=%d,t=%d,p=%d$", argonMemory, argonTime, argonThreads)

// Bulk is the scheme for importing many plain-text passwords at once, 15 times faster than the one for single passwords,
// which replaces it at the account's first login. See docs/decisions/0004-password-schemes.md.
const Bulk = "SHA512-CRYPT"

// Single is the scheme for passwords set one at a time.
const Single = "ARGON2ID"

// maxPassword bounds a password in bytes. Nobody types more; hashing more is work for an attacker's benefit.
const maxPassword = 1024

// hasher makes and verifies hashes, no more of them at once than there are cores, so that memory (19 MiB each) and time
// stay bounded however many clients log in.
type hasher struct {
	slots  chan struct{}
	makers map[string]algorithm.Hash
	dummy  verifier // what a password is compared with when there is no account
}

func newHasher() *hasher {
	h := &hasher{slots: make(chan struct{}, runtime.GOMAXPROCS(0)), makers: make(map[string]algorithm.Hash)}
	add := func(name string, maker algorithm.Hash, err error) {
		if err != nil {
			panic(err) // constants above are wrong
		}
		h.makers[name] = maker
	}
	a, err := argon2.New(argon2.WithVariant(argon2.VariantID), argon2.WithM(argonMemory), argon2.WithT(argonTime), argon2.WithP(argonThreads))
	add("ARGON2ID", a, err)
	s, err := shacrypt.New(shacrypt.WithVariant(shacrypt.VariantSHA512), shacrypt.WithIterations(5000))
	add("SHA512-CRYPT", s, err)
	b, err := bcrypt.New(bcrypt.WithVariant(bcrypt.VariantStandard), bcrypt.WithIterations(10))
	add("BCRYPT", b, err)
	if h.dummy, err = parseHash(currentForm + strings.Repeat("A", 22) + "$" + strings.Repeat("A", 43)); err != nil {
		panic(err)
	}
	return h
}

// hash returns "{SCHEME}hash" of a password. Invalid for a scheme that only exists to be verified, or a password nobody may
// have.
func (h *hasher) hash(ctx context.Context, scheme, password string) (string, error) {
	maker, ok := h.makers[strings.ToUpper(scheme)]
	if !ok {
		return "", mailerr.New("directory.hash", mailerr.Invalid, "passwords are hashed as ARGON2ID, BCRYPT or SHA512-CRYPT, not as "+scheme)
	}
	if err := checkPassword(password); err != nil {
		return "", err
	}
	if scheme == "BCRYPT" && len(password) > 72 {
		return "", mailerr.New("directory.hash", mailerr.Invalid, "BCRYPT takes passwords of at most 72 bytes")
	}
	if err := h.acquire(ctx); err != nil {
		return "", err
	}
	defer h.release()
	d, err := maker.Hash(password)
	if err != nil {
		return "", mailerr.Wrap("directory.hash", mailerr.Internal, err)
	}
	return "{" + strings.ToUpper(scheme) + "}" + d.Encode(), nil
}

// verify reports whether the password is the one of a stored hash. Every failure costs what verifying a current hash costs
// at least, whether the account is there ("" is the hash of none) and however cheap its hash is.
func (h *hasher) verify(ctx context.Context, stored, password string) (bool, error) {
	if err := h.acquire(ctx); err != nil {
		return false, err
	}
	defer h.release()
	switch {
	case len(password) > maxPassword:
		password, stored = password[:maxPassword], ""
	case password == "":
		stored = ""
	}
	ok, err := compare(stored, password)
	if !ok && !strings.HasPrefix(stored, currentForm) {
		_, _ = h.dummy.MatchAdvanced(password)
	}
	return ok, err
}

func compare(stored, password string) (ok bool, err error) {
	if stored == "" {
		return false, nil
	}
	v, err := parseHash(stored)
	if err != nil {
		return false, mailerr.Wrap("directory.verify", mailerr.Internal, err)
	}
	if ok, err = v.MatchAdvanced(password); err != nil {
		return false, mailerr.Wrap("directory.verify", mailerr.Internal, err)
	}
	return ok, nil
}

func (h *hasher) acquire(ctx context.Context) error {
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return mailerr.Wrap("directory.hash", mailerr.Unavailable, ctx.Err())
	}
}

func (h *hasher) release() { <-h.slots }

func checkPassword(password string) error {
	switch {
	case password == "":
		return mailerr.New("directory.checkPassword", mailerr.Invalid, "the password is empty")
	case len(password) > maxPassword:
		return mailerr.New("directory.checkPassword", mailerr.Invalid, fmt.Sprintf("the password has more than %d bytes", maxPassword))
	case strings.ContainsAny(password, "\x00\r\n"):
		return mailerr.New("directory.checkPassword", mailerr.Invalid, "the password has a line end or a NUL in it")
	}
	return nil
}
