package managesieved

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/sieve"
)

// putScript is PUTSCRIPT (RFC 5804 section 2.6).
func putScript(ctx context.Context, s *session, c *scanned) error {
	name, err := scriptName(c.args[0].value)
	if err != nil {
		return err
	}
	source := c.args[1].value
	if source == "" {
		return refusal{"", "The script is empty"}
	}
	warnings, err := s.compile(name, source)
	if err != nil {
		return err
	}
	ctx, cancel := s.stored(ctx)
	defer cancel()
	if err := s.srv.cfg.Scripts.PutScript(ctx, metadata.AccountScripts(s.account.ID), name, source, s.srv.cfg.Limits); err != nil {
		return err
	}
	s.log.Info("managesieve script stored", "script", name, "bytes", len(source))
	s.compiled(warnings, "Stored")
	return nil
}

// checkScript is CHECKSCRIPT (RFC 5804 section 2.12).
func checkScript(_ context.Context, s *session, c *scanned) error {
	warnings, err := s.compile("", c.args[0].value)
	if err != nil {
		return err
	}
	s.compiled(warnings, "The script is right")
	return nil
}

// compile returns a script's warnings, or a refusal with everything that is wrong with it, a line each.
func (s *session) compile(name, source string) (warnings []string, err error) {
	options := s.srv.cfg.Compile
	options.Name = name
	script, err := sieve.Compile(source, options)
	var wrong *sieve.CompileError
	if errors.As(err, &wrong) {
		return nil, refusal{"", lines(name, wrong.Problems)}
	}
	if err != nil {
		return nil, err
	}
	if w := script.Warnings(); len(w) > 0 {
		return []string{lines(name, w)}, nil
	}
	return nil, nil
}

func (s *session) compiled(warnings []string, text string) {
	if len(warnings) > 0 {
		s.ok("WARNINGS", warnings[0])
		return
	}
	s.ok("", text)
}

// lines says problems, a line each, as "name: line 2: column 5: text": in this form Roundcube finds the lines to mark.
func lines(name string, problems []sieve.Problem) string {
	if name != "" {
		name += ": "
	}
	all := make([]string, len(problems))
	for i, p := range problems {
		all[i] = fmt.Sprintf("%sline %d: column %d: %s", name, p.Pos.Line, p.Pos.Column, p.Text)
	}
	return strings.Join(all, "\r\n")
}
