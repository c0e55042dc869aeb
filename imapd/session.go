package imapd

import (
	"log/slog"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/mailstore"
)

// session is one connection's state. Only the connection's goroutine touches it.
type session struct {
	w    *wire.Writer
	log  *slog.Logger
	user *mailstore.User     // nil before login
	sel  *mailstore.Selected // nil unless a mailbox is selected
	// condstore is set by the first command that shows the client knows CONDSTORE (RFC 7162 section 3.1): from then on
	// untagged FETCH responses carry MODSEQ.
	condstore bool
}
