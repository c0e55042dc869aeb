package message_test

import (
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/message"
)

func TestBaseSubject(t *testing.T) {
	for _, tc := range []struct {
		subject, base string
		reply         bool
	}{
		{"", "", false},
		{"hello", "hello", false},
		{"  hello \t world ", "hello world", false},
		{"Re: hello", "hello", true},
		{"rE:hello", "hello", true},
		{"Re : hello", "hello", true},
		{"RE: re: Fw: FWD: hello", "hello", true},
		{"Re[2]: hello", "hello", true},
		{"Re [2] : hello", "hello", true},
		{"Re[[2]]: hello", "Re[[2]]: hello", false},
		{"Rehearsal", "Rehearsal", false},
		{"Forward: hello", "Forward: hello", false},
		{"AW: hello", "AW: hello", false},
		{"Re:", "", true},
		{"Re: Re:", "", true},
		{"[list] hello", "hello", false},
		{"[list] Re: hello", "hello", true},
		{"Re: [list] hello", "hello", true},
		{"[a] [b] [c] Re: [d] Re: hello", "hello", true},
		{"[a][b] hello", "hello", false},
		{"[list]", "[list]", false},
		{"[a] [b]", "[b]", false},
		{"Re: [list]", "[list]", true},
		{"[list] Re:", "", true},
		{"[unclosed hello", "[unclosed hello", false},
		{"[a [b] hello", "[a [b] hello", false},
		{"hello (fwd)", "hello", true},
		{"hello (FWD)  (fwd) ", "hello", true},
		{"(fwd)", "", true},
		{"[list] (fwd)", "[list]", true},
		{"hello (fw)", "hello (fw)", false},
		{"[Fwd: hello]", "hello", true},
		{"[fwd: Re: [fwd: [list] hello (fwd)]]", "hello", true},
		{"[Fwd: hello] and more", "and more", false},
		{"[Fwd:]", "", true},
		{"Re: [Fwd: hello] (fwd)", "hello", true},
		{"[list] [Fwd: hello]", "hello", true},
		{"=?utf-8?q?Re=3A_gr=C3=BC=C3=9Fe?= =?utf-8?q?_aus?=", "grüße aus", true},
		{"=?iso-8859-1?q?=5Blist=5D_=E4?=", "ä", false},
		{"Re: \xe4", "ä", true},
		{"ſe: Re: x", "ſe: Re: x", false},
	} {
		base, reply := message.BaseSubject(tc.subject)
		if base != tc.base || reply != tc.reply {
			t.Errorf("BaseSubject(%q) = %q, %v; want %q, %v", tc.subject, base, reply, tc.base, tc.reply)
		}
	}
}

// TestBaseSubjectLong would take minutes if any step looked at the same text again and again.
func TestBaseSubjectLong(t *testing.T) {
	const n = 1 << 18
	for _, s := range []string{
		strings.Repeat("[a]", n) + "x",
		strings.Repeat("[a]", n),
		strings.Repeat("[", n),
		strings.Repeat("[fwd:", n) + strings.Repeat("]", n),
		strings.Repeat("[fwd: ", n),
		strings.Repeat("Re:", n),
		strings.Repeat("Re[a]:[b]", n) + "x",
		strings.Repeat("(fwd) ", n),
		strings.Repeat("re [", n),
	} {
		message.BaseSubject(s)
	}
}

// FuzzBaseSubject compares with the steps of RFC 5256 section 2.1 taken one at a time, and checks that a base subject has
// nothing left to remove.
func FuzzBaseSubject(f *testing.F) {
	for _, s := range []string{"Re: [a] b", "[fwd: re [x] : [y] z] (fwd)", "[a][b]", " [fwd:[a]]", "fw:fwd :re"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 200 {
			return
		}
		base, reply := message.BaseSubject(s)
		wantBase, wantReply := stepwiseBaseSubject(strings.Join(strings.FieldsFunc(" "+message.DecodeHeader(s)+" ", func(r rune) bool {
			return r == ' ' || r == '\t' || r == '\r' || r == '\n'
		}), " "))
		if base != wantBase || reply != wantReply {
			t.Errorf("BaseSubject(%q) = %q, %v; step by step %q, %v", s, base, reply, wantBase, wantReply)
		}
		if again, _ := stepwiseBaseSubject(base); again != base {
			t.Errorf("BaseSubject(%q) = %q, of which the base subject is %q", s, base, again)
		}
	})
}
