package pop3d

import (
	"context"

	"golang.org/x/text/secure/precis"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// utf8Mode is UTF8 (RFC 6856 section 2.1). Messages are the same octets without it: see the package comment.
func utf8Mode(_ context.Context, s *session, args string) error {
	if err := noArguments(args); err != nil {
		return err
	}
	s.utf8 = true
	s.ok("UTF-8 from now on")
	return nil
}

// authenticate checks a login name and a password, which beyond ASCII are prepared by OpaqueString (RFC 8265 section 4.2), the
// successor of the SASLprep that RFC 6856 section 2.2 asks for. What is not UTF-8, or has characters that no password has, is Permission. A password
// that was stored before anything prepared it is accepted as it was given.
func (s *session) authenticate(ctx context.Context, login, password string) (*metadata.Account, error) {
	const op = "pop3d.authenticate"
	name, ok := prepared(login)
	prep, ok2 := prepared(password)
	if !ok || !ok2 {
		return nil, mailerr.New(op, mailerr.Permission, "")
	}
	account, err := s.srv.cfg.Directory.Authenticate(ctx, name, prep)
	if prep != password && mailerr.Is(err, mailerr.Permission) {
		return s.srv.cfg.Directory.Authenticate(ctx, name, password)
	}
	return account, err
}

// prepared returns a text as OpaqueString has it. ASCII stays as it is.
func prepared(s string) (string, bool) {
	ascii := true
	for i := range len(s) {
		ascii = ascii && s[i] < 0x80
	}
	if ascii {
		return s, true
	}
	p, err := precis.OpaqueString.String(s)
	return p, err == nil
}
