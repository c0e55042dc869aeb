package imapd

import (
	"strings"
	"testing"
)

// found reports whether text, written in pieces of n bytes, contains needle.
func found(text, needleText string, n int) bool {
	nd := &needle{text: casemap(needleText)}
	m := newMatcher([]*needle{nd})
	for len(text) > 0 {
		k := min(n, len(text))
		_, _ = m.Write([]byte(text[:k]))
		text = text[k:]
	}
	return m.done()
}

func TestMatcher(t *testing.T) {
	long := strings.Repeat("lorem ipsum ", 5000)
	for _, c := range []struct {
		text, needle string
		want         bool
	}{
		{"Hello World", "o w", true},
		{"Hello World", "ow", false},
		{"ÄPFEL und BIRNEN", "äpfel", true},
		{"Straße", "STRAßE", true},
		{"Straße", "STRASSE", false},           // RFC 5051 knows no mapping to two letters
		{"ΟΔΥΣΣΕΥΣ οδυσσεύς", "δυσσευσ", true}, // all three sigmas
		{"caf\u00e9", "CAFE\u0301", true},      // composed and decomposed
		{"caf\u00e9 au lait", "é au", true},
		{"ПРИВЕТ, мир", "привет, МИР", true},
		{"\u00c9\u00c9\u00c9", "ééé", true},
		{"日本語のメール", "のメ", true},
		{long + "needle" + long, "m NEEDLElorem", true},
		{long, strings.Repeat("ipsum lorem ", 1000), true},
		{long, strings.Repeat("ipsum lorem ", 1000) + "x", false},
		{"broken \xc3", "broken", true},
	} {
		for _, n := range []int{1, 3, 7, 1000, matchPiece, 1 << 20} {
			if n < 7 && len(c.text) > 1000 {
				continue
			}
			if got := found(c.text, c.needle, n); got != c.want {
				t.Errorf("%.30q in pieces of %d contains %.30q: %v", c.text, n, c.needle, got)
			}
		}
	}
}

func TestMatcherReset(t *testing.T) {
	nd := &needle{text: []byte("AB")}
	m := newMatcher([]*needle{nd})
	_, _ = m.Write([]byte("xa\xc3"))
	m.reset()
	_, _ = m.Write([]byte("bx"))
	if nd.found {
		t.Error("found across two texts")
	}
}

func FuzzMatcher(f *testing.F) {
	f.Add("Straße in MÜNCHEN", "ßE in mü", 3)
	f.Fuzz(func(t *testing.T, text, needleText string, n int) {
		text, needleText = strings.ToValidUTF8(text, "?"), strings.ToValidUTF8(needleText, "?")
		if n < 1 || needleText == "" {
			return
		}
		// What stands in a text is found, however it comes.
		if !found(text+"-"+needleText+"-"+text, "-"+needleText+"-", n) {
			t.Errorf("%q not found in pieces of %d", needleText, n)
		}
	})
}

func BenchmarkMatcher(b *testing.B) {
	for _, c := range []struct{ name, text string }{
		{"ASCII", strings.Repeat("The quick brown fox jumps over the lazy dog. ", 2000)},
		{"Cyrillic", strings.Repeat("Съешь же ещё этих мягких французских булок. ", 1000)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.text)))
			for b.Loop() {
				m := newMatcher([]*needle{{text: []byte("NOWHERE")}})
				_, _ = m.Write([]byte(c.text))
			}
		})
	}
}
