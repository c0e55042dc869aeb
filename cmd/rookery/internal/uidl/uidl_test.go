package uidl

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/metadata"
)

func parsed(t *testing.T, o Options, lines ...string) []Entry {
	t.Helper()
	entries, err := parse(strings.NewReader(strings.Join(lines, "\n")), o)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func TestForms(t *testing.T) {
	hash := strings.Repeat("0F", 32)
	for _, c := range []struct {
		name  string
		o     Options
		lines []string
		want  string
	}{
		{"dovecot", Options{}, []string{"3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1", "25006 :1276528487.M364837P9451.kurkku,S=1355,W=1394:2,",
			"25017 W2481 :1276533073.M242911P3632.kurkku:2,F", "25020 S100 Pabc-1 O7 :1276533074.x:2,"},
			"2=000061ae4c0907b0 3=000061b94c0907b0 4=abc-1"},
		{"dovecot, first version", Options{Format: "UID%u-%v"}, []string{"1 12 4", "3 1276528487.x:2,S"}, "2=UID3-12"},
		{"dovecot, widths", Options{Format: "%3u.%04u.%Xv%%.%f"}, []string{"3 V255 N1 Gx", "3 :a.b,S=1:2,"}, ""},
		{"dovecot, by UID", Options{ByUID: true, Format: "%v.%u"}, []string{"3 V7 N1 Gx", "3 :a"}, "2=7.3#3"},
		{"courier 3", Options{}, []string{"/3 18 1234", "123.x,S=1:2,S 77 17:1234:0", "124.y 78 16:0:1", "125.y+z:2, 78 0:0:0"},
			"2=UID17-1234 3=UID16 4=125.y+2Bz"},
		{"courier 2", Options{}, []string{"/2 18 1234", "123.x 77 17:1234"}, "2=UID17-1234"},
		{"plain", Options{}, []string{"# a list", "one\t<a@b>", "", "two\t" + hash + "\r", "three\t42"}, "2=one<a@b> 4=two! 5=three#42"},
		{"empty", Options{}, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.want == "" && len(c.lines) > 0 {
				_, err := parse(strings.NewReader(strings.Join(c.lines, "\n")), c.o)
				if err == nil || !strings.Contains(err.Error(), "is no unique-id") { // "  3" begins with spaces
					t.Errorf("%v", err)
				}
				return
			}
			var got []string
			for _, e := range parsed(t, c.o, c.lines...) {
				s := fmt.Sprintf("%d=%s%s", e.Line, e.Unique, e.MessageID)
				if e.Hash != nil {
					s += "!"
				}
				if e.UID != 0 {
					s += fmt.Sprintf("#%d", e.UID)
				}
				got = append(got, s)
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %v, want %s", got, c.want)
			}
		})
	}
}

func TestFormsRefused(t *testing.T) {
	for _, list := range []string{
		"one", "one\t", "one\tx", "one\t0", "one\t<x>", "a b\t1", "\t1", strings.Repeat("x", 71) + "\t1",
		"3 V1 N1 G1\nx :a", "3 V1 N1 G1\n0 :a", "3 V1 N1 G1\n1 a", "3 Vx N1 G1", "/3 1 1\na 1 1", "/3 1 1\na 1 x:1:0", "/3 1 1\na b",
		"x\t1\n" + strings.Repeat("y", 70_000),
	} {
		if entries, err := parse(strings.NewReader(list), Options{}); err == nil {
			t.Errorf("%.50q is read as %v", list, entries)
		}
	}
	if _, err := parse(strings.NewReader("3 V1 N1 G1\n"), Options{Format: "%s"}); err == nil {
		t.Error("an unknown place in the format")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("3 V1275660208 N25022 G3085\n25006 P1 :1276528487.M364837P9451.kurkku,S=1355,W=1394:2,\n")
	f.Add("/3 18 1234\n123.x,S=1:2,S 77 17:1234:0\n")
	f.Add("one\t<a@b>\ntwo\t42\n")
	f.Fuzz(func(t *testing.T, list string) {
		entries, err := parse(strings.NewReader(list), Options{})
		for _, e := range entries {
			if err == nil && !metadata.ValidUIDL(e.Unique) {
				t.Errorf("%q", e.Unique)
			}
		}
	})
}

// The files of a Maildir are found again by their content, with CRLF, and by their Message-ID where that has changed.
func TestMaildir(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("cur/1.a,S=3:2,S", "Subject: 1\n\nbody\n")
	write("new/2.b", "Message-Id: <2@x>\n\nbody\n")
	write("cur/3.c:2,", "Subject: 3\r\n\r\nbody\r\n")
	if _, err := Read(dir, Options{}); err == nil || !strings.Contains(err.Error(), "has neither") {
		t.Errorf("%v", err)
	}
	write("dovecot-uidlist", "3 V1 N9 Gx\n1 Pone :1.a,S=3\n2 Ptwo :2.b:2,S\n3 Pthree :3.c:2,\n4 Pfour :4.d:2,\n")
	entries, err := Read(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	sum := func(s string) Hash { return sha256.Sum256([]byte(s)) }
	id := func(n byte) metadata.BodyID { return metadata.BodyID{n} }
	messages := []Message{
		{UID: 11, Body: id(1), Hash: sum("Subject: 3\r\n\r\nbody\r\n")},
		{UID: 12, Body: id(2), Hash: sum("Subject: 1\r\n\r\nbody\r\n")},
		{UID: 13, Body: id(2), Hash: sum("Subject: 1\r\n\r\nbody\r\n")},
		{UID: 14, Body: id(3), Hash: sum("another"), MessageID: "<2@x>"},
	}
	found, not := Match(entries, messages)
	got := make(map[metadata.BodyID]string)
	for _, u := range found {
		got[u.Body] = u.Unique
	}
	if len(found) != 3 || got[id(1)] != "three" || got[id(2)] != "one" || got[id(3)] != "two" {
		t.Errorf("found %v", got)
	}
	if len(not) != 1 || not[0].Unique != "four" || not[0].Why != "its file is not in the Maildir" {
		t.Errorf("not found %v", not)
	}
	write("courierpop3dsizelist", "/3 1 1\n")
	if _, err := Read(dir, Options{}); err == nil || !strings.Contains(err.Error(), "both there") {
		t.Errorf("%v", err)
	}
}

// What could be one message or another is left alone; nothing is used twice.
func TestMatchAmbiguous(t *testing.T) {
	entries := parsed(t, Options{}, "a\t<twice@x>", "b\t<pair@x>", "c\t<pair@x>", "a\t<only@x>", "d\t7", "e\t7", "f\t<gone@x>", "g\t<only@x>")
	body := func(n byte) metadata.BodyID { return metadata.BodyID{n} }
	found, not := Match(entries, []Message{
		{UID: 1, Body: body(1), MessageID: "<twice@x>"}, {UID: 2, Body: body(2), MessageID: "<twice@x>"},
		{UID: 3, Body: body(3), MessageID: "<pair@x>"}, {UID: 4, Body: body(4), MessageID: "<pair@x>"},
		{UID: 5, Body: body(5), MessageID: "<only@x>"}, {UID: 7, Body: body(7)},
	})
	if got := fmt.Sprint(found); got != fmt.Sprint([]metadata.UIDL{{Body: body(7), Unique: "d"}, {Body: body(3), Unique: "b"},
		{Body: body(4), Unique: "c"}, {Body: body(5), Unique: "g"}}) {
		t.Errorf("found %s", got)
	}
	var why []string
	for _, u := range not {
		why = append(why, fmt.Sprintf("%d %s", u.Line, u.Why))
	}
	want := "1 several messages have its Message-ID; 4 another line has the same unique-id; 6 no message has that UID; 7 no such message"
	if got := strings.Join(why, "; "); got != want {
		t.Errorf("not found %s", got)
	}
}
