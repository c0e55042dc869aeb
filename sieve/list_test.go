package sieve_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rookery-mail/rookery/sieve"
)

func TestCanonicalList(t *testing.T) {
	for name, want := range map[string]string{
		":addrbook:default":                      "urn:ietf:params:sieve:addrbook:default",
		":AddrBook:Default":                      "urn:ietf:params:sieve:addrbook:default",
		"URN:IETF:params:sieve:addrbook:Default": "urn:ietf:params:sieve:addrbook:default",
		":ADDRBOOK:%44%65%66ault":                "urn:ietf:params:sieve:addrbook:default",
		"urn:%69etf:params:sieve:addrbook:a%2fb": "urn:ietf:params:sieve:addrbook:a%2fb",
		"TAG:example.com,2026:Friends":           "tag:example.com,2026:Friends",
		"tag:a%2f%41%7e":                         "tag:a%2FA~",
		"urn:ISBN:0X":                            "urn:isbn:0X",
		"ldap://h/dc=example?uid?sub?(a=%2A)":    "ldap://h/dc=example?uid?sub?(a=%2A)",
		"a+b-c.1:x":                              "a+b-c.1:x",
		"":                                       "", ":": "", "friends": "", "tag:": "", "1tag:x": "", "tag:a b": "", "tag:%": "", "tag:%2": "", "tag:é": "", "tag:a\n": "", "tag:<a>": "",
		"tag:" + strings.Repeat("x", 1000): "",
	} {
		if got, ok := sieve.CanonicalList(name); got != want || ok != (want != "") {
			t.Errorf("%q is %q, %v, want %q", name, got, ok, want)
		}
	}
}

// Canonical names stand for themselves.
func TestCanonicalListTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringOf(rapid.RuneFrom([]rune("aZ:%2F/urnietfparamsieve?é "))).Draw(t, "name")
		once, ok := sieve.CanonicalList(name)
		if !ok {
			return
		}
		if twice, ok := sieve.CanonicalList(once); !ok || twice != once {
			t.Fatalf("%q becomes %q, then %q", name, once, twice)
		}
	})
}

func TestParseList(t *testing.T) {
	l := sieve.ParseList("# friends\r\nAnn@example.com\r\n\n  Carl Müller <carl@example.net> \nann@EXAMPLE.com\n@example.org\n\xff\n\"a b\"@example.net\n2026-12-24")
	if got := l.Addresses(); l.Len() != 5 || !slices.Equal(got, []string{"Ann@example.com", "carl@example.net", `"a b"@example.net`}) {
		t.Errorf("%d members, addresses %q", l.Len(), got)
	}
	for value, want := range map[string]bool{
		"ann@example.com": true, "ANN@EXAMPLE.COM": true, "Carl <carl@example.net>": true, "x@y.z, =?utf-8?q?=C3=BC?= <x@example.org>": true,
		"a b@example.net": true, "any@example.org": true, "example.org": true, "@example.org": true, "2026-12-24": true, " 2026-12-24 ": true,
		"": false, "@": false, "example.com": false, "ann": false, "xann@example.com": false, "x@sub.example.org": false, "# friends": false,
		"\xff": false, "ann@example.com <x@y.z>": false, "friends: ann@example.com;": true,
	} {
		if got := found(l, value); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
}

func found(l *sieve.List, value string) bool {
	_, ok := l.Find(value)
	return ok
}

// Every member is found, however it is written, and nothing else.
func TestListMembers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members := rapid.SliceOf(rapid.StringMatching(`[a-zA-Z0-9]{1,5}(@[a-z]{1,3}\.[a-z]{2})?`)).Draw(t, "members")
		l := sieve.NewList(members, nil)
		folded := map[string]bool{}
		for _, m := range members {
			folded[strings.ToLower(m)] = true
			if !found(l, m) || !found(l, strings.ToUpper(m)) || strings.Contains(m, "@") && !found(l, "Name <"+m+">") {
				t.Fatalf("%q is not found", m)
			}
		}
		if l.Len() != len(folded) {
			t.Fatalf("%d members, want %d", l.Len(), len(folded))
		}
		other := rapid.StringMatching(`[a-zA-Z0-9]{1,5}(@[a-z]{1,3}\.[a-z]{2})?`).Draw(t, "other")
		if found(l, other) != folded[strings.ToLower(other)] {
			t.Fatalf("%q: %v", other, found(l, other))
		}
	})
}

// listHost has one list, and counts how often it is asked.
type listHost struct {
	sieve.NoHost
	list  *sieve.List
	asked int
}

func (h *listHost) List(context.Context, string) (*sieve.List, bool, error) {
	h.asked++
	return h.list, true, nil
}

// TestLargeList looks many values up in a large list: that costs what the values are long, not what the list is.
func TestLargeList(t *testing.T) {
	var text strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&text, "user%d@example.com\n", i)
	}
	h := &listHost{list: sieve.ParseList(text.String())}
	if h.list.Len() != 100_000 {
		t.Fatalf("%d members", h.list.Len())
	}
	var to []string
	for i := range 500 {
		to = append(to, fmt.Sprintf("other%d@example.com", i))
	}
	s := mustCompile(t, "require \"extlists\";\n"+strings.Repeat("if address :list \"to\" \"tag:a\" { discard; }\n", 20))
	r, err := s.Run(context.Background(), h, input("To: "+strings.Join(to, ",\r\n ")+"\r\n\r\n"))
	if err != nil || r.Failure != nil || h.asked != 1 || r.Steps > 200_000 {
		t.Errorf("%+v, %v, asked %d times", r, err, h.asked)
	}
}
