package managesieved

import (
	"context"
	"fmt"

	"github.com/rookery-mail/rookery/metadata"
)

// getScript is GETSCRIPT (RFC 5804 section 2.9).
func getScript(ctx context.Context, s *session, c *scanned) error {
	ctx, cancel := s.stored(ctx)
	defer cancel()
	script, err := s.srv.cfg.Scripts.Script(ctx, metadata.AccountScripts(s.account.ID), c.args[0].value)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "{%d}\r\n%s\r\n", len(script.Source), script.Source)
	s.ok("", "That is it")
	return nil
}
