package mailstore

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/rookery-mail/rookery/metadata"
)

// warningTimeout bounds the storing of one warning.
const warningTimeout = time.Minute

// warnOfQuota puts a message into an account's INBOX when a change has crossed a level. Changes are counted under the
// account's clock, so a crossing is in exactly one of them, and the node that made that one is alone in sending. It does
// not wait; a warning that cannot be stored is logged and lost.
func (s *Store) warnOfQuota(account metadata.AccountID, before, after metadata.Use) {
	if after == (metadata.Use{}) || len(s.cfg.QuotaWarnings) == 0 {
		return
	}
	was, is := before.Percent(), after.Percent()
	level := int64(0)
	for _, l := range s.cfg.QuotaWarnings {
		if was < l && l <= is {
			level = l
		}
	}
	if level == 0 {
		return
	}
	s.spawn(func() {
		ctx, cancel := context.WithTimeout(s.ctx, warningTimeout)
		defer cancel()
		if err := s.sendWarning(ctx, account, level, after); err != nil {
			s.log.Warn("a warning of a full mailbox was not stored", "account", account.String(), "err", err)
		}
	})
}

func (s *Store) sendWarning(ctx context.Context, account metadata.AccountID, level int64, use metadata.Use) error {
	a, err := s.meta.Account(ctx, account)
	if err != nil {
		return err
	}
	st, err := s.Stage(ctx, bytes.NewReader(warning(a.Address, level, use, s.now())), 0)
	if err != nil {
		return err
	}
	return s.Deliver(ctx, st, []Recipient{{Account: account, ignoreQuota: true}})[0].Err
}

// warning is the message (RFC 5322) that tells a user of a level. Auto-Submitted keeps vacation answers away (RFC 3834).
func warning(address string, level int64, use metadata.Use, now time.Time) []byte {
	domain := address[strings.LastIndexByte(address, '@')+1:]
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	line("From: Mail storage <postmaster@%s>", domain)
	line("To: <%s>", address)
	line("Subject: Your mailbox is %d%% full", use.Percent())
	line("Date: %s", now.Format(time.RFC1123Z))
	line("Message-ID: <quota.%s@%s>", strings.ToLower(rand.Text()), domain)
	line("Auto-Submitted: auto-generated")
	line("MIME-Version: 1.0")
	line("Content-Type: text/plain; charset=utf-8")
	line("Content-Transfer-Encoding: 8bit")
	line("")
	line("Your mail has reached %d%% of the room you have here:", level)
	line("")
	if use.QuotaBytes > 0 {
		line("    %s of %s", megabytes(use.Bytes), megabytes(use.QuotaBytes))
	}
	if use.QuotaMessages > 0 {
		line("    %d of %d messages", use.Messages, use.QuotaMessages)
	}
	line("")
	line("When it is full, new mail can no longer be taken. Please delete what you do not need, and empty the trash.")
	return b.Bytes()
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
