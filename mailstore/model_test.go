package mailstore_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/integration/servers"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

var (
	modelSeed = flag.Uint64("model.seed", 0, "seed of the random operations; 0: by the clock")
	modelRuns = flag.Int("model.runs", 0, "how many runs of random operations; 0: a few")
)

// client is what a mail client knows: only what it was told.
type client struct {
	t     testing.TB
	c     *cluster
	rng   *rand.Rand
	name  string
	user  *mailstore.User
	store *mailstore.Store
	sel   *mailstore.Selected
	box   string
	uids  []metadata.UID
	flags map[metadata.UID]metadata.Flags
	log   []string
	n     int
}

func (cl *client) note(format string, args ...any) {
	cl.log = append(cl.log, fmt.Sprintf(format, args...))
	if len(cl.log) > 200 {
		cl.log = cl.log[100:]
	}
}

func (cl *client) fail(format string, args ...any) {
	cl.t.Helper()
	tail := cl.log[max(0, len(cl.log)-40):]
	cl.t.Errorf("%s: %s\nlatest:\n\t%s", cl.name, fmt.Sprintf(format, args...), strings.Join(tail, "\n\t"))
}

// check proves that every sequence number means to the server what it means to the client.
func (cl *client) check() {
	cl.t.Helper()
	if got := uidsOf(cl.sel); !slices.Equal(got, cl.uids) {
		cl.fail("the server's snapshot is %v, the client was told of %v", got, cl.uids)
	}
}

// learn fetches the flags of messages the client hears of for the first time.
func (cl *client) learn(from int) {
	if from >= len(cl.uids) {
		return
	}
	err := cl.sel.Messages(cl.c.ctx, metadata.UIDSetOf(cl.uids[from:]...), func(seq mailstore.SeqNum, m *metadata.Message, gone bool) bool {
		if cl.uids[seq-1] != m.UID {
			cl.fail("FETCH %d answered with UID %d, the client knows %d there", seq, m.UID, cl.uids[seq-1])
		}
		if !gone {
			cl.flags[m.UID] = m.Flags
		}
		return true
	})
	if err != nil {
		cl.fail("Messages: %v", err)
	}
}

func (cl *client) open() {
	if cl.sel != nil {
		cl.sel.Close()
		cl.sel = nil
	}
	cl.box = []string{"INBOX", "A", "B"}[cl.rng.IntN(3)]
	sel, err := cl.user.Open(cl.c.ctx, cl.box, mailstore.ReadWrite)
	if mailerr.Is(err, mailerr.NotFound) {
		cl.box = "INBOX"
		sel, err = cl.user.Open(cl.c.ctx, "INBOX", mailstore.ReadWrite)
	}
	if err != nil {
		cl.fail("Open: %v", err)
		return
	}
	cl.note("SELECT %s: %v", cl.box, uidsOf(sel))
	cl.sel, cl.uids, cl.flags = sel, uidsOf(sel), map[metadata.UID]metadata.Flags{}
	cl.learn(0)
}

func (cl *client) sync(o mailstore.SyncOptions) {
	u, err := cl.sel.Sync(cl.c.ctx, o)
	if err != nil {
		cl.fail("Sync: %v", err)
		return
	}
	cl.note("Sync %+v: %s", o, describe(u))
	if u.Gone {
		cl.open()
		return
	}
	if o.NoExpunge && len(u.Expunged) > 0 {
		cl.fail("expunges although they were to be withheld")
	}
	for _, e := range u.Expunged {
		if int(e.Seq) > len(cl.uids) || e.Seq == 0 || cl.uids[e.Seq-1] != e.UID {
			cl.fail("EXPUNGE %d (UID %d) of %v", e.Seq, e.UID, cl.uids)
			return
		}
		delete(cl.flags, e.UID)
		cl.uids = slices.Delete(cl.uids, int(e.Seq)-1, int(e.Seq))
	}
	before := len(cl.uids)
	if int(u.NumMessages) < before {
		cl.fail("EXISTS %d, the client knows %d", u.NumMessages, before)
	}
	if int(u.NumMessages) > before && !u.Exists {
		cl.fail("%d messages without EXISTS", u.NumMessages)
	}
	for seq := before + 1; seq <= int(u.NumMessages); seq++ {
		uid := cl.sel.UID(mailstore.SeqNum(seq))
		if n := len(cl.uids); n > 0 && uid <= cl.uids[n-1] {
			cl.fail("new message %d has UID %d, not above %d", seq, uid, cl.uids[n-1])
		}
		cl.uids = append(cl.uids, uid)
	}
	for _, m := range u.Flags {
		if !slices.Contains(cl.uids, m.UID) {
			cl.fail("flags of UID %d, which the client does not know", m.UID)
		}
		cl.flags[m.UID] = m.Flags
	}
	cl.check()
	cl.learn(before)
}

// pick returns some messages, half of the time by sequence number.
func (cl *client) pick() metadata.UIDSet {
	if len(cl.uids) == 0 {
		return nil
	}
	a, b := cl.rng.IntN(len(cl.uids)), cl.rng.IntN(len(cl.uids))
	a, b = min(a, b), min(max(a, b), min(a, b)+2)
	want := metadata.UIDSetOf(cl.uids[a : b+1]...)
	if cl.rng.IntN(2) == 0 {
		return want
	}
	got, ok := cl.sel.ResolveSeqs([]mailstore.SeqRange{{First: uint32(a + 1), Last: uint32(b + 1)}})
	if !ok || !slices.Equal(got, want) {
		cl.fail("numbers %d:%d mean UIDs %v (ok=%v), to the client they mean %v", a+1, b+1, got, ok, want)
	}
	return got
}

// step is one command.
func (cl *client) step() {
	if cl.sel == nil {
		cl.open()
		return
	}
	ctx := cl.c.ctx
	tolerate := func(what string, err error) {
		// What another session deleted may be missing.
		if err != nil && !mailerr.Is(err, mailerr.NotFound) && !mailerr.Is(err, mailerr.Exists) && !mailerr.Is(err, mailerr.Expunged) {
			cl.fail("%s: %v", what, err)
		}
	}
	box := []string{"INBOX", "A", "B"}[cl.rng.IntN(3)]
	switch op := cl.rng.IntN(100); {
	case op < 20:
		st, err := cl.store.Stage(ctx, strings.NewReader(mail(fmt.Sprint(cl.name, cl.n))), 0)
		if err != nil {
			cl.fail("Stage: %v", err)
			return
		}
		cl.n++
		d, err := cl.user.Append(ctx, box, st, mailstore.AppendOptions{})
		tolerate("Append", err)
		if err == nil {
			cl.note("APPEND %s: %d", box, d.UID)
		}
	case op < 45:
		req := mailstore.StoreFlagsRequest{
			UIDs: cl.pick(), Op: metadata.FlagOp(cl.rng.IntN(3)), Flags: metadata.Flags(1 << cl.rng.IntN(5)),
		}
		res, err := cl.sel.StoreFlags(ctx, req)
		tolerate("StoreFlags", err)
		if err == nil {
			cl.note("STORE.SILENT %v %d %b: modseq %d, %d changed", req.UIDs, req.Op, req.Flags, res.ModSeq, len(res.Changed))
			for _, m := range res.Changed {
				// Silent: the client only assumes that what it asked for happened to what it knew.
				switch req.Op {
				case metadata.FlagsReplace:
					cl.flags[m.UID] = req.Flags
				case metadata.FlagsAdd:
					cl.flags[m.UID] |= req.Flags
				case metadata.FlagsRemove:
					cl.flags[m.UID] &^= req.Flags
				}
			}
		}
		cl.sync(noExpunge)
	case op < 53:
		res, err := cl.sel.Copy(ctx, cl.pick(), box)
		tolerate("Copy", err)
		if err == nil {
			cl.note("COPY %v to %s %v", res.Source, box, res.Dest)
		}
	case op < 58:
		res, err := cl.sel.Move(ctx, cl.pick(), box)
		tolerate("Move", err)
		if err == nil {
			cl.note("MOVE %v to %s %v", res.Source, box, res.Dest)
		}
	case op < 64:
		res, err := cl.sel.Expunge(ctx, nil)
		tolerate("Expunge", err)
		if err == nil {
			cl.note("EXPUNGE: %v at %d", res.UIDs, res.ModSeq)
			in := cl.sel.Mailbox().ID
			cl.sync(mailstore.SyncOptions{})
			for _, uid := range cl.uids {
				// Another session may have deleted the mailbox meanwhile: then another one is selected now.
				if res.UIDs.Contains(uid) && cl.sel.Mailbox().ID == in {
					cl.fail("UID %d is still there after the session's own EXPUNGE", uid)
				}
			}
		}
	case op < 75:
		cl.learn(0)
		cl.sync(noExpunge)
	case op < 95:
		cl.sync(mailstore.SyncOptions{Fresh: cl.rng.IntN(2) == 0, NoExpunge: cl.rng.IntN(3) == 0})
	case op < 97:
		cl.open()
	case op < 98:
		tolerate("Rename", cl.user.Rename(ctx, "A", "B"))
		cl.note("RENAME A B")
	case op < 99:
		if err := cl.user.Delete(ctx, "B"); !mailerr.Is(err, mailerr.NotFound) {
			tolerate("Delete", err)
		}
		cl.note("DELETE B")
	default:
		_, err := cl.user.Create(ctx, []string{"A", "B"}[cl.rng.IntN(2)], "")
		tolerate("Create", err)
	}
}

// settle is the end: after a NOOP the client knows the truth, flags included.
func (cl *client) settle() {
	if cl.sel == nil {
		return
	}
	cl.sync(fresh)
	id := cl.sel.Mailbox().ID
	row, msgs, err := cl.c.meta.LoadMailbox(cl.c.ctx, id)
	if err != nil {
		cl.fail("LoadMailbox: %v", err)
		return
	}
	var truth []metadata.UID
	for _, m := range msgs {
		truth = append(truth, m.UID)
		if got, ok := cl.flags[m.UID]; !ok || got != m.Flags {
			cl.fail("UID %d has flags %b, the client was told %b (known: %v)", m.UID, m.Flags, got, ok)
		}
	}
	if !slices.Equal(truth, cl.uids) {
		cl.fail("the mailbox has %v, the client was told of %v", truth, cl.uids)
	}
	if m := cl.sel.Mailbox(); m.HighestModSeq != row.HighestModSeq || m.UIDNext != row.UIDNext || m.Messages != row.Messages {
		cl.fail("row %+v, want %+v", m, row)
	}
	cl.sel.Close()
}

func modelSeeds(t *testing.T, few int) []uint64 {
	if *modelSeed != 0 {
		return []uint64{*modelSeed}
	}
	if *modelRuns > 0 {
		few = *modelRuns
	}
	seeds := make([]uint64, few)
	for i := range seeds {
		seeds[i] = uint64(time.Now().UnixNano()) + uint64(i)
	}
	return seeds
}

// modelNodes are two nodes, by the seed with hints, without, and with so little memory that rows are always read again.
func modelNodes(c *cluster, rng *rand.Rand) []*mailstore.Store {
	kind := rng.IntN(4)
	return []*mailstore.Store{c.node(modelConfig(kind)), c.node(modelConfig(kind))}
}

func modelConfig(kind int) func(*mailstore.Config) {
	return func(cfg *mailstore.Config) {
		cfg.PollHealthy, cfg.PollUnhealthy = time.Hour, time.Hour
		if kind&1 != 0 {
			cfg.Notify = deaf{}
		}
		if kind&2 != 0 {
			cfg.ViewBytes = 1
		}
	}
}

func newClients(t *testing.T, c *cluster, rng *rand.Rand, nodes []*mailstore.Store) []*client {
	account := c.account("A", "B")
	clients := make([]*client, 5)
	for i := range clients {
		s := nodes[i%len(nodes)]
		clients[i] = &client{
			t: t, c: c, rng: rand.New(rand.NewPCG(rng.Uint64(), rng.Uint64())), name: fmt.Sprintf("session %d", i), user: s.User(account), store: s,
		}
	}
	return clients
}

// TestModelInTurn runs commands of several sessions one after the other: what a seed finds, the seed finds again.
func TestModelInTurn(t *testing.T) {
	for _, seed := range modelSeeds(t, 8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 1))
			c := newCluster(t)
			clients := newClients(t, c, rng, modelNodes(c, rng))
			for range 400 {
				clients[rng.IntN(len(clients))].step()
				if t.Failed() {
					t.Fatalf("run again with -model.seed=%d", seed)
				}
			}
			for _, cl := range clients {
				cl.settle()
			}
		})
	}
}

// TestModelAtOnce runs the sessions side by side.
func TestModelAtOnce(t *testing.T) {
	for _, seed := range modelSeeds(t, 6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { atOnce(t, newCluster(t), seed) })
	}
}

// TestModelAtOnceOnPostgreSQL is the same where transactions really run beside each other.
func TestModelAtOnceOnPostgreSQL(t *testing.T) {
	c := newClusterOn(t, openURL(t, servers.PostgreSQL(t)))
	for _, seed := range modelSeeds(t, 6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { atOnce(t, c, seed) })
	}
}

func atOnce(t *testing.T, c *cluster, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 2))
	clients := newClients(t, c, rng, modelNodes(c, rng))
	var wg sync.WaitGroup
	for _, cl := range clients {
		wg.Go(func() {
			for range 120 {
				if cl.step(); t.Failed() {
					return
				}
			}
		})
	}
	wg.Wait()
	for _, cl := range clients {
		cl.settle()
	}
}
