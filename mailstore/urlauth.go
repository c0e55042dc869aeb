package mailstore

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// urlTokenVersion is the first octet of every token: which algorithm it is of (RFC 4467 section 2.4.1).
const urlTokenVersion = "01"

// URLToken vouches for a URL (the text up to and with its access identifier) of a message in the named mailbox: an HMAC with SHA-256
// under the user's key for that mailbox. It needs RightRead. NotFound, Permission.
func (u *User) URLToken(ctx context.Context, mailbox, rump string) (string, error) {
	const op = "mailstore.URLToken"
	m, err := u.locate(ctx, mailbox, metadata.RightRead)
	if err != nil {
		return "", wrap(op, err)
	}
	fresh := make([]byte, sha256.Size)
	_, _ = rand.Read(fresh) // never fails
	key, err := u.store.meta.URLKey(ctx, u.account, m.ID, fresh)
	if mailerr.Is(err, mailerr.NotFound) {
		err = mailerr.Wrap(op, mailerr.Unavailable, err) // reset at this moment
	}
	if err != nil {
		return "", wrap(op, err)
	}
	return urlTokenVersion + hex.EncodeToString(urlMAC(key, rump)), nil
}

// CheckURLToken reports whether this user vouched for a URL and still does: Permission if not, and when the user may not read the
// mailbox any more; NotFound.
func (u *User) CheckURLToken(ctx context.Context, mailbox, rump, token string) error {
	const op = "mailstore.CheckURLToken"
	m, err := u.locate(ctx, mailbox, metadata.RightRead)
	if mailerr.Is(err, mailerr.NotFound) || mailerr.Is(err, mailerr.Permission) {
		// An answer that came sooner would tell which mailboxes there are (RFC 4467 section 6).
		_, _ = u.store.meta.URLKey(ctx, u.account, metadata.MailboxID{}, nil)
	}
	if err != nil {
		return wrap(op, err)
	}
	key, err := u.store.meta.URLKey(ctx, u.account, m.ID, nil)
	if mailerr.Is(err, mailerr.NotFound) {
		return mailerr.New(op, mailerr.Permission, "")
	}
	if err != nil {
		return wrap(op, err)
	}
	digits, ok := strings.CutPrefix(token, urlTokenVersion)
	mac, err := hex.DecodeString(digits)
	if !ok || err != nil || !hmac.Equal(mac, urlMAC(key, rump)) {
		return mailerr.New(op, mailerr.Permission, "")
	}
	return nil
}

func urlMAC(key []byte, rump string) []byte {
	h := hmac.New(sha256.New, key)
	_, _ = h.Write([]byte(rump)) // never fails
	return h.Sum(nil)
}

// ResetURLKeys makes worthless every URL that this user vouched for in a mailbox, or in all with "". NotFound.
func (u *User) ResetURLKeys(ctx context.Context, mailbox string) error {
	const op = "mailstore.ResetURLKeys"
	if mailbox == "" {
		return wrap(op, u.store.meta.ResetURLKeys(ctx, u.account))
	}
	m, err := u.locate(ctx, mailbox, metadata.RightLookup)
	if err != nil {
		return wrap(op, err)
	}
	return wrap(op, u.store.meta.ResetURLKeys(ctx, u.account, m.ID))
}
