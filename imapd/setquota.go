package imapd

import (
	"context"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
)

var setQuotaCommand = command{
	name:   "SETQUOTA",
	states: loggedIn,
	parse:  parseSetQuota,
}

// setQuota is SETQUOTA (RFC 9208 section 4.1.3), for administrators. What it does not name has no limit afterwards.
type setQuota struct {
	root            string
	bytes, messages int64 // 0: no limit
	refused         string
}

func parseSetQuota(p *wire.Parser) (runner, error) {
	cmd := &setQuota{}
	if err := p.SP(); err != nil {
		return nil, err
	}
	var err error
	if cmd.root, err = p.AString(); err != nil {
		return nil, err
	}
	if err := p.SP(); err != nil {
		return nil, err
	}
	err = p.List(func() error {
		name, err := p.Keyword()
		if err != nil {
			return err
		}
		if err := p.SP(); err != nil {
			return err
		}
		limit, err := p.Number64()
		if err != nil {
			return err
		}
		switch {
		case name != "STORAGE" && name != "MESSAGE":
			cmd.refused = "Only STORAGE and MESSAGE can be set"
		case limit == 0 || limit > maxQuota/kib:
			cmd.refused = "No such limit"
		case name == "STORAGE":
			cmd.bytes = int64(limit) * kib
		default:
			cmd.messages = int64(limit)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return cmd, p.End()
}

func (cmd *setQuota) run(ctx context.Context, s *session) error {
	if !s.administrator {
		return no("NOPERM", "Limits are set by administrators")
	}
	if cmd.refused != "" {
		return no("CANNOT", cmd.refused)
	}
	q, err := s.user.SetQuotaRoot(ctx, cmd.root, cmd.bytes, cmd.messages)
	if err != nil {
		return err
	}
	s.log.Info("quota set", "root", printable(cmd.root), "bytes", cmd.bytes, "messages", cmd.messages)
	s.writeQuota(q)
	return nil
}
