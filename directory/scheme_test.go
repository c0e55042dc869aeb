package directory

import (
	"context"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/mailerr"
)

const knownPassword = "pässword one"

// Made by libxcrypt, Python's hashlib and the reference implementation of Argon2.
var knownHashes = []struct{ hash, password string }{
	{"{ARGON2I}$argon2i$v=19$m=65536,t=2,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b+dWRWJTmaaJObG", "password"},
	{"{ARGON2ID}$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "password"},
	{"{CRYPT}$6$saltsalt$OS0xGyLZIvi/kGx1C1lDHh6tVSiourdVrjIF6IrnYmG8LfNCYuQIE.5VSH5/O1hhViuWKiGDfgTtXwqLleQjt1", knownPassword},
	{"{SHA512-CRYPT}$6$rounds=1000$saltsalt$ulUtcLieFds0qigxrmfmYMWJaD5bhtEir31fZJ0YWBoHw305RH5uI29NdxV4wP/EzCufqNshWWUTtjUwASOuU/", knownPassword},
	{"{sha256-crypt}$5$saltsalt$yQYQMkKtU1Hm/I7SS3EGoX8v0OmH1.dp3KancspnGo2", knownPassword},
	{"{MD5-CRYPT}$1$saltsalt$YHoAHrYPaU4Nin8Y6mdZd/", knownPassword},
	{"{CRYPT}$1$saltsalt$YHoAHrYPaU4Nin8Y6mdZd/", knownPassword},
	{"{BLF-CRYPT}$2b$05$abcdefghijklmnopqrstuuqf7g7wqxuy/7AflwSY4riNbrFkl7xJ.", knownPassword},
	{"{BCRYPT}$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"},
	{"{CRYPT}$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"},
	{"{CRYPT}$y$j75$abcdefgh$KQ0/C7V.hUREQzz07C.oF/.ufC54evS0jBi2WoXdaf8", knownPassword},
	{"{SSHA}r+sJdS0SkNOdQx5jfb/3aIzMhyBzYWx0c2FsdA==", knownPassword},
	{"{SSHA256}ME7X0JxGYW+9xsrPiKLFQPh5PtMeMF3QhmJAx10LIkxzYWx0c2FsdA==", knownPassword},
	{"{SSHA256.b64}ME7X0JxGYW+9xsrPiKLFQPh5PtMeMF3QhmJAx10LIkxzYWx0c2FsdA", knownPassword},
	{"{SSHA256.HEX}304ed7d09c46616fbdc6cacf88a2c540f8793ed31e305dd0866240c75d0b224c73616c7473616c74", knownPassword},
	{"{SSHA512}9x0hKOJhnYr5NCeW5h62s+dM7A1hp84GK0Qw0hbrUT6rNlH1Qiqw6NrkF/Uw6xzebLfMrvPGC5Rvlho/xHrwynNhbHRzYWx0", knownPassword},
	{"{SHA}viEaf1/KLrqymjF6owAra9M3Yyc=", knownPassword},
	{"{SHA256}Kiqe/IvMiW9o37iS9+TUbFrGaU2T/uDk74l6FsZl+Ho=", knownPassword},
	{"{SHA256}2a2a9efc8bcc896f68dfb892f7e4d46c5ac6694d93fee0e4ef897a16c665f87a", knownPassword},
	{"{SHA512}Rc1LAVKuKnjHogJdA1zvFt403zS6OqYSWU7DU2xIVZivsZatNgh4QwyUlwGkx7DSL98RT5GuK9dtgxRKoxbq3w==", knownPassword},
	{"{PBKDF2}$1$saltSALTsalt$5000$d2700eaa7b957f57d365c6a7785a8a9123c6cbc2", knownPassword},
	{"{PBKDF2}$pbkdf2$1000$c2FsdHNhbHRzYWx0c2FsdA$xQj5QoknTBIdPMtT2y3.c/1iP7k", knownPassword},
	{"{PBKDF2-SHA256}$pbkdf2-sha256$1000$c2FsdHNhbHRzYWx0c2FsdA$AJ9gZENuzgDAaPI8sRQO.W/FCj9ussm38xoeG3X/wPQ", knownPassword},
	{"{PBKDF2-SHA512}$pbkdf2-sha512$1000$c2FsdHNhbHRzYWx0c2FsdA$/fNaCmv81AmDQZHbPx0HReYGrrXIPoypqhUzAeTt5G7zka3PgxK1fgNxRJmh1.ekAVvj.myW35Sls1QxeG0M1w", knownPassword},
	{"{PLAIN}" + knownPassword, knownPassword},
	{"{CLEARTEXT}{x}", "{x}"},
}

func TestKnownHashes(t *testing.T) {
	for _, k := range knownHashes {
		ok, err := compare(k.hash, k.password)
		if err != nil || !ok {
			t.Errorf("%s: right password: %v, %v", k.hash, ok, err)
		}
		for _, wrong := range []string{k.password + "x", k.password[:len(k.password)-1], strings.ToUpper(k.password) + " ", ""} {
			if ok, err := compare(k.hash, wrong); ok || err != nil {
				t.Errorf("%s: password %q: %v, %v", k.hash, wrong, ok, err)
			}
		}
	}
}

func TestMadeHashesAreVerified(t *testing.T) {
	h := newHasher()
	ctx := t.Context()
	for _, scheme := range []string{"ARGON2ID", "SHA512-CRYPT", "BCRYPT", "argon2id"} {
		first, err := h.hash(ctx, scheme, knownPassword)
		if err != nil {
			t.Fatal(err)
		}
		second, _ := h.hash(ctx, scheme, knownPassword)
		if first == second {
			t.Errorf("%s: no salt", scheme)
		}
		if ok, err := h.verify(ctx, first, knownPassword); !ok || err != nil {
			t.Errorf("%s: %v, %v", first, ok, err)
		}
		if ok, err := h.verify(ctx, first, "other"); ok || err != nil {
			t.Errorf("%s: wrong password: %v, %v", first, ok, err)
		}
		if strings.HasPrefix(first, currentForm) != strings.EqualFold(scheme, Single) {
			t.Errorf("%s: %s", scheme, first)
		}
	}
	if _, err := h.hash(ctx, "MD5-CRYPT", "x"); !mailerr.Is(err, mailerr.Invalid) {
		t.Errorf("MD5-CRYPT is made: %v", err)
	}
	for _, p := range []string{"", "a\nb", "a\x00", strings.Repeat("x", maxPassword+1)} {
		if _, err := h.hash(ctx, Single, p); !mailerr.Is(err, mailerr.Invalid) {
			t.Errorf("password of %d bytes: %v", len(p), err)
		}
	}
	if _, err := h.hash(ctx, "BCRYPT", strings.Repeat("x", 73)); !mailerr.Is(err, mailerr.Invalid) {
		t.Errorf("bcrypt cuts a password: %v", err)
	}
}

func TestBadHashesAreRefused(t *testing.T) {
	for _, s := range []string{
		"", "x", "{", "{}", "{}x", "{NOSUCH}x", "{PLAIN}", "{CRYPT}", "{CRYPT}x", "{CRYPT}$9$a$b", "{ARGON2ID}", "{ARGON2ID}$argon2id$",
		"{ARGON2ID}$argon2id$v=19$m=1073741824,t=2,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaaJObG", // a terabyte
		"{ARGON2ID}$argon2id$v=19$m=65536,t=99999,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaaJObG",
		"{ARGON2ID}$argon2id$v=16$m=65536,t=2,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaaJObG",
		"{BCRYPT}$2b$31$abcdefghijklmnopqrstuuqf7g7wqxuy/7AflwSY4riNbrFkl7xJ.", "{BCRYPT}$2b$05$short",
		"{SHA512-CRYPT}$6$rounds=999999999$saltsalt$ulUtcLieFds0qigxrmfmYMWJaD5bhtEir31fZJ0YWBoHw305RH5uI29NdxV4wP/EzCufqNshWWUTtjUwASOuU/",
		"{PBKDF2}$1$salt$999999999$d2700eaa7b957f57d365c6a7785a8a9123c6cbc2", "{PBKDF2}$1$salt$0$d2700eaa7b957f57d365c6a7785a8a9123c6cbc2",
		"{SSHA}!!!", "{SSHA}c2hvcnQ=", "{SHA.FOO}x", "{CRYPT.HEX}x", "{SHA}r+sJdS0SkNOdQx5jfb/3aIzMhyBzYWx0c2FsdA==",
		"{CRYPT}$y$jzz$abcdefgh$KQ0/C7V.hUREQzz07C.oF/.ufC54evS0jBi2WoXdaf8",
		"{PLAIN}" + strings.Repeat("x", maxHash),
	} {
		if v, err := parseHash(s); err == nil {
			t.Errorf("%.80q is taken as %T", s, v)
		}
	}
}

func FuzzParseHash(f *testing.F) {
	for _, k := range knownHashes {
		f.Add(k.hash)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := parseHash(s)
		if err != nil {
			return
		}
		// What costs little is verified, too: no hash that is accepted may bring the server down.
		if d, ok := v.(saltedDigest); ok {
			if ok, err := d.MatchAdvanced("x"); ok && err == nil && len(d.sum) == 0 {
				t.Errorf("%q matches anything", s)
			}
		}
	})
}

// A wrong name must cost what a wrong password costs, whatever the scheme: that is, each does at least one Argon2id.
func TestFailuresCostTheSame(t *testing.T) {
	h := newHasher()
	dummy := &countingVerifier{verifier: h.dummy}
	h.dummy = dummy
	current, err := h.hash(t.Context(), Single, "right")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, stored, password string
		dummies                int
	}{
		{"no account", "", "x", 1}, {"no password given", current, "", 1}, {"cheap hash", "{PLAIN}right", "x", 1}, {"current hash", current, "x", 0},
		{"unreadable hash", "{NOSUCH}x", "x", 1}, {"over-long password", current, strings.Repeat("x", 5000), 1}, {"success", "{PLAIN}right", "right", 0},
	} {
		dummy.n = 0
		ok, _ := h.verify(t.Context(), tc.stored, tc.password)
		if ok != (tc.name == "success") || dummy.n != tc.dummies {
			t.Errorf("%s: %v, %d dummy verifications, want %d", tc.name, ok, dummy.n, tc.dummies)
		}
	}
}

type countingVerifier struct {
	verifier
	n int
}

func (c *countingVerifier) MatchAdvanced(p string) (bool, error) {
	c.n++
	return c.verifier.MatchAdvanced(p)
}

func TestHashingWaitsForASlotNoLongerThanItsContext(t *testing.T) {
	h := newHasher()
	for range cap(h.slots) {
		h.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.verify(ctx, "", "x"); !mailerr.Is(err, mailerr.Unavailable) {
		t.Errorf("verify: %v", err)
	}
	if _, err := h.hash(ctx, Single, "x"); !mailerr.Is(err, mailerr.Unavailable) {
		t.Errorf("hash: %v", err)
	}
}
