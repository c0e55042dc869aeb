package managesieved

import (
	"context"

	"github.com/rookery-mail/rookery/metadata"
)

// renameScript is RENAMESCRIPT (RFC 5804 section 2.11); an active script stays active.
func renameScript(ctx context.Context, s *session, c *scanned) error {
	to, err := scriptName(c.args[1].value)
	if err != nil {
		return err
	}
	ctx, cancel := s.stored(ctx)
	defer cancel()
	from := c.args[0].value
	if err := s.srv.cfg.Scripts.RenameScript(ctx, metadata.AccountScripts(s.account.ID), from, to); err != nil {
		return err
	}
	s.log.Info("managesieve script renamed", "script", from, "to", to)
	s.ok("", "Renamed")
	return nil
}
