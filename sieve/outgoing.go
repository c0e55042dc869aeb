package sieve

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/rookery-mail/rookery/message"
)

// Outgoing is a message that an action generated.
type Outgoing struct {
	Sender     string   // envelope sender, "" for the null reverse path
	Recipients []string // envelope recipients
	Data       []byte   // RFC 5322, lines end in CRLF; ASCII but for internationalised addresses (RFC 6532)
}

// Generator says who generates a message. The same Generator and action give the same bytes.
type Generator struct {
	Host string    // the name of this host, right side of the Message-ID
	ID   string    // left side of the Message-ID: unique for the action, letters, digits, "." and "-"
	Now  time.Time // the Date
}

// common appends the fields that every generated message has.
func (g Generator) common(out []byte, auto string, original Original) []byte {
	out = message.AppendField(out, "Date", g.Now.Format("Mon, 02 Jan 2006 15:04:05 -0700"))
	out = message.AppendField(out, "Message-ID", "<"+g.ID+"@"+g.Host+">")
	out = message.AppendField(out, "Auto-Submitted", auto)
	if id := messageIDs(original.MessageID); len(id) > 0 {
		out = message.AppendField(out, "In-Reply-To", id[0])
		out = appendReferences(out, append(messageIDs(original.References), id[0]))
	}
	return message.AppendField(out, "MIME-Version", "1.0")
}

// maxReferences is how many ids a References field gets: the first and the last ones.
const maxReferences = 20

// appendReferences appends the References field (RFC 5322 section 3.6.4), one id a line.
func appendReferences(out []byte, ids []string) []byte {
	if len(ids) > maxReferences {
		ids = append(ids[:1:1], ids[len(ids)-maxReferences+1:]...)
	}
	return append(out, "References: "+strings.Join(ids, "\r\n ")+"\r\n"...)
}

// messageIDs returns the ids in a value that are safe to repeat.
func messageIDs(value string) []string {
	var out []string
	for {
		start := strings.IndexByte(value, '<')
		if start < 0 {
			return out
		}
		value = value[start:]
		end := strings.IndexByte(value, '>')
		if end < 0 {
			return out
		}
		id := value[:end+1]
		value = value[end+1:]
		if len(id) > 2 && len(id) <= 250 && isASCII(id) && !strings.ContainsAny(id[1:], "< \t\r\n\x00") {
			out = append(out, id)
		}
	}
}

// encodeMailbox returns a mailbox with its name encoded where it is not ASCII. What is no mailbox is returned as it is.
func encodeMailbox(s string) string {
	list := parseAddresses(s)
	if len(list) != 1 || list[0].Name == nil {
		return s
	}
	name := message.DecodeHeader(*list[0].Name)
	if name == "" {
		return addrSpec(list[0])
	}
	if isASCII(name) {
		name = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
	} else {
		name = strings.Join(encodedWords(cutString(name, 200)), " ")
	}
	return name + " <" + addrSpec(list[0]) + ">"
}

// Outgoing builds the answer (RFC 5230 section 5). The envelope sender is the null reverse path.
func (v *Vacation) Outgoing(g Generator) *Outgoing {
	out := message.AppendField(nil, "From", encodeMailbox(v.From))
	out = message.AppendField(out, "To", v.Recipient)
	out = appendUnstructured(out, "Subject", v.Subject)
	out = g.common(out, "auto-replied (vacation)", v.Original)
	if !v.MIME {
		fields, body := textEntity(v.Reason)
		out = append(append(append(out, fields...), "\r\n"...), body...)
		return &Outgoing{Recipients: []string{v.Recipient}, Data: out}
	}
	entity := []byte(crlf(v.Reason))
	scanned := message.Scan(entity)
	for _, f := range parseHeader(entity[:scanned.Root.BodyOffset], 0, true).fields {
		if strings.HasPrefix(f.name, "content-") {
			out = append(out, f.raw...)
		}
	}
	out = append(append(out, "\r\n"...), entity[scanned.Root.BodyOffset:]...)
	return &Outgoing{Recipients: []string{v.Recipient}, Data: out}
}

// Outgoing builds the message of a mailto notification (RFC 5436 section 2.7). nil for any other method.
func (n *Notify) Outgoing(g Generator) *Outgoing {
	m, ok := parseMailto(n.Method)
	if !ok {
		return nil
	}
	from := n.From
	if from == "" {
		from = n.To
	}
	out := message.AppendField(nil, "From", encodeMailbox(from))
	if len(m.to) > 0 {
		out = append(out, "To: "+strings.Join(m.to, ",\r\n ")+"\r\n"...)
	}
	if len(m.cc) > 0 {
		out = append(out, "Cc: "+strings.Join(m.cc, ",\r\n ")+"\r\n"...)
	}
	if len(m.to)+len(m.cc) == 0 {
		out = message.AppendField(out, "To", "undisclosed-recipients:;")
	}
	subject := firstOf(n.Text, m.subject, n.Original.Subject, "Notification of new mail")
	out = appendUnstructured(out, "Subject", cutString(subject, 2000))
	out = g.common(out, "auto-notified; owner-email="+quoted(n.To), n.Original)
	switch n.Importance {
	case 1:
		out = append(out, "Importance: high\r\nX-Priority: 1\r\n"...)
	case 3:
		out = append(out, "Importance: low\r\nX-Priority: 5\r\n"...)
	}
	for _, h := range m.others {
		out = appendUnstructured(out, strings.ToUpper(h[0][:1])+h[0][1:], cutString(h[1], 1000))
	}
	body := m.body
	if body == "" {
		body = "From: " + n.Original.From + "\nSubject: " + n.Original.Subject + "\n"
		if n.Original.Date != "" {
			body += "Date: " + n.Original.Date + "\n"
		}
	}
	fields, text := textEntity(body)
	out = append(append(append(out, fields...), "\r\n"...), text...)
	sender, _ := singleAddress(from)
	if n.Sender == "" {
		sender = ""
	}
	return &Outgoing{Sender: sender, Recipients: append(append(append([]string(nil), m.to...), m.cc...), m.bcc...), Data: out}
}

func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// firstOf returns the first string that is not empty.
func firstOf(list ...string) string {
	for _, s := range list {
		if strings.TrimSpace(s) != "" {
			return s
		}
	}
	return ""
}

// SMTPText returns the reason as lines for a multi-line answer of SMTP or LMTP (RFC 5429 section 2.1.1). ok is false when it
// cannot be said in ASCII: a report says it better then.
func (r *Reject) SMTPText() (lines []string, ok bool) {
	const maxLine, maxLines = 400, 20
	for line := range strings.SplitSeq(strings.TrimRight(strings.ReplaceAll(r.Reason, "\r\n", "\n"), "\n"), "\n") {
		line = strings.TrimRight(line, " \t\r")
		for i := range len(line) {
			if line[i] >= 0x7f || line[i] < ' ' && line[i] != '\t' {
				return nil, false
			}
		}
		for len(line) > maxLine {
			lines = append(lines, line[:maxLine])
			line = line[maxLine:]
		}
		lines = append(lines, line)
	}
	if len(lines) > maxLines {
		lines = append(lines[:maxLines-1], "...")
	}
	return lines, true
}

// headerText makes what stands in a header fit to be sent: a CR without its LF and NUL become spaces.
var headerText = strings.NewReplacer("\r\n", "\r\n", "\r", " ", "\x00", " ")

// maxReturned is how many bytes of the rejected message's header a report returns.
const maxReturned = 32 << 10

// Outgoing builds the report for the sender: for reject a disposition notification (RFC 5429 section 2.2, RFC 8098), for
// ereject a delivery status notification (section 2.1, RFC 3464). nil when there is nobody to send it to. An error is that of
// reading the message.
func (r *Reject) Outgoing(g Generator) (*Outgoing, error) {
	if !validAddress(r.Sender) || systemSender(r.Sender) {
		return nil, nil
	}
	returned := make([]byte, min(maxReturned, r.Message.Size()))
	if n, err := r.Message.ReadAt(returned, 0); err != nil && (err != io.EOF || n < len(returned)) { //nolint:errorlint // as io.ReaderAt says
		return nil, hostError("read", err)
	}
	h := parseHeader(returned, 0, int64(len(returned)) == r.Message.Size())
	returned = []byte(crlf(headerText.Replace(string(returned[:h.end]))))
	kind, auto, from := "disposition-notification", "auto-replied (rejected)", r.To
	if r.Extended {
		kind, auto, from = "delivery-status", "auto-generated (rejected)", "MAILER-DAEMON@"+g.Host
	}
	boundary := "=_" + hashOf("report", g.ID, g.Host, r.Reason)[:24]
	out := message.AppendField(nil, "From", from)
	out = message.AppendField(out, "To", r.Sender)
	out = appendUnstructured(out, "Subject", "Rejected: "+firstOf(r.Original.Subject, "your message"))
	out = g.common(out, auto, r.Original)
	out = append(out, "Content-Type: multipart/report; report-type="+kind+";\r\n boundary=\""+boundary+"\"\r\n\r\n"...)
	part := func(entity []byte) { out = append(append(append(out, "--"+boundary+"\r\n"...), entity...), "\r\n"...) }
	fields, body := textEntity("Your message to " + r.To + " was rejected by its recipient:\r\n\r\n" + r.Reason)
	part(bytes.Join([][]byte{fields, body}, []byte("\r\n")))
	part(r.report(g))
	fields, body = []byte("Content-Type: text/rfc822-headers\r\n"), returned
	if !isASCII(string(returned)) {
		fields = append(fields, "Content-Transfer-Encoding: 8bit\r\n"...)
	}
	part(bytes.Join([][]byte{fields, body}, []byte("\r\n")))
	out = append(out, "--"+boundary+"--\r\n"...)
	return &Outgoing{Recipients: []string{r.Sender}, Data: out}, nil
}

// report returns the part that programs read.
func (r *Reject) report(g Generator) []byte {
	var out []byte
	kind := "rfc822"
	if !isASCII(r.To) {
		kind = "utf-8"
	}
	if r.Extended {
		out = append(out, "Content-Type: message/delivery-status\r\n\r\n"...)
		out = message.AppendField(out, "Reporting-MTA", "dns; "+g.Host)
		out = append(out, "\r\n"...)
		out = message.AppendField(out, "Final-Recipient", kind+"; "+r.To)
		out = message.AppendField(out, "Action", "failed")
		out = message.AppendField(out, "Status", "5.7.1")
		if lines, ok := r.SMTPText(); ok {
			out = message.AppendField(out, "Diagnostic-Code", "smtp; 550 5.7.1 "+cutString(strings.Join(lines, " "), 900))
		}
		return out
	}
	out = append(out, "Content-Type: message/disposition-notification\r\n\r\n"...)
	out = message.AppendField(out, "Reporting-UA", fmt.Sprintf("%s; Rookery", g.Host))
	out = message.AppendField(out, "Final-Recipient", kind+"; "+r.To)
	if ids := messageIDs(r.Original.MessageID); len(ids) > 0 {
		out = message.AppendField(out, "Original-Message-ID", ids[0])
	}
	return message.AppendField(out, "Disposition", "automatic-action/MDN-sent-automatically; deleted")
}
