package pop3d

import (
	"context"
	"time"

	"github.com/rookery-mail/rookery/metadata"
)

// admission is an account's right to log in, used up for LoginDelay by each login (RFC 2449 section 6.5).
type admission struct {
	s    *session
	name string // of the lease that stands for the delay; "": there is none
}

// admit begins the account's delay. InUse while an earlier one runs.
func (s *session) admit(ctx context.Context, account metadata.AccountID) (admission, error) {
	if s.srv.cfg.LoginDelay <= 0 {
		return admission{}, nil
	}
	a := admission{s, "pop3 login:" + account.String()}
	return a, s.srv.cfg.Store.Metadata().AcquireLease(ctx, a.name, s.id, s.srv.cfg.LoginDelay)
}

// undo takes back a login that came to nothing: the delay runs from what was answered +OK.
func (a admission) undo() {
	if a.name == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := a.s.srv.cfg.Store.Metadata().ReleaseLease(ctx, a.name, a.s.id); err != nil {
		a.s.log.Warn("pop3 login delay not taken back", "error", err)
	}
}

// loginDelaySeconds rounds up: who waits so long is admitted.
func loginDelaySeconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }
