package imapd

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/mailstore"
)

// step reads one command, runs it and answers. Its error ends the session.
func (s *session) step() error {
	s.lock()
	defer s.mu.Unlock()
	s.present = present{}
	if s.end != nil {
		return s.end
	}
	s.startClock()
	raw, err := s.r.Next()
	var refused *wire.SyntaxError
	if err != nil && !errors.As(err, &refused) {
		return err
	}
	start := time.Now()
	p := s.newParser(raw)
	tag, err := p.Tag()
	if err != nil {
		return s.answer("*", "", bad("Missing tag"))
	}
	s.tag = tag
	cmd, name, err := lookup(p)
	if refused != nil {
		err = refused
	}
	if err != nil {
		return s.answer(tag, name, err)
	}
	if cmd.states&s.state() == 0 {
		return s.answer(tag, name, bad(s.notNow(cmd)))
	}
	if s.needsUID(cmd) {
		return s.answer(tag, name, errUIDRequired)
	}
	run, err := cmd.parse(p)
	if err != nil {
		return s.answer(tag, name, err)
	}
	r := &running{cmd: cmd, name: name, tag: tag, order: cmd.orderOf(run), run: run, start: start, own: cmd.own}
	s.begin(r)
	s.present = present{tag: tag}
	if s.end != nil {
		s.finish(r)
		return s.end
	}
	if r.own {
		return s.detach(r)
	}
	defer s.finish(r)
	return s.complete(s.ctx, r)
}

func (s *session) notNow(cmd *command) string {
	switch {
	case s.user == nil:
		return "Log in first"
	case cmd.states&notAuthenticated != 0:
		return "Already logged in"
	default:
		return "No mailbox selected"
	}
}

// answer writes the tagged response. name is "" for what is no command.
func (s *session) answer(tag, name string, err error) error {
	st := statusError{typ: "OK"}
	if err != nil {
		var ours bool
		st, ours = statusOf(err)
		switch {
		case errors.Is(err, mailstore.ErrTooSlow): // the client's trouble, though it may try again
			s.log.Warn("message came too slowly", "command", name, "error", err)
		case ours:
			s.log.Error("command failed", "command", name, "error", err)
		}
	}
	if st.highest && s.sel != nil {
		upTo, _ := s.sel.ToldUpTo()
		if s.heldFlags != 0 {
			upTo = min(upTo, s.heldFlags)
		}
		st.code = "HIGHESTMODSEQ " + strconv.FormatUint(uint64(upTo), 10)
	}
	if st.text == "" {
		st.text = name + " completed"
	}
	s.respond(tag, st.typ, st.code, st.text)
	if name == "" {
		name = "none"
	}
	s.srv.metrics.commands.WithLabelValues(name, strings.ToLower(st.typ)).Inc()

	if st.typ != "BAD" {
		s.badRow = 0
	} else if s.badRow++; s.badRow >= s.srv.cfg.MaxBadCommands {
		return errTooManyBD
	}
	if s.end != nil {
		return s.end
	}
	if after := s.after; after != nil {
		s.after = nil
		if err := s.w.Flush(); err != nil {
			return err
		}
		return after()
	}
	return s.w.Err()
}

// streams reports whether the literal after the beginning of a command is a message, which the command reads itself.
func (s *session) streams(head []byte) bool {
	p := s.newParser(head)
	if s.streaming != nil {
		return s.streaming.wantsLiteral(p)
	}
	if _, err := p.Tag(); err != nil {
		return false
	}
	cmd, _, err := lookup(p)
	return err == nil && cmd.streams != nil && !s.needsUID(cmd) && cmd.states&s.state() != 0 && cmd.streams(p)
}
