package managesieved

import (
	"context"
	"fmt"
	"time"

	"github.com/rookery-mail/rookery/metadata"
)

// listScripts is LISTSCRIPTS (RFC 5804 section 2.7). What went wrong with the active script since it was stored is told behind it.
func listScripts(ctx context.Context, s *session, _ *scanned) error {
	ctx, cancel := s.stored(ctx)
	defer cancel()
	all, _, err := s.srv.cfg.Scripts.Scripts(ctx, metadata.AccountScripts(s.account.ID))
	if err != nil {
		return err
	}
	said := "Listed"
	for i := range all {
		script := &all[i]
		s.Out.WriteString(quote(script.Name))
		if script.Active {
			s.Out.WriteString(" ACTIVE")
			if e := script.Error; e.Errors > 0 {
				said = fmt.Sprintf("%s failed %d times, last at %s: %s", script.Name, e.Errors, e.At.UTC().Format(time.RFC3339), e.Text)
			}
		}
		s.Out.WriteString("\r\n")
	}
	s.ok("", said)
	return nil
}
