package imapd

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/mailerr"
)

// Every kind has a response code of its own, and none of our own trouble reads like a fault of the client's.
func TestStatusOfEveryKind(t *testing.T) {
	seen := map[string]mailerr.Kind{}
	for _, k := range mailerr.Kinds() {
		st, ours := statusOf(fmt.Errorf("x: %w", mailerr.Wrap("op", k, errors.New("secret"))))
		if st.typ != "NO" || st.code == "" || strings.Contains(st.text, "secret") {
			t.Errorf("%v: %+v", k, st)
		}
		if other, ok := seen[st.code]; ok {
			t.Errorf("%v and %v are both %s", k, other, st.code)
		}
		seen[st.code] = k
		if want := k == mailerr.Internal || k == mailerr.Unavailable; ours != want {
			t.Errorf("%v: ours is %v", k, ours)
		}
	}
	if st, ours := statusOf(errors.New("secret")); st.code != "SERVERBUG" || !ours || strings.Contains(st.text, "secret") {
		t.Errorf("a plain error: %+v, %v", st, ours)
	}
	if st, _ := statusOf(fmt.Errorf("x: %w", &wire.SyntaxError{Code: "TOOBIG", Text: "Too large"})); st != (statusError{typ: "BAD", code: "TOOBIG", text: "Too large"}) {
		t.Errorf("a syntax error: %+v", st)
	}
	if st, _ := statusOf(no("TRYCREATE", "No such mailbox")); st != (statusError{typ: "NO", code: "TRYCREATE", text: "No such mailbox"}) {
		t.Errorf("a status: %+v", st)
	}
}

func TestSentence(t *testing.T) {
	for in, want := range map[string]string{
		"not found": "Not found", "": "Error", "[CODE] x": "(CODE] x", "line\r\n* BYE": "Line??* BYE", "ü": "??",
	} {
		if got := sentence(in); got != want {
			t.Errorf("sentence(%q) = %q, want %q", in, got, want)
		}
	}
}
