package managesieved

import (
	"context"

	"github.com/rookery-mail/rookery/metadata"
)

// deleteScript is DELETESCRIPT (RFC 5804 section 2.10); the active script cannot be deleted.
func deleteScript(ctx context.Context, s *session, c *scanned) error {
	ctx, cancel := s.stored(ctx)
	defer cancel()
	name := c.args[0].value
	if err := s.srv.cfg.Scripts.DeleteScript(ctx, metadata.AccountScripts(s.account.ID), name); err != nil {
		return err
	}
	s.log.Info("managesieve script deleted", "script", name)
	s.ok("", "Deleted")
	return nil
}
