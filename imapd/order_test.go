package imapd

import (
	"testing"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
)

func orderOf(t *testing.T, line string) order {
	t.Helper()
	p := wire.NewParser([]byte(" " + line))
	cmd, _, err := lookup(p)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	run, err := cmd.parse(p)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return cmd.orderOf(run)
}

// RFC 9051 section 5.5: what is ambiguous is kept in order.
func TestOrder(t *testing.T) {
	for _, tc := range []struct {
		running, next string
		waits         bool
	}{
		{"FETCH 1 BODY.PEEK[]", "NOOP", false},
		{"FETCH 1 BODY.PEEK[]", "STATUS INBOX (UNSEEN)", false},
		{"FETCH 1 BODY.PEEK[]", "FETCH 1 FLAGS", false},
		{"FETCH 1 BODY.PEEK[]", "STORE 1 FLAGS (\\Seen)", false},
		{"FETCH 1 BODY.PEEK[]", "SEARCH UNSEEN", false},
		{"FETCH 1 BODY.PEEK[]", "COPY 1 Trash", false},
		{"FETCH 1 BODY.PEEK[]", "CREATE x", false},
		{"FETCH 1 BODY.PEEK[]", "EXPUNGE", true},
		{"FETCH 1 BODY.PEEK[]", "UID EXPUNGE 1", true},
		{"FETCH 1 BODY.PEEK[]", "MOVE 1 Trash", true},
		{"FETCH 1 BODY.PEEK[]", "SELECT INBOX", true},
		{"FETCH 1 BODY.PEEK[]", "CLOSE", true},
		{"FETCH 1 BODY.PEEK[]", "UNSELECT", true},
		{"FETCH 1 BODY.PEEK[]", "DELETE x", true},
		{"FETCH 1 BODY.PEEK[]", "ENABLE CONDSTORE", true},
		{"FETCH 1 BODY.PEEK[]", "IDLE", true},
		{"FETCH 1 BODY.PEEK[]", "LOGOUT", true},
		{"UID FETCH 1 BODY.PEEK[]", "FETCH 1 FLAGS", false},
		{"FETCH 1 BODY[]", "FETCH 1 FLAGS", true},
		{"FETCH 1 BODY[]", "UID SEARCH UNSEEN", true},
		{"FETCH 1 BODY[]", "SEARCH OR (TEXT x) (NOT KEYWORD $x)", true},
		{"FETCH 1 BODY[]", "SEARCH OR (TEXT x) (NOT SUBJECT y)", false},
		{"FETCH 1 BODY[]", "STATUS INBOX (UNSEEN)", true},
		{"FETCH 1 BODY[]", "STORE 1 FLAGS ()", true},
		{"FETCH 1 BODY[]", "COPY 1 Trash", true},
		{"FETCH 1 BODY[]", "LIST \"\" *", true}, // RETURN (STATUS ...)
		{"FETCH 1 BODY[]", "NOOP", false},
		{"FETCH 1 (FLAGS BODY.PEEK[])", "STORE 1 FLAGS ()", true},
		{"FETCH 1 (MODSEQ BODY.PEEK[])", "STORE 1 FLAGS ()", true},
		{"UID FETCH 1 BODY.PEEK[] (CHANGEDSINCE 5)", "STORE 1 FLAGS ()", true},
		{"SEARCH TEXT x", "STORE 1 FLAGS ()", false},
		{"SEARCH UNSEEN TEXT x", "STORE 1 FLAGS ()", true},
		{"SEARCH MODSEQ 5 TEXT x", "STORE 1 FLAGS ()", true},
		{"SEARCH TEXT x", "FETCH 1 BODY[]", false},
		{"SEARCH RETURN (SAVE) TEXT x", "FETCH $ FLAGS", true},
		{"SEARCH RETURN (SAVE) TEXT x", "SEARCH RETURN (SAVE) TEXT y", true},
		{"SEARCH TEXT x", "EXPUNGE", true},
		{"STATUS INBOX (UNSEEN)", "STORE 1 FLAGS ()", true},
		{"STATUS INBOX (UNSEEN)", "SUBSCRIBE x", true},
		{"STATUS INBOX (UNSEEN)", "STATUS Trash (UNSEEN)", false},
	} {
		if got := orderOf(t, tc.running).before(orderOf(t, tc.next)); got != tc.waits {
			t.Errorf("%s, then %s: waits %v, want %v", tc.running, tc.next, got, tc.waits)
		}
	}
}

// A command that says nothing of its order is alone; one that runs in a goroutine of its own must say something.
func TestOrderOfTable(t *testing.T) {
	for name, cmd := range commands {
		if !cmd.own {
			continue
		}
		if cmd.streams != nil || cmd.waits {
			t.Errorf("%s reads from the connection and may not run in a goroutine of its own", name)
		}
	}
}
