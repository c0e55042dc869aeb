package imapd

import (
	"slices"
	"testing"

	"github.com/rookery-mail/rookery/metadata"
)

func TestWindows(t *testing.T) {
	const top = metadata.UID(1<<32 - 1)
	set := metadata.UIDSet{{First: 1, Last: 5}, {First: 7, Last: 7}, {First: 10, Last: 12}, {First: top - 1, Last: top}}
	for n := 1; n <= 12; n++ {
		var got []metadata.UID
		for w := range windows(set, n) {
			if w.Len() > n {
				t.Fatalf("a window of %d UIDs, at most %d wanted", w.Len(), n)
			}
			if w.Len() < n && len(got)+w.Len() < set.Len() {
				t.Fatalf("window %v is not full", w)
			}
			for u := range w.All {
				got = append(got, u)
			}
		}
		if want := slices.Collect(set.All); !slices.Equal(got, want) {
			t.Errorf("windows of %d: %v, want %v", n, got, want)
		}
	}
	for range windows(nil, 3) {
		t.Error("the empty set has a window")
	}
	for range windows(set, 2) {
		break // must not be yielded to again
	}
}

func TestSetWriter(t *testing.T) {
	for _, c := range []struct {
		in   []metadata.UID
		want string
	}{
		{nil, ""},
		{[]metadata.UID{7}, "7"},
		{[]metadata.UID{1, 2, 3, 5, 7, 8, 4294967295}, "1:3,5,7:8,4294967295"},
		{[]metadata.UID{4, 4, 5}, "4:5"},
	} {
		if got := formatUIDs(c.in); got != c.want {
			t.Errorf("formatUIDs(%v) = %q, want %q", c.in, got, c.want)
		}
	}
}
