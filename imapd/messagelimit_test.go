package imapd

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/rookery-mail/rookery/metadata"
)

func randomUIDs(random *rand.Rand) []metadata.UID {
	var uids []metadata.UID
	for uid := metadata.UID(1); uid < 40; uid++ {
		if random.IntN(3) > 0 {
			uids = append(uids, uid)
		}
	}
	return uids
}

func TestLastOf(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		uids := randomUIDs(random)
		whole := metadata.UIDSetOf(uids...)
		for n := 1; n < len(uids); n++ {
			if got := slices.Collect(lastOf(whole, n).All); !slices.Equal(got, uids[len(uids)-n:]) {
				t.Fatalf("the last %d of %v are %v", n, uids, got)
			}
		}
		if got := slices.Collect(whole.All); !slices.Equal(got, uids) {
			t.Fatalf("%v was changed to %v", uids, got)
		}
	}
}

func TestIntersect(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		a, b := randomUIDs(random), randomUIDs(random)
		var want []metadata.UID
		for _, uid := range a {
			if slices.Contains(b, uid) {
				want = append(want, uid)
			}
		}
		if got := slices.Collect(intersect(metadata.UIDSetOf(a...), metadata.UIDSetOf(b...)).All); !reflect.DeepEqual(got, want) {
			t.Fatalf("%v and %v have %v in common, not %v", a, b, want, got)
		}
	}
}

func TestLimitCapability(t *testing.T) {
	for _, c := range []struct {
		command, save int
		want          string
	}{
		{0, 0, ""},
		{1000, 0, " MESSAGELIMIT=1000"},
		{0, 2000, " SAVELIMIT=2000"},
		{1000, 2000, " MESSAGELIMIT=1000"}, // never both
	} {
		s := &session{srv: &Server{cfg: Config{MaxMessagesPerCommand: c.command, MaxMessagesPerSave: c.save}}}
		if got := s.limitCapability(); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}
