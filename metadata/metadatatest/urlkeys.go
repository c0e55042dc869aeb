package metadatatest

import (
	"bytes"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

func testURLKeys(f *fixture) {
	u, other := f.user(), f.user()
	get := func(account metadata.AccountID, box metadata.MailboxID, fresh, want string) {
		f.Helper()
		key, err := f.s.URLKey(f.ctx(), account, box, []byte(fresh))
		f.must(err)
		if !bytes.Equal(key, []byte(want)) {
			f.Errorf("key %q, want %q", key, want)
		}
	}
	none := func(account metadata.AccountID, box metadata.MailboxID) {
		f.Helper()
		_, err := f.s.URLKey(f.ctx(), account, box, nil)
		f.wantKind(err, mailerr.NotFound)
	}
	none(u.id, u.inbox)
	get(u.id, u.inbox, "one", "one")
	get(u.id, u.inbox, "two", "one")
	get(u.id, u.trash, "trash\x00", "trash\x00")
	get(other.id, u.inbox, "other", "other")
	key, err := f.s.URLKey(f.ctx(), u.id, u.inbox, nil)
	f.must(err)
	if string(key) != "one" {
		f.Errorf("key %q", key)
	}
	f.must(f.s.ResetURLKeys(f.ctx(), u.id, u.inbox))
	none(u.id, u.inbox)
	get(u.id, u.trash, "x", "trash\x00")
	get(u.id, u.inbox, "three", "three")
	f.must(f.s.ResetURLKeys(f.ctx(), u.id))
	f.must(f.s.ResetURLKeys(f.ctx(), u.id))
	none(u.id, u.inbox)
	none(u.id, u.trash)
	get(other.id, u.inbox, "x", "other")
	get(u.id, u.inbox, "four", "four")
	get(u.id, u.trash, "five", "five")
	f.must(f.s.DeleteMailbox(f.ctx(), u.id, u.trash))
	none(u.id, u.trash)
	f.must(f.s.RemoveAccount(f.ctx(), u.id))
	none(u.id, u.inbox)
}
