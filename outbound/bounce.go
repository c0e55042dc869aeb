package outbound

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"mime/quotedprintable"
	"strings"
	"time"

	"github.com/rookery-mail/rookery/message"
	"github.com/rookery-mail/rookery/metadata"
)

// maxReturnedHeader bounds the header of the original message in a delivery status notification.
const maxReturnedHeader = 64 << 10

// bounce returns the notification for a redirected message that could not be sent (RFC 3464); false when nobody is to be told.
func (q *Queue) bounce(ctx context.Context, it *metadata.OutboundItem, no *refusal, reason string) (metadata.Enqueue, bool) {
	if it.Kind != metadata.OutboundRedirect || it.From == "" {
		return metadata.Enqueue{}, false
	}
	header := q.returnedHeader(ctx, it)
	body, err := q.cfg.Bodies.InlineOutbound(q.notification(it, no, reason, header))
	if err != nil {
		q.cfg.Log.Error("a sender is not told that a message was not sent", "item", it.ID.String(), "error", err)
		return metadata.Enqueue{}, false
	}
	id := sha256.Sum256(append([]byte("bounce\x00"), it.ID[:]...))
	return metadata.Enqueue{Item: metadata.OutboundItem{ID: metadata.OutboundID(id[:16]), Account: it.Account,
		Kind: metadata.OutboundBounce, From: "", To: it.From, Body: body}}, true
}

// returnedHeader returns the header of the message, as far as it can be had; the notification is worth sending without it.
func (q *Queue) returnedHeader(ctx context.Context, it *metadata.OutboundItem) []byte {
	var header []byte
	raw, err := io.ReadAll(io.LimitReader(q.cfg.Bodies.OpenOutbound(ctx, &it.Body), maxReturnedHeader))
	if err != nil {
		q.cfg.Log.Warn("the header of a message that was not sent cannot be read", "item", it.ID.String(), "error", err)
	}
	for line := range bytes.Lines(raw) {
		if len(bytes.TrimRight(line, "\r\n")) == 0 {
			break
		}
		header = append(append(header, bytes.TrimRight(line, "\r\n")...), "\r\n"...)
	}
	return header
}

func (q *Queue) notification(it *metadata.OutboundItem, no *refusal, reason string, header []byte) []byte {
	now := q.cfg.Now()
	boundary := "=_" + it.ID.String()
	status := "5.0.0"
	if no == nil || !no.permanent {
		status = "4.4.7" // delivery time expired (RFC 3463)
	} else if no.err.EnhancedCode[0] == 5 {
		status = enhanced(no.err.EnhancedCode)
	}
	var b bytes.Buffer
	field := func(name, value string) { b.Write(message.AppendField(nil, name, value)) }
	field("From", "Mail Delivery System <MAILER-DAEMON@"+q.cfg.Hostname+">")
	field("To", "<"+it.From+">")
	field("Subject", "Undelivered Mail Returned to Sender")
	field("Date", now.Format(time.RFC1123Z))
	field("Message-ID", "<"+it.ID.String()+".bounce@"+q.cfg.Hostname+">")
	field("Auto-Submitted", "auto-replied")
	field("MIME-Version", "1.0")
	field("Content-Type", `multipart/report; report-type=delivery-status; boundary="`+boundary+`"`)
	fmt.Fprintf(&b, "\r\n--%s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", boundary)
	qp := quotedprintable.NewWriter(&b)
	fmt.Fprintf(qp, "This is the mail system at %s.\r\n\r\nYour message was passed on to\r\n\r\n    %s\r\n\r\nbut could not be delivered there:\r\n\r\n    %s\r\n",
		q.cfg.Hostname, it.To, oneLine(reason))
	_ = qp.Close()
	kind := "rfc822"
	if !isASCII(it.To) {
		kind = "utf-8" // RFC 6533 section 3
	}
	fmt.Fprintf(&b, "\r\n--%s\r\nContent-Type: message/delivery-status\r\n\r\n", boundary)
	field("Reporting-MTA", "dns; "+q.cfg.Hostname)
	field("Arrival-Date", it.Created.Format(time.RFC1123Z))
	b.WriteString("\r\n")
	field("Final-Recipient", kind+"; "+it.To)
	field("Action", "failed")
	field("Status", status)
	if no != nil {
		field("Diagnostic-Code", "smtp; "+oneLine(reason))
	}
	fmt.Fprintf(&b, "\r\n--%s\r\nContent-Type: text/rfc822-headers\r\n\r\n", boundary)
	b.Write(header)
	fmt.Fprintf(&b, "\r\n--%s--\r\n", boundary)
	return b.Bytes()
}

// oneLine keeps a server's words within one line of a bounded length.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	if len(s) > 500 {
		s = strings.ToValidUTF8(s[:500], "")
	}
	return s
}
