package delivery

import (
	"bytes"
	"context"
	"fmt"
	"mime/quotedprintable"
	"strings"
	"sync"
	"time"

	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/message"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/sieve"
)

// tellEvery bounds how often a script's error is written: a broken one may see every message of an account.
const tellEvery = 10 * time.Second

// told remembers when a script's error was written, for few scripts: more of them are only written more often.
type told struct {
	mu sync.Mutex
	at map[scriptKey]time.Time // guarded by mu
}

const maxTold = 10_000

// due reports whether an error is to be written now. A script that was changed is another one: its owner waits to see whether it
// works now.
func (t *told) due(sc *compiled, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	k := scriptKey{sc.owner, sc.version, sc.name}
	if at, ok := t.at[k]; ok && now.Sub(at) < tellEvery {
		return false
	}
	if t.at == nil || len(t.at) >= maxTold {
		t.at = map[scriptKey]time.Time{}
	}
	t.at[k] = now
	return true
}

// fault tells the owner of a script that it failed.
func (d *Deliverer) fault(p *plan, f *sieve.Failure) {
	sc := p.host.used[f.Script]
	if sc == nil {
		return // the standard script, or none: the log of the message has it
	}
	text := f.Text
	if f.Pos != (sieve.Pos{}) {
		text = f.Pos.String() + ": " + text
	}
	d.tell(p, sc, text)
}

// tell stores an error with its script once the message is safe. The first one since the script was stored also comes as a
// message, if the script is the account's own.
func (d *Deliverer) tell(p *plan, sc *compiled, text string) {
	if sc.owner == "" {
		d.cfg.Log.Error("the standard script failed", "error", text)
		return
	}
	if !d.told.due(sc, d.cfg.Now()) {
		return
	}
	account := p.rcpt.Target.Account
	p.duties = append(p.duties, func(ctx context.Context) {
		log := d.cfg.Log.With("script", runName(sc.owner, sc.name), "account", account.Address)
		n, err := d.cfg.Metadata.RecordScriptError(ctx, sc.owner, sc.name, text)
		if err != nil {
			log.WarnContext(ctx, "the error of a script was not stored", "script_error", text, "error", err)
			return
		}
		log.InfoContext(ctx, "a script failed", "script_error", text)
		if _, own := sc.owner.Account(); n != 1 || !own {
			return
		}
		st, err := d.cfg.Store.Stage(ctx, bytes.NewReader(d.errorMessage(&account, sc.name, text)), 0)
		if err == nil {
			err = deliver(ctx, d.cfg.Store, st, []mailstore.Recipient{{Account: account.ID}})[0].Err
		}
		if err != nil {
			log.WarnContext(ctx, "the owner of a script was not told of its error", "error", err)
		}
	})
}

// errorMessage tells an account that its script fails.
func (d *Deliverer) errorMessage(a *metadata.Account, script, text string) []byte {
	var b bytes.Buffer
	field := func(name, value string) { b.Write(message.AppendField(nil, name, value)) }
	now := d.cfg.Now()
	field("From", "Mail Filter <MAILER-DAEMON@"+d.cfg.Hostname+">")
	field("To", "<"+a.Address+">")
	field("Subject", "Your mail filter has an error")
	field("Date", now.Format(time.RFC1123Z))
	field("Message-ID", "<"+metadata.NewOutboundID().String()+".sieve@"+d.cfg.Hostname+">")
	field("Auto-Submitted", "auto-generated")
	field("MIME-Version", "1.0")
	field("Content-Type", "text/plain; charset=utf-8")
	field("Content-Transfer-Encoding", "quoted-printable")
	b.WriteString("\r\n")
	w := quotedprintable.NewWriter(&b)
	fmt.Fprintf(w, "The Sieve script %q could not be run to its end for a message:\r\n\r\n    %s\r\n\r\n"+
		"The message was kept, as without a script: new mail is in your INBOX, or where yours goes. Until the script is changed,\r\n"+
		"you will not be told of further errors.\r\n", script, strings.ReplaceAll(text, "\n", "\r\n    "))
	_ = w.Close()
	return b.Bytes()
}
