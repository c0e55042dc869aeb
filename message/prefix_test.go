package message

import (
	"strings"
	"testing"
)

func TestAppendField(t *testing.T) {
	for _, test := range []struct{ name, value, want string }{
		{"Delivered-To", "bob@example.org", "Delivered-To: bob@example.org\r\n"},
		{"Delivered-To", "bob\r\nBcc: x\x00\n y", "Delivered-To: bob  Bcc: x   y\r\n"},
		{"Bad: name\r\n", "\xe4", "Bad--name--: \xe4\r\n"},
		{"X", strings.Repeat("x", 2000), "X: " + strings.Repeat("x", 995) + "\r\n"},
	} {
		if got := string(AppendField([]byte("before"), test.name, test.value)); got != "before"+test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
	if got := string(AppendReturnPath(nil, "")); got != "Return-Path: <>\r\n" {
		t.Errorf("null reverse path: %q", got)
	}
	if got := string(AppendReturnPath(nil, "<a@b>\r\nX: y")); got != "Return-Path: <a@b>  X: y>\r\n" {
		t.Errorf("got %q", got)
	}
}

func TestPrefixShifts(t *testing.T) {
	raw := samples(t)["nested.eml"]
	stored := Scan(raw).Encode()
	prefix := AppendField(AppendReturnPath(nil, "a@example.org"), "Delivered-To", "b@example.org")
	s, err := Decode(stored, prefix)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := Decode(stored, nil)
	if err != nil {
		t.Fatal(err)
	}
	n := int64(len(prefix))
	if s.Size != plain.Size+n || s.Root.HeaderOffset != 0 || s.Root.BodyOffset != plain.Root.BodyOffset+n ||
		s.Root.HeaderLines != plain.Root.HeaderLines+2 || s.Root.Lines != plain.Root.Lines {
		t.Errorf("root %+v", s.Root)
	}
	whole := string(prefix) + string(raw)
	if p := s.PartByPath([]int{2, 1}); whole[p.BodyOffset:p.End] != "<p>" {
		t.Errorf("2.1 is %q", whole[p.BodyOffset:p.End])
	}
	if s.Fields[0].Name != "Return-Path" || s.Fields[0].Value() != "<a@example.org>" || s.Fields[1].Name != "Delivered-To" ||
		len(s.Fields) != len(plain.Fields)+2 {
		t.Errorf("fields %q", s.Fields)
	}
}

func TestDecodeRefusesOtherVersions(t *testing.T) {
	out, err := encMode.Marshal(stored{Version: storedVersion + 1})
	if err != nil {
		t.Fatal(err)
	}
	for name, summary := range map[string][]byte{"another version": out, "nothing": nil, "text": []byte("text")} {
		if _, err := Decode(summary, nil); err == nil {
			t.Errorf("%s is decoded", name)
		}
		if _, err := DecodeEnvelope(summary, nil); err == nil {
			t.Errorf("the envelope of %s is decoded", name)
		}
	}
	whole := Scan(typicalMessage()).Encode()
	for n := range whole {
		_, _ = DecodeEnvelope(whole[:n], nil) // which may have what it needs
		if _, err := Decode(whole[:n], nil); err == nil {
			t.Errorf("the first %d bytes are decoded", n)
		}
	}
}
