package delivery_test

import (
	"testing"

	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// TestAnnotations is RFC 5490's mboxmetadata and servermetadata: with the rights of the user whose script runs.
func TestAnnotations(t *testing.T) {
	e := newEnv(t)
	const script = `require ["fileinto", "mailbox", "mboxmetadata", "servermetadata", "variables"];
		if metadata :is "INBOX" "/private/vendor/x/state" "On" { fileinto :create "private"; }
		if metadata :matches "Other Users/other@example.org/Box" "/shared/comment" "for *" { fileinto :create "shared ${1}"; }
		if metadata :contains "Other Users/other@example.org/Secret" "/shared/comment" "" { fileinto :create "secret"; }
		if metadata :contains "Other Users/other@example.org/Box" "/private/comment" "" { fileinto :create "others"; }
		if metadata "Nothing" "/shared/comment" "" { fileinto :create "nothing"; }
		if metadata "INBOX" "not a name" "" { fileinto :create "nothing"; }
		if allof(metadataexists "INBOX" ["/private/vendor/x/state", "/shared/empty"], not metadataexists "INBOX" ["/private/vendor/x/state", "/shared/none"]) {
			fileinto :create "exist"; }
		if servermetadata "/shared/comment" "of all" { fileinto :create "server"; }
		if allof(servermetadata "/private/x" "y", not servermetadataexists "/private/none") { fileinto :create "own"; }`
	u := e.account("user@example.org", script)
	other := e.account("other@example.org", "")
	set := func(account metadata.AccountID, mailbox string, pairs ...string) {
		t.Helper()
		var changes []mailstore.Annotation
		for i := 0; i < len(pairs); i += 2 {
			changes = append(changes, mailstore.Annotation{Entry: pairs[i], Value: []byte(pairs[i+1])})
		}
		e.must(e.store.User(account).SetAnnotations(t.Context(), mailbox, changes, mailstore.SetAnnotationsOptions{Administrator: true}))
	}
	for _, name := range []string{"Box", "Secret"} {
		_, err := e.store.User(other).Create(t.Context(), name, "")
		e.must(err)
		set(other, name, "/shared/comment", "for all", "/private/comment", "mine")
	}
	err := e.store.User(other).SetACL(t.Context(), "Box", mailstore.Grantee{Address: "user@example.org"}, metadata.RightsReplace,
		metadata.RightLookup|metadata.RightRead)
	e.must(err)
	set(u, "INBOX", "/private/vendor/x/state", "on", "/shared/empty", "")
	set(other, "INBOX", "/private/vendor/x/state", "off")
	set(u, "", "/private/x", "y")
	set(other, "", "/private/x", "z", "/shared/comment", "of all")
	e.send(mail("m"), "user@example.org")
	e.wantContent(u, "exist: m; own: m; private: m; server: m; shared all: m")
}
