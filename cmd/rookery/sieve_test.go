package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestSieveCommands(t *testing.T) {
	s := newShell(t)
	s.write("good.sieve", "require [\"fileinto\", \"include\", \"editheader\"];\naddheader \"X-A\" \"b\";\ninclude \"other\";\nfileinto \"Work\";\n")
	s.write("other.sieve", "require [\"fileinto\", \"copy\"];\nfileinto :copy \"All\";\n")
	s.write("bad.sieve", "fileinto \"x\";\nkepp;\n")
	s.write("fails.sieve", "require \"reject\";\nkeep;\nreject \"no\";\n")
	s.write("m.eml", "From: a@example.com\r\nTo: b@example.org\r\n\r\nx\r\n")

	if out := s.ok("sieve", "check", "good.sieve"); out != "good.sieve: the script is good\n" {
		t.Errorf("%q", out)
	}
	s.fails(1, "bad.sieve:1:1: \"fileinto\" needs `require \"fileinto\";`", "sieve", "check", "bad.sieve")
	s.fails(1, "bad.sieve:2:1: there is no command \"kepp\"; did you mean \"keep\"?", "sieve", "check", "bad.sieve")
	s.fails(1, "no such file", "sieve", "check", "nowhere.sieve")
	var check sieveCheck
	if o := s.run("stop;", "sieve", "check", "--json", "-"); json.Unmarshal([]byte(o.stdout), &check) != nil || !check.Valid {
		t.Errorf("%+v", o)
	}

	want := "fileinto \"All\" as a copy (other.sieve:2)\nfileinto \"Work\" (good.sieve:4)\n"
	if out := strings.ReplaceAll(s.ok("sieve", "test", "good.sieve", "m.eml"), s.dir+"/", ""); out != want {
		t.Errorf("%q", out)
	}
	if out := s.ok("sieve", "test", "--print", "good.sieve", "m.eml"); !strings.Contains(out, "X-A: b\r\nFrom: a@example.com\r\n") {
		t.Errorf("%q", out)
	}
	var outcome sieveOutcome
	if err := json.Unmarshal([]byte(s.ok("sieve", "test", "--json", "good.sieve", "m.eml")), &outcome); err != nil || len(outcome.Actions) != 2 ||
		outcome.Actions[1].Mailbox != "Work" {
		t.Errorf("%+v, %v", outcome, err)
	}
	s.fails(1, "fails.sieve:3:1: \"reject\" cannot be combined with \"keep\"", "sieve", "test", "fails.sieve", "m.eml")
	if o := s.run("", "sieve", "test", "fails.sieve", "m.eml"); o.stdout != "keep (implicit)\n" {
		t.Errorf("%+v", o)
	}
}

// TestSieveTestAsAtDelivery reads the spam score and the delimiter as a node with this configuration does.
func TestSieveTestAsAtDelivery(t *testing.T) {
	for _, c := range []struct {
		env  []string
		to   string
		want string
	}{
		{nil, "b+x@example.org", "half detail"},
		{nil, "b-x@example.org", "half"},
		{[]string{"ROOKERY_DELIMITER=-"}, "b-x@example.org", "half detail"},
		{[]string{"ROOKERY_DELIMITER="}, "b+x@example.org", "half"},
		{[]string{"ROOKERY_SPAM_LIMIT=3"}, "b@example.org", ""},
		{[]string{"ROOKERY_SPAM_LIMIT=10", "ROOKERY_SPAM_HEADER=X-Score"}, "b@example.org", "half"},
	} {
		s := newShell(t, c.env...)
		s.write("s.sieve", `require ["spamtestplus", "relational", "comparator-i;ascii-numeric", "envelope", "subaddress", "fileinto", "copy"];
if spamtest :percent :value "eq" :comparator "i;ascii-numeric" "50" { fileinto :copy "half"; }
if envelope :detail "to" "x" { fileinto :copy "detail"; }
discard;
`)
		s.write("m.eml", "From: a@example.com\r\nX-Spam-Score: 3.0\r\nX-Score: 5 of 10\r\n\r\nX-Spam-Score: 9\r\n")
		var did sieveOutcome
		if err := json.Unmarshal([]byte(s.ok("sieve", "test", "--json", "s.sieve", "m.eml", "--to", c.to)), &did); err != nil {
			t.Fatal(err)
		}
		var boxes []string
		for _, a := range did.Actions {
			if a.Mailbox != "" {
				boxes = append(boxes, a.Mailbox)
			}
		}
		if got := strings.Join(boxes, " "); got != c.want {
			t.Errorf("%v, to %s: %q, want %q", c.env, c.to, got, c.want)
		}
	}
}
