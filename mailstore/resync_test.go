package mailstore_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// offline is a client that uses QRESYNC: what it has of a mailbox, and up to which MODSEQ.
type offline struct {
	modSeq metadata.ModSeq
	has    map[metadata.UID]string // UID -> flags and keywords
	sel    *mailstore.Selected     // nil while it is not connected
}

func flagsOf(m *metadata.Message) string { return fmt.Sprintf("%d %s", m.Flags, m.Keywords) }

func (cl *offline) uids() []metadata.UID { return slices.Sorted(maps.Keys(cl.has)) }

// sample returns message sequence match data: some of the client's sequence numbers and their UIDs.
func (cl *offline) sample(rng *rand.Rand) (seqs, uids []mailstore.SeqRange) {
	for i, uid := range cl.uids() {
		if rng.IntN(3) > 0 {
			continue
		}
		seq := uint32(i + 1)
		seqs = appendNumber(seqs, seq)
		uids = appendNumber(uids, uint32(uid))
	}
	return seqs, uids
}

func appendNumber(ranges []mailstore.SeqRange, n uint32) []mailstore.SeqRange {
	if k := len(ranges); k > 0 && ranges[k-1].Last+1 == n {
		ranges[k-1].Last = n
		return ranges
	}
	return append(ranges, mailstore.SeqRange{First: n, Last: n})
}

// resync opens the mailbox and brings the client to the present as RFC 7162 has it.
func (cl *offline) resync(t *testing.T, c *cluster, u *mailstore.User, rng *rand.Rand) {
	t.Helper()
	cl.sel = c.open(u, "INBOX")
	req := mailstore.VanishedRequest{Since: cl.modSeq}
	wanted := cl.sel.AllUIDs()
	partly := rng.IntN(2) == 0
	if partly { // the client says which UIDs it has, and asks for the new ones by itself
		req.UIDs = metadata.UIDSetOf(cl.uids()...)
		if req.UIDs == nil {
			req.UIDs = metadata.UIDSet{}
		}
		wanted = req.UIDs
	}
	if rng.IntN(2) == 0 {
		req.KnownUpTo = cl.sel.MatchUpTo(cl.sample(rng))
	}
	gone, err := cl.sel.Vanished(c.ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	for uid := range gone.All {
		if cl.sel.Seq(uid) != 0 {
			t.Fatalf("UID %d vanished and is there", uid)
		}
		delete(cl.has, uid)
	}
	take := func(seq mailstore.SeqNum, m *metadata.Message, gone bool) bool {
		if gone || cl.sel.Seq(m.UID) != seq {
			t.Fatalf("UID %d: gone %v, sequence number %d, want %d", m.UID, gone, seq, cl.sel.Seq(m.UID))
		}
		cl.has[m.UID] = flagsOf(m)
		return true
	}
	if err := cl.sel.MessagesSince(c.ctx, wanted, cl.modSeq, take); err != nil {
		t.Fatal(err)
	}
	if partly {
		var fresh []metadata.UID
		for uid := range cl.sel.AllUIDs().All {
			if _, ok := cl.has[uid]; !ok {
				fresh = append(fresh, uid)
			}
		}
		if err := cl.sel.Messages(c.ctx, metadata.UIDSetOf(fresh...), take); err != nil {
			t.Fatal(err)
		}
	}
	cl.modSeq = cl.sel.Mailbox().HighestModSeq
}

// sync hears what happened meanwhile, perhaps without expunges.
func (cl *offline) sync(t *testing.T, c *cluster, o mailstore.SyncOptions) {
	t.Helper()
	up := c.sync(cl.sel, o)
	for _, e := range up.Expunged {
		delete(cl.has, e.UID)
	}
	for i := range up.Flags {
		cl.has[up.Flags[i].UID] = flagsOf(&up.Flags[i])
	}
	var fresh []metadata.UID
	for uid := range cl.sel.AllUIDs().All {
		if _, ok := cl.has[uid]; !ok {
			fresh = append(fresh, uid)
		}
	}
	err := cl.sel.Messages(c.ctx, metadata.UIDSetOf(fresh...), func(_ mailstore.SeqNum, m *metadata.Message, gone bool) bool {
		if !gone {
			cl.has[m.UID] = flagsOf(m)
		} else {
			cl.has[m.UID] = "gone"
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	cl.modSeq, _ = cl.sel.ToldUpTo()
}

// TestResynchronize lets sessions on two nodes change a mailbox at random, and clients with random states of knowledge
// come back to it, while the expunge log is purged at random MODSEQs. Each client must end with exactly what is there.
func TestResynchronize(t *testing.T) {
	purges := 0
	for _, seed := range modelSeeds(t, 6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 0))
			purges += resynchronize(t, newCluster(t), rng, 250)
			if t.Failed() {
				t.Logf("run again with -model.seed=%d", seed)
			}
		})
	}
	if purges == 0 && *modelSeed == 0 {
		t.Error("nothing was ever purged")
	}
}

// resynchronize is one history; it returns how often expunges were purged.
func resynchronize(t *testing.T, c *cluster, rng *rand.Rand, steps int) (purges int) {
	nodes := modelNodes(c, rng)
	account := c.account("Other")
	pick := func() (*mailstore.Store, *mailstore.User) {
		n := nodes[rng.IntN(len(nodes))]
		return n, n.User(account)
	}
	clients := make([]*offline, 4)
	for i := range clients {
		clients[i] = &offline{has: map[metadata.UID]string{}}
	}
	var writers []*mailstore.Selected
	for _, n := range nodes {
		writers = append(writers, c.open(n.User(account), "INBOX"))
	}
	box := writers[0].Mailbox()
	for range steps {
		n, u := pick()
		w := writers[rng.IntN(len(writers))]
		uids := some(rng, w)
		switch k := rng.IntN(20); {
		case k < 5:
			c.append(u, n, "INBOX", mail("x"))
		case k < 10:
			_, err := w.StoreFlags(c.ctx, mailstore.StoreFlagsRequest{UIDs: uids, Op: metadata.FlagOp(rng.IntN(3)),
				Flags: metadata.Flags(rng.IntN(32)), Keywords: []string{"a", "b"}[:rng.IntN(3)]})
			if err != nil {
				t.Fatal(err)
			}
		case k < 12:
			if _, err := w.ExpungeAll(c.ctx, uids); err != nil {
				t.Fatal(err)
			}
		case k == 12 && len(uids) > 0:
			if _, err := w.Move(c.ctx, uids, "Other"); err != nil {
				t.Fatal(err)
			}
		case k == 13 && len(uids) > 0:
			if _, err := w.Copy(c.ctx, uids, "INBOX"); err != nil {
				t.Fatal(err)
			}
		case k == 14:
			now, err := c.meta.MailboxByID(c.ctx, box.ID)
			if err != nil {
				t.Fatal(err)
			}
			purged, err := c.meta.PurgeExpunged(c.ctx, metadata.PurgeExpunged{Account: account, Mailbox: box.ID,
				UpTo: metadata.ModSeq(rng.Uint64N(uint64(now.HighestModSeq) + 1)), Before: time.Now().Add(time.Hour)})
			if err != nil {
				t.Fatal(err)
			}
			purges += min(purged, 1)
		case k == 15:
			c.sync(w, mailstore.SyncOptions{Fresh: true})
		default:
			cl := clients[rng.IntN(len(clients))]
			switch {
			case cl.sel == nil:
				cl.resync(t, c, u, rng)
			case rng.IntN(3) == 0: // the connection breaks
				cl.sel.Close()
				cl.sel = nil
			default:
				cl.sync(t, c, mailstore.SyncOptions{Fresh: rng.IntN(2) == 0, NoExpunge: rng.IntN(2) == 0})
			}
		}
	}
	want := map[metadata.UID]string{}
	now, rows, err := c.meta.LoadMailbox(c.ctx, box.ID)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		want[rows[i].UID] = flagsOf(&rows[i])
	}
	for i, cl := range clients {
		if cl.sel != nil {
			cl.sel.Close()
		}
		_, u := pick()
		cl.resync(t, c, u, rng)
		if !maps.Equal(cl.has, want) {
			t.Errorf("client %d has %v, want %v", i, cl.has, want)
		}
		if cl.modSeq != now.HighestModSeq {
			t.Errorf("client %d is at %d, want %d", i, cl.modSeq, now.HighestModSeq)
		}
		cl.sel.Close()
	}
	for _, w := range writers {
		w.Close()
	}
	return purges
}

// some returns some messages of the session's snapshot.
func some(rng *rand.Rand, sel *mailstore.Selected) metadata.UIDSet {
	var uids []metadata.UID
	for uid := range sel.AllUIDs().All {
		if rng.IntN(6) == 0 {
			uids = append(uids, uid)
		}
	}
	return metadata.UIDSetOf(uids...)
}

func TestMatchUpTo(t *testing.T) {
	c := newCluster(t)
	n := c.node(nil)
	u := n.User(c.account())
	for range 12 {
		c.append(u, n, "INBOX", mail("x"))
	}
	sel := c.open(u, "INBOX")
	defer sel.Close()
	if _, err := sel.ExpungeAll(c.ctx, metadata.UIDSetOf(3, 7, 8)); err != nil {
		t.Fatal(err)
	}
	c.sync(sel, mailstore.SyncOptions{})
	// 1 2 4 5 6 9 10 11 12
	r := func(n ...uint32) (ranges []mailstore.SeqRange) {
		for i := 0; i < len(n); i += 2 {
			ranges = append(ranges, mailstore.SeqRange{First: n[i], Last: n[i+1]})
		}
		return ranges
	}
	for _, tc := range []struct {
		seqs, uids []mailstore.SeqRange
		want       metadata.UID
	}{
		{nil, nil, 0},
		{r(1, 12), r(1, 12), 2},
		{r(1, 2), r(1, 2), 2},
		{r(3, 5), r(4, 6), 6},
		{r(3, 7), r(4, 8), 6},
		{r(3, 3), r(3, 3), 0},
		{r(1, 1, 3, 3), r(1, 1, 3, 3), 1},
		{r(6, 9), r(9, 12), 12},
		{r(1, 9), r(1, 2, 4, 6, 9, 12), 12},
		{r(1, 2, 3, 5, 6, 9), r(1, 4, 5, 9), 2},
		{r(9, 200), r(12, 203), 12},
		{r(10, 4294967295), r(10, 4294967295), 0},
		{r(1, 4294967295), r(1, 4294967295), 2},
	} {
		if got := sel.MatchUpTo(tc.seqs, tc.uids); got != tc.want {
			t.Errorf("%v with %v match up to %d, want %d", tc.seqs, tc.uids, got, tc.want)
		}
	}
}
