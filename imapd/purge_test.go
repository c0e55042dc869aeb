package imapd

import (
	"testing"
	"time"

	"github.com/rookery-mail/rookery/metadata"
)

// purge forgets expunges of a mailbox of user up to a MODSEQ, as garbage collection does.
func (e *env) purge(t testing.TB, mailbox string, upTo metadata.ModSeq) {
	t.Helper()
	account := e.account(t, user).ID
	m, err := e.meta.Mailbox(t.Context(), account, mailbox)
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.meta.PurgeExpunged(t.Context(), metadata.PurgeExpunged{
		Account: account, Mailbox: m.ID, UpTo: upTo, Before: testTime.Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
}
