package managesieved

import (
	"errors"
	"testing"

	"github.com/rookery-mail/rookery/mailerr"
)

func TestReplyForEveryKind(t *testing.T) {
	codes := map[mailerr.Kind]string{
		mailerr.NotFound: "NONEXISTENT", mailerr.Exists: "ALREADYEXISTS", mailerr.InUse: "ACTIVE", mailerr.TooBig: "QUOTA/MAXSIZE",
		mailerr.Limit: "QUOTA/MAXSCRIPTS", mailerr.OverQuota: "QUOTA", mailerr.Permission: "", mailerr.Invalid: "", mailerr.Expunged: "",
		mailerr.Internal: "TRYLATER", mailerr.Unavailable: "TRYLATER",
	}
	for _, k := range mailerr.Kinds() {
		want, ok := codes[k]
		if !ok {
			t.Errorf("no code for %v", k)
		}
		if got := replyFor(mailerr.New("test", k, "")); got.code != want {
			t.Errorf("%v is %q, want %q", k, got.code, want)
		}
	}
	if got := replyFor(errors.New("anything")); got.code != "TRYLATER" || got.text == "anything" {
		t.Errorf("an unknown error is told as %+v", got)
	}
}
