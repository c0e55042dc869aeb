package pop3d

import (
	"errors"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/mailerr"
)

func TestEveryKindHasAReply(t *testing.T) {
	want := map[mailerr.Kind]string{
		mailerr.Internal:    "SYS/TEMP",
		mailerr.NotFound:    "",
		mailerr.Exists:      "SYS/TEMP",
		mailerr.Permission:  "AUTH",
		mailerr.OverQuota:   "SYS/TEMP",
		mailerr.InUse:       "IN-USE",
		mailerr.Expunged:    "",
		mailerr.Limit:       "",
		mailerr.TooBig:      "",
		mailerr.Invalid:     "",
		mailerr.Unavailable: "SYS/TEMP",
	}
	for _, k := range mailerr.Kinds() {
		code, ok := want[k]
		if !ok {
			t.Errorf("%v has no row here", k)
			continue
		}
		r := replyFor(mailerr.Wrap("op", k, errors.New("secret")))
		if r.code != code {
			t.Errorf("%v: [%s], want [%s]", k, r.code, code)
		}
		if strings.Contains(r.Error(), "secret") {
			t.Errorf("%v: the cause leaks: %q", k, r)
		}
	}
	if r := replyFor(errors.New("secret")); r.code != "SYS/TEMP" || strings.Contains(r.text, "secret") {
		t.Errorf("a plain error: %q", r)
	}
	if r := replyFor(mailerr.New("op", mailerr.NotFound, "[IN-USE] two\r\n+OK lines")); r.text[0] == '[' || strings.ContainsAny(r.text, "\r\n") {
		t.Errorf("a text with a code and lines: %q", r)
	}
}
