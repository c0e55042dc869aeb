package mailstore_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// countedKeys counts the look-ups of keys.
type countedKeys struct {
	metadata.Store
	asked atomic.Int32
}

func (c *countedKeys) URLKey(ctx context.Context, account metadata.AccountID, mailbox metadata.MailboxID, fresh []byte) ([]byte, error) {
	c.asked.Add(1)
	return c.Store.URLKey(ctx, account, mailbox, fresh)
}

// A URL of a mailbox that is not there takes as many look-ups as one of another mailbox (RFC 4467 section 6).
func TestCheckURLToken(t *testing.T) {
	c := newCluster(t)
	keys := &countedKeys{Store: c.meta}
	u := c.node(func(cfg *mailstore.Config) { cfg.Metadata = keys }).User(c.account("Box"))
	const rump = "imap://x@example.org/Box/;UID=1;URLAUTH=anonymous"
	token, err := u.URLToken(c.ctx, "Box", rump)
	if err != nil {
		t.Fatal(err)
	}
	forged := token[:2] + strings.Repeat("0", len(token)-2)
	for _, tc := range []struct {
		mailbox, rump, token string
		want                 mailerr.Kind
	}{
		{"Box", rump, token, 0},
		{"Box", rump + "x", token, mailerr.Permission},
		{"Box", rump, forged, mailerr.Permission},
		{"Box", rump, "02" + token[2:], mailerr.Permission},
		{"INBOX", rump, token, mailerr.Permission}, // it has no key
		{"Nothing", rump, token, mailerr.NotFound},
	} {
		before := keys.asked.Load()
		err := u.CheckURLToken(c.ctx, tc.mailbox, tc.rump, tc.token)
		if tc.want == 0 && err != nil || tc.want != 0 && !mailerr.Is(err, tc.want) {
			t.Errorf("%s %s %s: %v", tc.mailbox, tc.rump, tc.token, err)
		}
		if n := keys.asked.Load() - before; n != 1 {
			t.Errorf("%s: %d look-ups", tc.mailbox, n)
		}
	}
}
