package imapd

import (
	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/message"
)

// writeEnvelope writes the ENVELOPE of RFC 3501 section 7.4.2.
func writeEnvelope(w *wire.Writer, e *message.Envelope) {
	w.Raw("(").NString(e.Date).SP().NString(e.Subject)
	for _, list := range [...][]message.Address{e.From, e.Sender, e.ReplyTo, e.To, e.Cc, e.Bcc} {
		w.SP()
		writeAddresses(w, list)
	}
	w.SP().NString(e.InReplyTo).SP().NString(e.MessageID).Raw(")")
}

func writeAddresses(w *wire.Writer, list []message.Address) {
	if len(list) == 0 {
		w.Raw("NIL")
		return
	}
	w.Raw("(")
	for i := range list {
		a := &list[i]
		w.Raw("(").NString(a.Name).SP().NString(a.Route).SP().NString(a.Mailbox).SP().NString(a.Host).Raw(")")
	}
	w.Raw(")")
}
