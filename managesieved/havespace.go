package managesieved

import (
	"context"
	"strconv"

	"github.com/rookery-mail/rookery/metadata"
)

// haveSpace is HAVESPACE (RFC 5804 section 2.5).
func haveSpace(ctx context.Context, s *session, c *scanned) error {
	name, err := scriptName(c.args[0].value)
	if err != nil {
		return err
	}
	size, err := strconv.ParseUint(c.args[1].value, 10, 32)
	if err != nil {
		return mistake("The size is out of range")
	}
	ctx, cancel := s.stored(ctx)
	defer cancel()
	have, _, err := s.srv.cfg.Scripts.Scripts(ctx, metadata.AccountScripts(s.account.ID))
	if err != nil {
		return err
	}
	if err := s.srv.cfg.Limits.Check(have, name, int64(size)); err != nil {
		return err
	}
	s.ok("", "There is space")
	return nil
}
