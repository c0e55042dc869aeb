package metadatafault_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/integration/servers"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/metadatafault"
	"github.com/rookery-mail/rookery/metadata/metadatatest"
	"github.com/rookery-mail/rookery/metadata/sqlstore"
)

// engines are the databases the faults are injected into.
var engines = []struct {
	name  string
	suite func(*testing.T, func(*testing.T) metadata.Store)
	url   func(testing.TB) string
}{
	{"sqlite", metadatatest.Run, func(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "rookery.db") }},
	{"postgresql", metadatatest.Run, func(t testing.TB) string { return servers.PostgreSQL(t) }},
	// The code for CockroachDB where CockroachDB cannot be had.
	{"cockroachdb-code-on-postgresql", metadatatest.RunSequential, func(t testing.TB) string {
		return "cockroachdb" + strings.TrimPrefix(servers.PostgreSQL(t), "postgresql")
	}},
	{"cockroachdb", metadatatest.Run, func(t testing.TB) string {
		dsn, ok := servers.Cockroach(t)
		if !ok {
			t.Skip("no CockroachDB: set ROOKERY_TEST_COCKROACH_URL or put cockroach on PATH")
		}
		return "cockroachdb" + strings.TrimPrefix(dsn, "postgresql")
	}},
}

// outagePatience is how long a change in doubt goes on where nothing ever answers.
const outagePatience = 200 * time.Millisecond

func onEngines(t *testing.T, test func(t *testing.T, s metadata.Store, rules *metadatafault.Rules)) {
	onEnginesWith(t, sqlstore.Options{}, test)
}

// onEnginesWith is onEngines with other options than a node has.
func onEnginesWith(t *testing.T, o sqlstore.Options, test func(t *testing.T, s metadata.Store, rules *metadatafault.Rules)) {
	onEnginesWithSuite(t, o, func(t *testing.T, s metadata.Store, rules *metadatafault.Rules, _ func(*testing.T, func(*testing.T) metadata.Store)) {
		test(t, s, rules)
	})
}

// onEnginesWithSuite is onEngines for a test that runs the part of the suite that suits the engine.
func onEnginesWithSuite(t *testing.T, o sqlstore.Options, test func(*testing.T, metadata.Store, *metadatafault.Rules, func(*testing.T, func(*testing.T) metadata.Store))) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			rules := &metadatafault.Rules{}
			o.URL = e.url(t)
			s, err := metadatafault.Open(t.Context(), o, rules)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
			if err := s.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			test(t, s, rules, e.suite)
		})
	}
}

// TestConformanceUnderFaults runs the whole suite while something goes wrong again and again.
func TestConformanceUnderFaults(t *testing.T) {
	onEnginesWithSuite(t, sqlstore.Options{}, func(t *testing.T, s metadata.Store, rules *metadatafault.Rules, suite func(*testing.T, func(*testing.T) metadata.Store)) {
		for name, together := range map[string][]metadatafault.Rule{
			"Conflicts": {
				{Fault: metadatafault.Conflict, Nth: 1, Every: 7},
				{Fault: metadatafault.ConflictAtCommit, Nth: 2, Every: 5},
			},
			"Losses": {
				{Fault: metadatafault.LostStatement, Nth: 3, Every: 37},
				{Fault: metadatafault.LostBefore, Nth: 2, Every: 13},
				{Fault: metadatafault.LostAfter, Nth: 1, Every: 7},
			},
		} {
			t.Run(name, func(t *testing.T) {
				for _, rule := range together {
					rules.Add(rule)
				}
				run := suite
				if name == "Losses" {
					// A method gives up after some losses in a row, which one among many goroutines may meet.
					run = metadatatest.RunSequential
				}
				run(t, func(*testing.T) metadata.Store { return s })
				if n := rules.Clear(); n < 200 {
					t.Errorf("faults struck only %d times", n)
				}
			})
		}
	})
}

// scene is a mailbox with six messages, every second one \Deleted, and an empty one.
type scene struct {
	t         *testing.T
	s         metadata.Store
	account   metadata.AccountID
	address   string
	box, dest metadata.MailboxID
	item      metadata.AppendItem // not appended yet
	queued    metadata.OutboundID // see prepare
}

var at = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func newScene(t *testing.T, s metadata.Store) *scene {
	t.Helper()
	c := &scene{t: t, s: s, account: metadata.NewAccountID(), box: metadata.NewMailboxID(), dest: metadata.NewMailboxID()}
	c.address = c.account.String() + "@example.org"
	errs, err := s.CreateAccounts(t.Context(), []metadata.NewAccount{{ID: c.account, Address: c.address, Mailboxes: []metadata.NewMailbox{
		{ID: c.box, Name: "INBOX"}, {ID: c.dest, Name: "dest"},
	}}})
	c.must(err)
	c.must(errs[0])
	var items []metadata.AppendItem
	for i := range 6 {
		it := c.newItem()
		if i%2 == 1 {
			it.Flags = metadata.FlagDeleted
		}
		items = append(items, it)
	}
	_, err = s.Append(t.Context(), metadata.AppendBatch{Items: items})
	c.must(err)
	c.item = c.newItem()
	return c
}

func (c *scene) newItem() metadata.AppendItem {
	return metadata.AppendItem{
		Account: c.account, Mailbox: c.box, InternalDate: at, SaveDate: at,
		Body: metadata.Body{Account: c.account, ID: metadata.NewBodyID(at), Pack: metadata.NewPackID(at), Stored: 100},
	}
}

func (c *scene) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *scene) owner() metadata.ScriptOwner { return metadata.AccountScripts(c.account) }

func (c *scene) outbound() metadata.OutboundItem {
	return metadata.OutboundItem{ID: metadata.NewOutboundID(), Account: c.account, Kind: metadata.OutboundVacation, To: "a@example.org",
		Body: metadata.OutboundBody{Data: []byte("x"), Stored: 1}}
}

// outboundState is what can be seen of the account's part of the queue, and of its scripts.
func (c *scene) outboundState(ctx context.Context) (out string) {
	q := metadata.OutboundQuery{Limit: 1000, All: true}
	states := map[string]int{}
	for more := true; more; {
		items, err := c.s.Outbound(ctx, q)
		c.must(err)
		for _, it := range items {
			if q.After = it.ID; it.Account == c.account {
				states[fmt.Sprintf("%d/%d/%t", it.State, it.Attempts, it.Holder != "")]++
			}
		}
		more = len(items) == q.Limit
	}
	list, _, err := c.s.Scripts(ctx, c.owner())
	c.must(err)
	for _, sc := range list {
		out += fmt.Sprintf(" %s %d %t", sc.Name, sc.Size, sc.Active)
	}
	return fmt.Sprintf("queue %v scripts%s", states, out)
}

// state is what can be seen of the scene.
func (c *scene) state(ctx context.Context) string {
	boxes, err := c.s.Mailboxes(ctx, c.account)
	c.must(err)
	out := ""
	for _, b := range boxes {
		box, msgs, err := c.s.LoadMailbox(ctx, b.ID)
		c.must(err)
		out += fmt.Sprintf("%s next %d recent %d modseq %d:", box.Name, box.UIDNext, box.FirstRecent, box.HighestModSeq)
		for _, m := range msgs {
			out += fmt.Sprintf(" %d/%d/%d", m.UID, m.Flags, m.ModSeq)
		}
		ch, err := c.s.ChangesSince(ctx, b.ID, 0)
		c.must(err)
		out += fmt.Sprintf(" gone %v\n", ch.Vanished)
	}
	subs, err := c.s.Subscriptions(ctx, c.account)
	c.must(err)
	found, err := c.s.LookupAddresses(ctx, []string{c.address, "alias" + c.address})
	c.must(err)
	if a := found[c.address].Account; a != nil {
		out += fmt.Sprintf("clock %d used %d/%d quota %d hash %s\n", a.ModSeq, a.UsedBytes, a.UsedMessages, a.QuotaBytes, a.PasswordHash)
		metadatatest.Check(ctx, c.t, c.s, c.account)
	}
	out += c.outboundState(ctx) + "\n"
	domains, err := c.s.LookupDomains(ctx, []string{"domain." + c.address})
	c.must(err)
	for _, d := range domains {
		out += fmt.Sprintf("domain %v ", d.KeepCase)
	}
	annotations, err := c.s.Annotations(ctx, metadata.AnnotationQuery{Account: c.account, Mailboxes: []metadata.MailboxID{c.box, c.dest, metadata.ServerAnnotations},
		Below: []string{metadata.PrivateAnnotations, metadata.SharedAnnotations + "/" + c.account.String()}, MaxSize: 10})
	c.must(err)
	var annotated []string
	for _, a := range annotations {
		entry := strings.ReplaceAll(a.Entry, c.account.String(), "mine")
		annotated = append(annotated, fmt.Sprintf("%s of box %t dest %t: %s", entry, a.Mailbox == c.box, a.Mailbox == c.dest, a.Value))
	}
	slices.Sort(annotated)
	out += fmt.Sprintln(annotated)
	details, err := c.s.DetailMailboxes(ctx, []metadata.AccountID{c.account})
	c.must(err)
	return out + fmt.Sprintf("subscribed %v alias %v detail %d", subs, len(found["alias"+c.address].Targets), details[c.account])
}

// operations are all methods that change something, each with a result that can be compared.
var operations = []struct {
	name string
	do   func(context.Context, *scene) (string, error)
}{
	{"Append", func(ctx context.Context, c *scene) (string, error) {
		res, err := c.s.Append(ctx, metadata.AppendBatch{Items: []metadata.AppendItem{c.item}})
		if err != nil {
			return "", err
		}
		return fmt.Sprint(res[0].UID, res[0].ModSeq, res[0].Err), nil
	}},
	{"StoreFlags", func(ctx context.Context, c *scene) (string, error) {
		since := metadata.ModSeq(2)
		res, err := c.s.StoreFlags(ctx, metadata.StoreFlags{Account: c.account, Mailbox: c.box, UIDs: metadata.UIDSetOf(1, 2, 3, 9),
			Op: metadata.FlagsAdd, Flags: metadata.FlagDeleted, Keywords: []string{"k"}, UnchangedSince: &since})
		if err != nil {
			return "", err
		}
		return fmt.Sprint(res.ModSeq, len(res.Changed), len(res.Same), res.Modified, res.Missing), nil
	}},
	{"Copy", func(ctx context.Context, c *scene) (string, error) {
		return copyResult(c.s.Copy(ctx, c.copyRequest()))
	}},
	{"Move", func(ctx context.Context, c *scene) (string, error) {
		return copyResult(c.s.Move(ctx, c.copyRequest()))
	}},
	{"Replace", func(ctx context.Context, c *scene) (string, error) {
		res, err := c.s.Replace(ctx, metadata.ReplaceRequest{Account: c.account, Mailbox: c.box, UID: 2, Item: c.item,
			Pack: metadata.Pack{ID: c.item.Body.Pack, Size: 4096, Bodies: 1, Created: time.Unix(1, 0)}})
		if err != nil {
			return "", err
		}
		return fmt.Sprint(res.UID, res.ModSeq, res.SourceModSeq), nil
	}},
	{"Expunge", func(ctx context.Context, c *scene) (string, error) {
		res, err := c.s.Expunge(ctx, metadata.ExpungeRequest{Account: c.account, Mailbox: c.box, OnlyDeleted: true})
		if err != nil {
			return "", err
		}
		return fmt.Sprint(res.ModSeq, res.UIDs), nil
	}},
	{"ClaimRecent", func(ctx context.Context, c *scene) (string, error) {
		was, err := c.s.ClaimRecent(ctx, c.box)
		return fmt.Sprint(was), err
	}},
	{"CreateMailbox", func(ctx context.Context, c *scene) (string, error) {
		m, err := c.s.CreateMailbox(ctx, c.account, metadata.NewMailbox{ID: metadata.NewMailboxID(), Name: "new", Subscribed: true}, 3)
		if err != nil {
			return "", err
		}
		return fmt.Sprint(m.Name, m.UIDNext, m.HighestModSeq), nil
	}},
	{"DeleteMailbox", func(ctx context.Context, c *scene) (string, error) {
		return "", c.s.DeleteMailbox(ctx, c.account, c.box)
	}},
	{"RenameMailboxes", func(ctx context.Context, c *scene) (string, error) {
		return "", c.s.RenameMailboxes(ctx, c.account, []metadata.Rename{{ID: c.box, From: "INBOX", To: "dest"}, {ID: c.dest, From: "dest", To: "INBOX"}})
	}},
	{"Subscribe", func(ctx context.Context, c *scene) (string, error) {
		return "", c.s.Subscribe(ctx, c.account, "a", "b")
	}},
	{"SetPasswordHash", func(ctx context.Context, c *scene) (string, error) {
		return "", c.s.SetPasswordHash(ctx, c.account, "{X}y")
	}},
	{"SetQuota", func(ctx context.Context, c *scene) (string, error) {
		return "", c.s.SetQuota(ctx, c.account, 1000, 1000)
	}},
	{"SetAlias", func(ctx context.Context, c *scene) (string, error) {
		return "", c.s.SetAlias(ctx, metadata.Alias{Address: "alias" + c.address, Targets: []string{c.address}})
	}},
	{"RemoveAlias", func(ctx context.Context, c *scene) (string, error) {
		return "", c.s.RemoveAlias(ctx, "alias"+c.address)
	}},
	{"SetDomain", func(ctx context.Context, c *scene) (string, error) {
		return "", c.s.SetDomain(ctx, metadata.Domain{Name: "domain." + c.address, CatchAll: c.address, KeepCase: true})
	}},
	{"RemoveDomain", func(ctx context.Context, c *scene) (string, error) {
		return "", c.s.RemoveDomain(ctx, "domain."+c.address)
	}},
	{"SetAnnotations", func(ctx context.Context, c *scene) (string, error) {
		return "", c.s.SetAnnotations(ctx, metadata.SetAnnotations{Account: c.account, Mailbox: c.box, Owner: c.account, Changes: []metadata.AnnotationChange{
			{Entry: "/private/a", Value: []byte("1")}, {Entry: "/shared/" + c.account.String() + "/a", Value: []byte("2")}, {Entry: "/private/b"},
		}})
	}},
	{"SetServerAnnotations", func(ctx context.Context, c *scene) (string, error) {
		return "", c.s.SetAnnotations(ctx, metadata.SetAnnotations{Account: c.account, Changes: []metadata.AnnotationChange{
			{Entry: "/private/a", Value: []byte("1")}, {Entry: "/shared/" + c.account.String() + "/a", Value: []byte("2")},
		}})
	}},
	{"CopyAnnotations", func(ctx context.Context, c *scene) (string, error) {
		return "", c.s.CopyAnnotations(ctx, c.account, c.box, c.dest)
	}},
	{"SetDetailMailbox", func(ctx context.Context, c *scene) (string, error) {
		return "", c.s.SetDetailMailbox(ctx, c.account, metadata.Off)
	}},
	{"CreateAccounts", func(ctx context.Context, c *scene) (string, error) {
		id := metadata.NewAccountID()
		errs, err := c.s.CreateAccounts(ctx, []metadata.NewAccount{{ID: id, Address: "new" + c.address, Mailboxes: []metadata.NewMailbox{
			{ID: metadata.NewMailboxID(), Name: "INBOX"},
		}}})
		if err != nil {
			return "", err
		}
		metadatatest.Check(ctx, c.t, c.s, id)
		return fmt.Sprint(errs), nil
	}},
	{"RemoveAccount", func(ctx context.Context, c *scene) (string, error) {
		return "", c.s.RemoveAccount(ctx, c.account)
	}},
	{"AcquireLease", func(ctx context.Context, c *scene) (string, error) {
		return "", c.s.AcquireLease(ctx, c.address, "me", time.Hour)
	}},
	{"PutScript", func(ctx context.Context, c *scene) (string, error) {
		return "", c.s.PutScript(ctx, c.owner(), "new", "stop;", metadata.ScriptLimits{Scripts: 3})
	}},
	{"DeleteScript", func(ctx context.Context, c *scene) (string, error) {
		return "", c.s.DeleteScript(ctx, c.owner(), "other")
	}},
	{"RenameScript", func(ctx context.Context, c *scene) (string, error) {
		return "", c.s.RenameScript(ctx, c.owner(), "script", "new")
	}},
	{"ActivateScript", func(ctx context.Context, c *scene) (string, error) {
		return "", c.s.ActivateScript(ctx, c.owner(), "other")
	}},
	{"ClaimHandle", func(ctx context.Context, c *scene) (string, error) {
		first, err := c.s.ClaimHandle(ctx, c.account, metadata.Handle{1}, "m", time.Hour)
		return fmt.Sprint(first), err
	}},
	{"SettleHandles", func(ctx context.Context, c *scene) (string, error) {
		return "", c.s.SettleHandles(ctx, c.account, []metadata.HandleUse{{Handle: metadata.Handle{2}, TTL: time.Hour}})
	}},
	{"Enqueue", func(ctx context.Context, c *scene) (string, error) {
		once, other := c.outbound(), c.outbound()
		queued, err := c.s.Enqueue(ctx, []metadata.Enqueue{{Item: once, Once: &metadata.HandleUse{Handle: metadata.Handle{3}, TTL: time.Hour}}, {Item: other}})
		return fmt.Sprint(queued), err
	}},
	{"FinishOutbound", func(ctx context.Context, c *scene) (string, error) {
		return "", c.s.FinishOutbound(ctx, "me"+c.address, []metadata.OutboundResult{{ID: c.queued, State: metadata.OutboundFailed, Delay: time.Hour,
			Error: "no", Then: []metadata.Enqueue{{Item: c.outbound()}}}})
	}},
	{"RenewOutbound", func(ctx context.Context, c *scene) (string, error) {
		held, err := c.s.RenewOutbound(ctx, "me"+c.address, time.Hour, []metadata.OutboundID{c.queued})
		return fmt.Sprint(len(held)), err
	}},
	{"DropOutbound", func(ctx context.Context, c *scene) (string, error) {
		n, err := c.s.DropOutbound(ctx, []metadata.OutboundID{c.queued}, time.Hour)
		return fmt.Sprint(n), err
	}},
	{"ReleaseLease", func(ctx context.Context, c *scene) (string, error) {
		return "", c.s.ReleaseLease(ctx, c.address, "me")
	}},
}

func (c *scene) copyRequest() metadata.CopyRequest {
	return metadata.CopyRequest{Account: c.account, Source: c.box, UIDs: metadata.UIDSetOf(1, 2, 5), DestAccount: c.account, Dest: c.dest, SaveDate: at}
}

func copyResult(res *metadata.CopyResult, err error) (string, error) {
	if err != nil {
		return "", err
	}
	return fmt.Sprint(res.Source, res.Dest, res.SourceModSeq, res.DestModSeq), nil
}

// prepare makes the scene of an operation that needs more than a mailbox.
func (c *scene) prepare(op string) {
	switch op {
	case "RemoveAlias":
		c.must(c.s.SetAlias(c.t.Context(), metadata.Alias{Address: "alias" + c.address, Targets: []string{c.address}}))
	case "DeleteScript", "RenameScript", "ActivateScript":
		for _, name := range []string{"script", "other"} {
			c.must(c.s.PutScript(c.t.Context(), c.owner(), name, "keep;", metadata.ScriptLimits{}))
		}
		c.must(c.s.ActivateScript(c.t.Context(), c.owner(), "script"))
	case "FinishOutbound", "RenewOutbound", "DropOutbound":
		it := c.outbound()
		c.queued = it.ID
		_, err := c.s.Enqueue(c.t.Context(), []metadata.Enqueue{{Item: it}})
		c.must(err)
		for { // others' items may be due as well
			items, err := c.s.ClaimOutbound(c.t.Context(), "me"+c.address, time.Hour, 100)
			c.must(err)
			if len(items) == 0 {
				break
			}
		}
	case "SetAnnotations", "CopyAnnotations":
		c.must(c.s.SetAnnotations(c.t.Context(), metadata.SetAnnotations{Account: c.account, Mailbox: c.box, Owner: c.account,
			Changes: []metadata.AnnotationChange{{Entry: "/private/b", Value: []byte("0")}}}))
	case "RemoveDomain":
		c.must(c.s.SetDomain(c.t.Context(), metadata.Domain{Name: "domain." + c.address}))
	case "ReleaseLease":
		c.must(c.s.AcquireLease(c.t.Context(), c.address, "me", time.Hour))
	}
}

// TestEveryOperationSurvivesOneFault lets every fault strike at every moment of every operation: the result and what is
// stored are as without it.
func TestEveryOperationSurvivesOneFault(t *testing.T) {
	onEngines(t, func(t *testing.T, s metadata.Store, rules *metadatafault.Rules) {
		for _, op := range operations {
			t.Run(op.name, func(t *testing.T) {
				calm := newScene(t, s)
				calm.prepare(op.name)
				wantResult, err := op.do(t.Context(), calm)
				if err != nil {
					t.Fatal(err)
				}
				want := calm.state(t.Context())
				for _, fault := range []metadatafault.Fault{metadatafault.Conflict, metadatafault.ConflictAtCommit, metadatafault.LostStatement,
					metadatafault.LostBefore, metadatafault.LostAfter, metadatafault.Delay} {
					for nth := 1; ; nth++ {
						c := newScene(t, s)
						c.prepare(op.name)
						rules.Add(metadatafault.Rule{Fault: fault, Nth: nth, Delay: time.Millisecond})
						result, err := op.do(t.Context(), c)
						struck := rules.Clear() > 0
						if err != nil {
							t.Fatalf("fault %d at event %d: %v", fault, nth, err)
						}
						if result != wantResult {
							t.Fatalf("fault %d at event %d: result %s, want %s", fault, nth, result, wantResult)
						}
						if got := c.state(t.Context()); got != want {
							t.Fatalf("fault %d at event %d: stored is\n%s\nwant\n%s", fault, nth, got, want)
						}
						if !struck {
							break // the operation has no more events
						}
					}
				}
			})
		}
	})
}

// TestOutage loses every connection: methods answer Unavailable in bounded time, and what is stored is what was there, or all
// that was asked for.
func TestOutage(t *testing.T) {
	onEnginesWith(t, sqlstore.Options{Patience: outagePatience}, func(t *testing.T, s metadata.Store, rules *metadatafault.Rules) {
		for _, op := range operations {
			for _, fault := range []metadatafault.Fault{metadatafault.LostStatement, metadatafault.LostBefore} {
				c := newScene(t, s)
				c.prepare(op.name)
				before := c.state(t.Context())
				rules.Add(metadatafault.Rule{Fault: fault, Nth: 1, Times: 1 << 30})
				_, err := op.do(t.Context(), c)
				rules.Clear()
				if !mailerr.Is(err, mailerr.Unavailable) {
					t.Fatalf("%s: %v, want Unavailable", op.name, err)
				}
				if got := mailerr.ClientText(err); got != mailerr.Unavailable.String() {
					t.Fatalf("%s: the client is told %q", op.name, got)
				}
				if after := c.state(t.Context()); after != before {
					t.Fatalf("%s: stored is\n%s\nwas\n%s", op.name, after, before)
				}
			}
		}
	})
}

// TestAppendMayBeRepeated loses every answer of an Append, which gives up at last; the caller's repetition finds its message.
func TestAppendMayBeRepeated(t *testing.T) {
	onEngines(t, func(t *testing.T, s metadata.Store, rules *metadatafault.Rules) {
		c := newScene(t, s)
		rules.Add(metadatafault.Rule{Fault: metadatafault.LostAfter, Nth: 1, Times: 1 << 30})
		batch := metadata.AppendBatch{Items: []metadata.AppendItem{c.item}}
		_, err := s.Append(t.Context(), batch)
		rules.Clear()
		if !mailerr.Is(err, mailerr.Unavailable) {
			t.Fatalf("got %v, want Unavailable", err)
		}
		res, err := s.Append(t.Context(), batch)
		c.must(err)
		if res[0].Err != nil || res[0].UID != 7 {
			t.Fatalf("repeated: %+v", res[0])
		}
		box, msgs, err := s.LoadMailbox(t.Context(), c.box)
		c.must(err)
		if len(msgs) != 7 || box.UIDNext != 8 {
			t.Fatalf("%d messages, UIDNEXT %d", len(msgs), box.UIDNext)
		}
		metadatatest.Check(t.Context(), t, s, c.account)
	})
}

// TestDeadlineEndsRetries bounds a method by its context while conflicts go on.
func TestDeadlineEndsRetries(t *testing.T) {
	onEngines(t, func(t *testing.T, s metadata.Store, rules *metadatafault.Rules) {
		c := newScene(t, s)
		// A slow machine needs more time to come to a second attempt.
		for timeout := 50 * time.Millisecond; ; timeout *= 4 {
			rules.Add(metadatafault.Rule{Fault: metadatafault.Conflict, Nth: 1, Times: 1 << 30})
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			_, err := s.Append(ctx, metadata.AppendBatch{Items: []metadata.AppendItem{c.item}})
			cancel()
			n := rules.Clear()
			if !mailerr.Is(err, mailerr.Unavailable) {
				t.Fatalf("got %v, want Unavailable", err)
			}
			if n >= 2 {
				break
			}
			if timeout > 20*time.Second {
				t.Fatalf("within %v the conflict struck %d times", timeout, n)
			}
		}
	})
}
