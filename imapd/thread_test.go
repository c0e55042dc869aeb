package imapd

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/message"
	"github.com/rookery-mail/rookery/metadata"
)

// threadOf threads messages given as "MINUTE ID REFERENCES SUBJECT", "-" for what is not there, references with commas.
func threadOf(t testing.TB, algorithm string, messages ...string) string {
	t.Helper()
	b := newThreadBuilder(algorithm)
	for i, m := range messages {
		f := strings.SplitN(m, " ", 4)
		date := testTime.Add(time.Duration(atoi(t, f[0])) * time.Minute)
		header := "Date: " + date.Format(time.RFC1123Z) + "\r\n"
		if f[1] != "-" {
			header += "Message-ID: <" + f[1] + "@x>\r\n"
		}
		if f[2] != "-" {
			header += "References:"
			for id := range strings.SplitSeq(f[2], ",") {
				header += " <" + id + "@x>"
			}
			header += "\r\n"
		}
		if len(f) > 3 {
			header += "Subject: " + f[3] + "\r\n"
		}
		row := &metadata.Message{InternalDate: testTime.Add(time.Duration(i) * time.Second)}
		if err := b.add(uint32(i+1), row, message.Scan([]byte(header+"\r\n"))); err != nil {
			t.Fatal(err)
		}
	}
	return written(b.build().write)
}

func TestThreads(t *testing.T) {
	for _, c := range []struct {
		name, algorithm string
		want            string
		messages        []string
	}{
		{"nothing", "REFERENCES", "", nil},
		{"a chain", "REFERENCES", "(1 2 3)", []string{"0 a - s", "1 b a Re: s", "2 c a,b Re: s"}},
		{"branches", "REFERENCES", "(1 (2 4)(3))", []string{"0 a - s", "1 b a s", "2 c a s", "3 d a,b s"}},
		{"children come first", "REFERENCES", "(3 2 1)", []string{"2 c a,b s", "1 b a s", "0 a - s"}},
		{"a missing parent", "REFERENCES", "((1)(2))", []string{"0 b a s", "1 c a t"}},
		{"a missing parent of one", "REFERENCES", "(1)", []string{"0 b z,y,x s"}},
		{"missing ones in between", "REFERENCES", "(1 (2)(3))", []string{"0 a - s", "1 c a,x,y s", "2 d a,x,z s"}},
		{"missing ones above missing ones", "REFERENCES", "((1)(2))", []string{"0 c x,y s", "1 d x,z t"}},
		{"siblings by date", "REFERENCES", "(3 (2)(1))", []string{"3 a c s", "2 b c s", "1 c - s"}},
		{"threads by date", "REFERENCES", "(2)(1 3)", []string{"5 a - s", "4 b - t", "6 c a s"}},
		{"dates that are equal", "REFERENCES", "(1)(2)", []string{"0 a - s", "0 b - t"}},
		{"one ID twice", "REFERENCES", "(1 3)(2)", []string{"0 a - s", "1 a - t", "2 b a s"}},
		{"no ID", "REFERENCES", "(1)(2)", []string{"0 - - s", "1 - - t"}},
		{"itself", "REFERENCES", "(1)", []string{"0 a a s"}},
		{"each other", "REFERENCES", "(2 1)", []string{"0 a b s", "1 b a s"}},
		{"a circle", "REFERENCES", "(3 2 1)", []string{"0 a b s", "1 b c s", "2 c a s"}},
		{"a truncated References", "REFERENCES", "(1 2 3)", []string{"0 a - s", "2 b a s", "1 c b s"}},
		{"a parent that turns out to be wrong", "REFERENCES", "(1 3)(2 4)", []string{"0 a - s", "1 b - t", "3 d a s", "4 c b t"}},
		{"by subject", "REFERENCES", "(1 2)", []string{"0 a - s", "1 b - Re: S"}},
		{"by subject, the reply first", "REFERENCES", "(2 1)", []string{"0 a - Re: s", "1 b - s"}},
		{"by subject, no reply", "REFERENCES", "((1)(2)(3))", []string{"0 a - s", "1 b - s", "2 c - s"}},
		{"by subject, replies only", "REFERENCES", "((1)(2))", []string{"0 a - Re: s", "1 b - Fwd: s"}},
		{"by subject, into a missing one", "REFERENCES", "((1)(2)(3))", []string{"0 b a s", "1 c a s", "2 d - s"}},
		{"by subject, two missing ones", "REFERENCES", "((1)(2)(3)(4))", []string{"0 b a s", "1 c a t", "2 e d Re: s", "3 f d u"}},
		{"empty subjects", "REFERENCES", "(1)(2)(3)", []string{"0 a - ", "1 b - Re:", "2 c -"}},
		{"not by subject", "REFS", "(1)(2)", []string{"0 a - s", "1 b - Re: s"}},
		{"by news", "REFS", "(2)(1 3)", []string{"9 a - s", "5 b - t", "1 c a u"}},
		{"by news under a missing one", "REFS", "(2)((1)(3))", []string{"0 b a s", "5 x - t", "1 c a u"}},
		{"ordered", "ORDEREDSUBJECT", "(1)(2 4)(3 (6)(5))", []string{"0 a - a", "1 b - b", "2 c - c", "3 d - Re: B", "5 e - c", "4 f - [x] c"}},
		{"ordered, the first is not the first", "ORDEREDSUBJECT", "(2 1)", []string{"1 a - s", "0 b - s"}},
		{"ordered, empty", "ORDEREDSUBJECT", "(1 2)", []string{"0 a -", "1 b - Re:"}},
	} {
		if got := threadOf(t, c.algorithm, c.messages...); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// The examples of RFC 5256 section 4.
func TestThreadWrite(t *testing.T) {
	f := newThreadForest(make([]threadMessage, 97))
	for i := range f.messages {
		f.messages[i].number = uint32(i)
	}
	f.children[3], f.children[6], f.children[4] = []int32{6}, []int32{4, 44}, []int32{23}
	f.children[44], f.children[7] = []int32{7}, []int32{96}
	f.tops = []int32{2, 3}
	if got, want := written(f.write), "(2)(3 6 (4 23)(44 7 96))"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	f = newThreadForest([]threadMessage{{number: 3}, {number: 5}})
	f.tops = []int32{f.dummy(0, 1)}
	if got, want := written(f.write), "((3)(5))"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// Threads as deep as there are messages, in any order, cost neither stack nor the square of time.
func TestThreadDeep(t *testing.T) {
	const n = 100_000
	for name, parent := range map[string]func(i int) int{
		"forward":   func(i int) int { return i - 1 },
		"backward":  func(i int) int { return i + 1 },
		"odd first": func(i int) int { return (i + n/2) % n },
	} {
		b := newThreadBuilder("REFERENCES")
		for i := range n {
			id, ref := fmt.Sprintf("<%d@x>", i), fmt.Sprintf("<%d@x>", parent(i))
			st := &message.Structure{Envelope: message.Envelope{MessageID: &id, InReplyTo: &ref}}
			if err := b.add(uint32(i+1), &metadata.Message{InternalDate: testTime}, st); err != nil {
				t.Fatal(err)
			}
		}
		if got := written(b.build().write); strings.Count(got, " ")+strings.Count(got, "(") < n {
			t.Errorf("%s: %.100s", name, got)
		}
	}
}

func TestThreadLimits(t *testing.T) {
	b := newThreadBuilder("REFS")
	var err error
	var refs strings.Builder
	for i := 0; err == nil; i++ {
		if i > maxReferenced/maxReferences+1 {
			t.Fatal("messages without end are referred to")
		}
		refs.Reset()
		refs.WriteString("References:")
		for j := range 2 * maxReferences {
			fmt.Fprintf(&refs, " <%d.%d@x>", i, j)
		}
		err = b.add(uint32(i+1), &metadata.Message{}, message.Scan([]byte(refs.String()+"\r\n\r\n")))
	}
}

func BenchmarkThreadReferences(b *testing.B) {
	const n = 20_000
	structures := make([]*message.Structure, n)
	for i := range structures {
		structures[i] = message.Scan(fmt.Appendf(nil, "Message-ID: <%d@x>\r\nReferences: <%d@x> <%d@x> <%d@x>\r\nSubject: Re: subject %d\r\nDate: %s\r\n\r\n",
			i, i/10, i/5, i/2, i%5000, testTime.Add(time.Duration(i)*time.Minute).Format(time.RFC1123Z)))
	}
	row := &metadata.Message{InternalDate: testTime}
	b.ResetTimer()
	for b.Loop() {
		t := newThreadBuilder("REFERENCES")
		for i, st := range structures {
			if err := t.add(uint32(i+1), row, st); err != nil {
				b.Fatal(err)
			}
		}
		t.build()
	}
}
