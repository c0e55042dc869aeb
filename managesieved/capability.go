package managesieved

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/rookery-mail/rookery/sieve"
)

// capability is CAPABILITY (RFC 5804 section 2.4).
func capability(_ context.Context, s *session, _ *scanned) error {
	s.greet("Capability completed")
	return nil
}

// greet writes the capabilities (RFC 5804 section 1.7) and OK.
func (s *session) greet(text string) {
	line := func(name, value string) { s.Out.WriteString(quote(name) + " " + quote(value) + "\r\n") }
	line("IMPLEMENTATION", s.srv.implementation())
	// Behind the login the list stays as it was: RFC 5804 section 1.7 has capabilities static but for what it names.
	if s.mayLogin() == nil {
		line("SASL", "PLAIN")
	} else {
		line("SASL", "")
	}
	extensions := s.srv.cfg.Compile.Extensions
	if extensions == nil {
		extensions = sieve.Extensions()
	}
	line("SIEVE", strings.Join(extensions, " "))
	line("NOTIFY", strings.Join(sieve.NotifyMethods(), " "))
	if slices.Contains(extensions, "extlists") {
		line("EXTLISTS", strings.Join(s.srv.cfg.Lists, " "))
	}
	redirects := s.srv.cfg.Compile.Limits.Redirects
	if redirects == 0 {
		redirects = sieve.DefaultLimits.Redirects
	}
	line("MAXREDIRECTS", strconv.Itoa(redirects))
	line("LANGUAGE", "en")
	if s.mayStartTLS() {
		s.Out.WriteString("\"STARTTLS\"\r\n")
	}
	s.Out.WriteString("\"UNAUTHENTICATE\"\r\n")
	if s.account != nil {
		line("OWNER", s.account.Address)
	}
	line("VERSION", "1.0")
	s.ok("", text)
}

// implementation names the server.
func (s *Server) implementation() string {
	return strings.TrimSpace("Rookery ManageSieve " + s.cfg.Version)
}
