package delivery

import (
	"bytes"
	"context"
	"strconv"
	"strings"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/message"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/sieve"
)

// redirectedFrom names the account that redirected a message, so that it does not do so twice.
const redirectedFrom = "X-Sieve-Redirected-From"

var errNoServer = &cannot{"this server sends no mail: no submission server is configured"}

// item returns an item of the queue whose id is the same when the delivery is tried again.
func (t *transaction) item(p *plan, kind metadata.OutboundKind, from, to string, what ...string) metadata.OutboundItem {
	id := digest(append([]string{"outbound", p.host.claimant, string(kind), to}, what...)...)
	return metadata.OutboundItem{ID: metadata.OutboundID(id), Account: p.rcpt.Target.Account.ID, Kind: kind, From: from, To: to}
}

// redirect sends the message on, its envelope sender unchanged (RFC 5228 section 4.2). A message that this account has
// redirected before, or that has been on its way for too long, stays here.
func (t *transaction) redirect(ctx context.Context, p *plan, a *sieve.Redirect, n int) error {
	account := p.rcpt.Target.Account.Address
	switch {
	case !t.d.cfg.Queue.Sends():
		return errNoServer
	}
	received := 0
	for range fields(t.st.Head(), "Received") {
		received++
	}
	for from := range fields(t.st.Head(), redirectedFrom) {
		if strings.EqualFold(strings.TrimSpace(string(from)), account) {
			received = t.d.cfg.MaxReceived
		}
	}
	if received >= t.d.cfg.MaxReceived {
		t.d.cfg.Log.WarnContext(ctx, "a message in a loop is not redirected", "id", t.env.ID, "account", account)
		return &cannot{"the message goes in circles and was not redirected to " + a.Address}
	}
	it := t.item(p, metadata.OutboundRedirect, t.env.From, a.Address, strconv.Itoa(n))
	var pack *metadata.Pack
	var err error
	if a.Message == nil || !a.Message.Edited() {
		it.Body, pack, err = t.st.Outbound(ctx, it.Account)
	} else {
		it.Body, pack, err = t.editedBody(ctx, it.Account, a.Message)
	}
	if err != nil {
		return internal(err)
	}
	// The Received field of this delivery, and nothing of the copy's other fields.
	prefix := p.rcpt.Prefix
	if i := bytes.Index(prefix, []byte("Received:")); i >= 0 {
		prefix = prefix[i:]
	} else {
		prefix = nil
	}
	it.Body.Prefix = append(message.AppendField(nil, redirectedFrom, account), prefix...)
	p.enqueue(metadata.Enqueue{Item: it, Pack: pack}, nil)
	return nil
}

// editedBody stages an edited message for the queue.
func (t *transaction) editedBody(ctx context.Context, owner metadata.AccountID, m *sieve.Message) (metadata.OutboundBody, *metadata.Pack, error) {
	st, err := t.d.cfg.Store.Stage(ctx, m.Reader(), 0)
	if err != nil {
		return metadata.OutboundBody{}, nil, err
	}
	defer st.Discard() // what Outbound made durable stays
	return st.Outbound(ctx, owner)
}

// made returns an item with a message that was made here.
func (t *transaction) made(it metadata.OutboundItem, raw []byte) (metadata.OutboundItem, error) {
	var err error
	it.Body, err = t.d.cfg.Store.InlineOutbound(raw)
	if mailerr.Is(err, mailerr.TooBig) {
		return it, &cannot{"the message that the script wants sent is too big"}
	}
	return it, err
}

// refused is the answer of a script to the MTA.
func refused(reason string) error {
	text := strings.Join(strings.Fields(reason), " ")
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
		text = "The recipient refuses this message"
	}
	return mailerr.New("sieve.reject", mailerr.Permission, text)
}
