package managesieved

import (
	"context"

	"github.com/rookery-mail/rookery/metadata"
)

// setActive is SETACTIVE (RFC 5804 section 2.8); without a name no script is active.
func setActive(ctx context.Context, s *session, c *scanned) error {
	ctx, cancel := s.stored(ctx)
	defer cancel()
	name := c.args[0].value
	if err := s.srv.cfg.Scripts.ActivateScript(ctx, metadata.AccountScripts(s.account.ID), name); err != nil {
		return err
	}
	s.log.Info("managesieve script activated", "script", name)
	s.ok("", "Done")
	return nil
}
