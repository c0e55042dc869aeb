package imapd

import (
	"slices"
	"testing"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/metadata"
)

func TestPartialRange(t *testing.T) {
	for _, tc := range []struct {
		text     string
		n        int
		from, to int
	}{
		{"1:3", 10, 0, 3},
		{"3:1", 10, 0, 3},
		{"9:12", 10, 8, 10},
		{"11:12", 10, 0, 0},
		{"1:4294967295", 0, 0, 0},
		{"-1:-3", 10, 7, 10},
		{"-3:-1", 10, 7, 10},
		{"-9:-12", 10, 0, 2},
		{"-10:-10", 10, 0, 1},
		{"-11:-12", 10, 0, 0},
		{"-1:-4294967295", 10, 0, 10},
	} {
		r, err := parsePartial(wire.NewParser([]byte(" " + tc.text)))
		if err != nil || r.String() != tc.text {
			t.Errorf("%s is read as %v, %v", tc.text, r, err)
		}
		if from, to := r.of(tc.n); from != tc.from || to != tc.to {
			t.Errorf("%s of %d is [%d,%d), want [%d,%d)", tc.text, tc.n, from, to, tc.from, tc.to)
		}
	}
	for _, text := range []string{"", " ", " 1", " 1:", " 0:1", " 1:0", " -1:2", " 1:-2", " *:1", " 1:*", " -:1", " 4294967296:1", " --1:-2"} {
		if r, err := parsePartial(wire.NewParser([]byte(text))); err == nil {
			t.Errorf("%q is read as %v", text, r)
		}
	}
}

func TestPartialPick(t *testing.T) {
	set := metadata.UIDSet{{First: 5, Last: 7}, {First: 10, Last: 10}, {First: 20, Last: 4294967295 - 1}}
	small := metadata.UIDSet{{First: 5, Last: 7}, {First: 10, Last: 10}, {First: 20, Last: 24}}
	all := slices.Collect(small.All)
	for a := uint32(1); a <= 11; a++ {
		for b := uint32(1); b <= 11; b++ {
			for _, fromEnd := range []bool{false, true} {
				r := partialRange{a, b, fromEnd}
				from, to := r.of(len(all))
				if got := slices.Collect(r.pick(small).All); !slices.Equal(got, all[from:to]) {
					t.Errorf("%v picks %v, want %v", r, got, all[from:to])
				}
			}
		}
	}
	if got := (partialRange{3, 6, false}).pick(set); got.Len() != 4 {
		t.Errorf("picked %v", got)
	}
}
