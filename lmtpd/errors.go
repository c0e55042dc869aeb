package lmtpd

import (
	"errors"
	"log/slog"
	"strings"

	"github.com/emersion/go-smtp"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
)

// place is where in a transaction an error is answered.
type place uint8

const (
	atRecipient place = iota // RCPT
	atData                   // after the message, for each recipient
)

// replyFor turns an error into a reply. Trouble of ours, and errors nobody has classified, are temporary.
func (s *Server) replyFor(err error, at place) *smtp.SMTPError {
	text := oneLine(mailerr.ClientText(err))
	switch mailerr.KindOf(err) {
	case mailerr.NotFound:
		return refuse(550, 5, 1, 1, text)
	case mailerr.Permission:
		return refuse(550, 5, 7, 1, text)
	case mailerr.OverQuota:
		if s.cfg.OverQuotaPermanent {
			return refuse(552, 5, 2, 2, text)
		}
		return refuse(452, 4, 2, 2, text)
	case mailerr.InUse:
		return refuse(451, 4, 2, 0, text)
	case mailerr.Limit:
		return refuse(452, 4, 5, 3, text)
	case mailerr.TooBig:
		return refuse(552, 5, 3, 4, text)
	case mailerr.Invalid:
		if at == atRecipient {
			return refuse(501, 5, 1, 3, text)
		}
		return refuse(554, 5, 6, 0, text)
	case mailerr.Internal, mailerr.Unavailable, mailerr.Exists, mailerr.Expunged:
		// The last two cannot come from a delivery: if they do, it is a fault of ours.
	}
	return refuse(451, 4, 3, 0, text)
}

// combine returns the one reply for a recipient from what became of its copies; see the package comment.
func (s *Server) combine(errs []error) *smtp.SMTPError {
	var permanent, temporary *smtp.SMTPError
	stored := false
	for _, err := range errs {
		if err == nil {
			stored = true
			continue
		}
		r := s.replyFor(err, atData)
		switch {
		case r.Temporary() && temporary == nil:
			temporary = r
		case !r.Temporary() && permanent == nil:
			permanent = r
		}
	}
	switch {
	case temporary != nil:
		return temporary
	case permanent == nil:
		return refuse(250, 2, 1, 5, "Delivered")
	case stored:
		return refuse(450, 4, 2, 0, "Not delivered to all: "+permanent.Message)
	}
	return permanent
}

func refuse(code, class, subject, detail int, text string) *smtp.SMTPError {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{class, subject, detail}, Message: text}
}

// withID puts the trace id into a reply, so that a postmaster can find it in the log.
func withID(r *smtp.SMTPError, id string) *smtp.SMTPError {
	return refuse(r.Code, r.EnhancedCode[0], r.EnhancedCode[1], r.EnhancedCode[2], r.Message+" ("+id+")")
}

// oneLine keeps a text within a reply line.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if len(s) > 300 {
		s = strings.ToValidUTF8(s[:300], "")
	}
	return s
}

// logTrouble logs what went wrong with one recipient or message: our own trouble as an error, a sender that kept others waiting as a
// warning, the rest for information.
func logTrouble(log *slog.Logger, msg string, err error, attrs ...any) {
	attrs = append(attrs, "error", err)
	kind := mailerr.KindOf(err)
	switch {
	case errors.Is(err, mailstore.ErrTooSlow):
		log.Warn(msg, attrs...)
	case kind == mailerr.Internal || kind == mailerr.Unavailable:
		log.Error(msg, attrs...)
	default:
		log.Info(msg, attrs...)
	}
}
