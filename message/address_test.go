package message

import (
	"reflect"
	"strings"
	"testing"
)

func parseAddresses(value string) []Address {
	p := addressParser{strings: new(stringArena)}
	p.parse(unfold(value))
	return p.out
}

func TestAddresses(t *testing.T) {
	for _, test := range []struct{ value, want string }{
		// RFC 5322 appendix A
		{`John Doe <jdoe@machine.example>`, `(("John Doe" NIL "jdoe" "machine.example"))`},
		{`"Joe Q. Public" <john.q.public@example.com>`, `(("Joe Q. Public" NIL "john.q.public" "example.com"))`},
		{`Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>`,
			`(("Mary Smith" NIL "mary" "x.test")(NIL NIL "jdoe" "example.org")("Who?" NIL "one" "y.test"))`},
		{`<boss@nil.test>, "Giant; \"Big\" Box" <sysservices@example.net>`,
			`((NIL NIL "boss" "nil.test")("Giant; \"Big\" Box" NIL "sysservices" "example.net"))`},
		{`A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;`,
			`((NIL NIL "A Group" NIL)("Ed Jones" NIL "c" "a.test")(NIL NIL "joe" "where.test")("John" NIL "jdoe" "one.test")(NIL NIL NIL NIL))`},
		{`Undisclosed recipients:;`, `((NIL NIL "Undisclosed recipients" NIL)(NIL NIL NIL NIL))`},
		{`Pete(A nice \) chap) <pete(his account)@silly.test(his host)>`, `(("Pete" NIL "pete" "silly.test"))`},
		{`Joe Q. Public <john.q.public@example.com>`, `(("Joe Q. Public" NIL "john.q.public" "example.com"))`},
		{`Mary Smith <@node.test:mary@example.net>, , jdoe@test   . example`,
			`(("Mary Smith" "@node.test" "mary" "example.net")(NIL NIL "jdoe" "test.example"))`},
		// comments
		{`jdoe@example.org (John Doe)`, `(("John Doe" NIL "jdoe" "example.org"))`},
		{`<jdoe@example.org> (John (Jr.) Doe)`, `(("John (Jr.) Doe" NIL "jdoe" "example.org"))`},
		{`(first) jdoe@example.org`, `(("first" NIL "jdoe" "example.org"))`},
		{`jdoe@example.org (unclosed, a@b`, `(("unclosed, a@b" NIL "jdoe" "example.org"))`},
		// local parts and domains
		{`"john doe"@example.org`, `((NIL NIL "john doe" "example.org"))`},
		{`"a@b"@example.org`, `((NIL NIL "a@b" "example.org"))`},
		{`"a\"b"@[192.0.2.1]`, `((NIL NIL "a\"b" "[192.0.2.1]"))`},
		{`john . doe @ example . org`, `((NIL NIL "john.doe" "example.org"))`},
		{`<a@b@c>`, `((NIL NIL "a@b" "c"))`},
		{`<@a,@b:c@d>`, `((NIL "@a,@b" "c" "d"))`},
		{"\xc3\xa4 <\xc3\xb6@\xc3\xbc.example>", `(("ä" NIL "ö" "ü.example"))`},
		// broken
		{`root`, `((NIL NIL "root" ""))`},
		{`John Doe`, `(("John Doe" NIL "" ""))`},
		{`John Doe <>`, `(("John Doe" NIL "" ""))`},
		{`<root>`, `((NIL NIL "root" ""))`},
		{`@example.org`, `((NIL NIL "" "example.org"))`},
		{`root@`, `((NIL NIL "root" ""))`},
		{`a@b <c@d>`, `(("a@b" NIL "c" "d"))`},
		{`a@b; c@d`, `((NIL NIL "a" "b")(NIL NIL "c" "d"))`},
		{`a@b c@d`, `((NIL NIL "a" "b")(NIL NIL "c" "d"))`},
		{`John <a@b, c@d`, `(("John" NIL "a" "b")(NIL NIL "c" "d"))`},
		{`John <a@b>>, c@d`, `(("John" NIL "a" "b")(NIL NIL ">" "")(NIL NIL "c" "d"))`},
		{`"John <a@b>, c@d`, `(("\"John" NIL "a" "b")(NIL NIL "c" "d"))`},
		{`group: a@b, c@d`, `((NIL NIL "group" NIL)(NIL NIL "a" "b")(NIL NIL "c" "d")(NIL NIL NIL NIL))`},
		{`:;`, `((NIL NIL "" NIL)(NIL NIL NIL NIL))`},
		{`outer: inner: a@b;, c@d`, `((NIL NIL "outer" NIL)(NIL NIL "inner" "")(NIL NIL "a" "b")(NIL NIL NIL NIL)(NIL NIL "c" "d"))`},
		{`=?utf-8?q?J=C3=B6rg?= <j@example.org>`, `(("=?utf-8?q?J=C3=B6rg?=" NIL "j" "example.org"))`},
		{"", "NIL"}, {" ,; ,", "NIL"}, {"()", "NIL"},
	} {
		if got := dumpAddresses(parseAddresses(test.value)); got != test.want {
			t.Errorf("%s\n got %s\nwant %s", test.value, got, test.want)
		}
	}
}

// checkAddresses checks that groups are well-formed: no broken address looks like a part of one.
func checkAddresses(t *testing.T, list []Address) {
	inGroup := false
	for i, a := range list {
		switch {
		case a.Host == nil && a.Mailbox != nil:
			if inGroup {
				t.Errorf("address %d: a group in a group", i)
			}
			inGroup = true
		case a.Host == nil:
			if !inGroup {
				t.Errorf("address %d: the end of no group", i)
			}
			inGroup = false
		case a.Mailbox == nil:
			t.Errorf("address %d: no mailbox", i)
		}
		for _, s := range []*string{a.Name, a.Route, a.Mailbox, a.Host} {
			if s != nil && strings.ContainsAny(*s, "\r\n\x00") {
				t.Errorf("address %d: %q", i, *s)
			}
		}
		if a.Name != nil && *a.Name == "" {
			t.Errorf("address %d: an empty name", i)
		}
	}
	if inGroup {
		t.Error("a group without an end")
	}
}

func FuzzEnvelope(f *testing.F) {
	for _, s := range []string{
		"A Group(Some people)\r\n :Chris <c@(host.)public.example>,\r\n joe@example.org; a@b", "\"x\\\"y\"@[1.2.3.4] (c (d))", "<@a,@b:c@d>",
		"a@b@c <d", "\"unclosed <a@b>", "a . b @ c . d", ":;:;", "(((", "<<<@:>", "a@[", "\\",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		value = strings.ReplaceAll(value, "\n", "\n ")
		raw := "From: " + value + "\r\nTo: x@y\r\nSubject: " + value + "\r\nCc: " + value + "\r\nMessage-ID: " + value + "\r\n\r\n"
		s := Scan([]byte(raw))
		env := &s.Envelope
		for _, list := range [][]Address{env.From, env.Sender, env.ReplyTo, env.To, env.Cc} {
			checkAddresses(t, list)
		}
		if s.Complete() {
			if len(env.To) != 1 || *env.To[0].Host != "y" || !reflect.DeepEqual(env.Cc, env.From) {
				t.Errorf("%s", dumpEnvelope(env))
			}
			if !reflect.DeepEqual(env.Subject, env.MessageID) || strings.ContainsAny(*env.Subject, "\r\n\x00") {
				t.Errorf("subject %q, message-id %q", *env.Subject, *env.MessageID)
			}
		}
		got, err := Decode(s.Encode(), nil)
		if err != nil || !reflect.DeepEqual(got, s) {
			t.Errorf("decoded: %v, %s", err, dump(got))
		}
	})
}
