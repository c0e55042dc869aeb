package mailstore_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// neighbours are accounts of one domain, and one of another.
type neighbours struct {
	*cluster
	owner, guest, third, stranger metadata.AccountID
}

func addressOf(id metadata.AccountID) string { return id.String() + "@example.org" }

func newNeighbours(t testing.TB) *neighbours {
	c := newCluster(t)
	n := &neighbours{cluster: c, owner: c.account("Box", "Box/Below", "Secret"), guest: c.account("Mine"), third: c.account()}
	n.stranger = metadata.NewAccountID()
	errs, err := c.meta.CreateAccounts(c.ctx, []metadata.NewAccount{{ID: n.stranger, Address: "s@example.net", Mailboxes: []metadata.NewMailbox{
		{ID: metadata.NewMailboxID(), Name: "INBOX"},
	}}})
	if err != nil || errs[0] != nil {
		t.Fatal(err, errs)
	}
	return n
}

// foreign is the name by which others know the owner's mailbox.
func (n *neighbours) foreign(name string) string {
	return mailstore.OtherUsers + "/" + addressOf(n.owner) + "/" + name
}

func (n *neighbours) give(s *mailstore.Store, name string, to metadata.AccountID, rights metadata.Rights) {
	n.t.Helper()
	err := s.User(n.owner).SetACL(n.ctx, name, mailstore.Grantee{Address: addressOf(to)}, metadata.RightsReplace, rights)
	if err != nil {
		n.t.Fatal(err)
	}
}

// attempt is something somebody may try with the mailbox of another.
type attempt struct {
	name string
	need metadata.Rights // to succeed
	// either: of these one is needed too; 0: none.
	either metadata.Rights
	// do tries it with a mailbox's name. A mailbox that is open was opened with all rights, before they were taken away.
	do func(u *mailstore.User, name string, open *mailstore.Selected) error
	// selected: it needs the open mailbox, whose existence the user knows of.
	selected bool
	// hidden: a mailbox that is not seen is refused, like one that is not there, by Permission.
	hidden bool
}

// allowed reports whether somebody with the rights may do it.
func (a *attempt) allowed(rights metadata.Rights) bool {
	return rights.Has(a.need) && (a.either == 0 || rights&a.either != 0)
}

func attempts(n *neighbours, s *mailstore.Store) []attempt {
	all := metadata.UIDSet{{First: 1, Last: 1 << 31}}
	store := func(op metadata.FlagOp, flags metadata.Flags, keywords ...string) func(*mailstore.User, string, *mailstore.Selected) error {
		return func(_ *mailstore.User, _ string, sel *mailstore.Selected) error {
			_, err := sel.StoreFlags(n.ctx, mailstore.StoreFlagsRequest{UIDs: all, Op: op, Flags: flags, Keywords: keywords})
			return err
		}
	}
	grantee := mailstore.Grantee{Address: addressOf(n.third)}
	return []attempt{
		{name: "Open", need: metadata.RightRead, do: func(u *mailstore.User, name string, _ *mailstore.Selected) error {
			sel, err := u.Open(n.ctx, name, mailstore.ReadWrite)
			if err == nil {
				sel.Close()
			}
			return err
		}},
		{name: "Mailbox", need: metadata.RightRead, do: func(u *mailstore.User, name string, _ *mailstore.Selected) error {
			_, err := u.Mailbox(n.ctx, name)
			return err
		}},
		{name: "Append", need: metadata.RightInsert, do: func(u *mailstore.User, name string, _ *mailstore.Selected) error {
			_, err := u.Append(n.ctx, name, n.stage(s, mail("appended")), mailstore.AppendOptions{})
			return err
		}},
		{name: "NewBatch", need: metadata.RightInsert, do: func(u *mailstore.User, name string, _ *mailstore.Selected) error {
			b, err := u.NewBatch(n.ctx, name)
			if err == nil {
				b.Discard()
			}
			return err
		}},
		{name: "Message", need: metadata.RightRead, do: func(u *mailstore.User, name string, _ *mailstore.Selected) error {
			_, err := u.Message(n.ctx, name, 0, 1)
			return err
		}},
		{name: "Replace", need: metadata.RightRead | metadata.RightTrash | metadata.RightExpunge, selected: true, do: func(_ *mailstore.User, _ string, sel *mailstore.Selected) error {
			_, err := sel.Replace(n.ctx, 1, "Mine", n.stage(s, mail("new")), mailstore.AppendOptions{})
			return err
		}},
		{name: "Room", need: metadata.RightInsert, do: func(u *mailstore.User, name string, _ *mailstore.Selected) error {
			return u.Room(n.ctx, name, 1)
		}},
		{name: "Batch", need: metadata.RightInsert, do: func(u *mailstore.User, name string, _ *mailstore.Selected) error {
			b, err := u.NewBatch(n.ctx, name)
			if err != nil {
				return err
			}
			if err := b.Add(n.ctx, n.stage(s, mail("one of a batch")), mailstore.AppendOptions{}); err != nil {
				return err
			}
			_, err = b.Commit(n.ctx)
			return err
		}},
		{name: "QuotaOf", need: metadata.RightRead, do: func(u *mailstore.User, name string, _ *mailstore.Selected) error {
			_, err := u.QuotaOf(n.ctx, name)
			return err
		}},
		{name: "Copy to", need: metadata.RightInsert, do: func(u *mailstore.User, name string, _ *mailstore.Selected) error {
			sel := n.open(u, "Mine")
			_, err := sel.Copy(n.ctx, all, name)
			return err
		}},
		{name: "Create below", need: metadata.RightCreate, hidden: true, do: func(u *mailstore.User, name string, _ *mailstore.Selected) error {
			_, err := u.Create(n.ctx, name+"/"+metadata.NewMailboxID().String(), "")
			return err
		}},
		{name: "Rename", need: metadata.RightDelete | metadata.RightCreate, do: func(u *mailstore.User, name string, _ *mailstore.Selected) error {
			// To a name below itself: refused as Invalid, when nothing else refuses it.
			err := u.Rename(n.ctx, name, name+"/below")
			if mailerr.Is(err, mailerr.Invalid) {
				return nil
			}
			return err
		}},
		{name: "ACL", need: metadata.RightAdmin, do: func(u *mailstore.User, name string, _ *mailstore.Selected) error {
			_, _, err := u.ACL(n.ctx, name)
			return err
		}},
		{name: "SetACL", need: metadata.RightAdmin, do: func(u *mailstore.User, name string, _ *mailstore.Selected) error {
			return u.SetACL(n.ctx, name, grantee, metadata.RightsAdd, metadata.RightPost)
		}},
		{name: "GrantableRights", need: metadata.RightAdmin, do: func(u *mailstore.User, name string, _ *mailstore.Selected) error {
			_, _, _, err := u.GrantableRights(n.ctx, name, grantee)
			return err
		}},
		{name: "Read", need: metadata.RightRead, selected: true, do: func(_ *mailstore.User, _ string, sel *mailstore.Selected) error {
			return sel.Messages(n.ctx, all, func(_ mailstore.SeqNum, m *metadata.Message, _ bool) bool { return true })
		}},
		{name: "Bodies", need: metadata.RightRead, selected: true, do: func(_ *mailstore.User, _ string, sel *mailstore.Selected) error {
			_, err := sel.Bodies(n.ctx, []metadata.BodyID{{1}})
			return err
		}},
		{name: "Sync", need: metadata.RightRead, selected: true, do: func(_ *mailstore.User, _ string, sel *mailstore.Selected) error {
			up, err := sel.Sync(n.ctx, mailstore.SyncOptions{})
			if err == nil && up.Gone {
				err = mailerr.New("Sync", mailerr.NotFound, "")
			}
			return err
		}},
		{name: "Copy from", need: metadata.RightRead, selected: true, do: func(_ *mailstore.User, _ string, sel *mailstore.Selected) error {
			_, err := sel.Copy(n.ctx, all, "Mine")
			return err
		}},
		{name: "MessagesSince", need: metadata.RightRead, selected: true, do: func(_ *mailstore.User, _ string, sel *mailstore.Selected) error {
			return sel.MessagesSince(n.ctx, all, 1, func(_ mailstore.SeqNum, m *metadata.Message, _ bool) bool { return true })
		}},
		{name: "Vanished", need: metadata.RightRead, selected: true, do: func(_ *mailstore.User, _ string, sel *mailstore.Selected) error {
			_, err := sel.Vanished(n.ctx, mailstore.VanishedRequest{Since: 1})
			return err
		}},
		{name: "Store \\Seen", need: metadata.RightRead | metadata.RightSeen, selected: true, do: store(metadata.FlagsAdd, metadata.FlagSeen)},
		{name: "Store \\Deleted", need: metadata.RightRead | metadata.RightTrash, selected: true, do: store(metadata.FlagsRemove, metadata.FlagDeleted)},
		{name: "Store \\Flagged", need: metadata.RightRead | metadata.RightWrite, selected: true, do: store(metadata.FlagsAdd, metadata.FlagFlagged)},
		{name: "Store keyword", need: metadata.RightRead | metadata.RightWrite, selected: true, do: store(metadata.FlagsAdd, 0, "$Label")},
		{name: "Expunge", need: metadata.RightRead | metadata.RightExpunge, selected: true, do: func(_ *mailstore.User, _ string, sel *mailstore.Selected) error {
			_, err := sel.Expunge(n.ctx, nil)
			return err
		}},
		{name: "ExpungeAll", need: metadata.RightRead | metadata.RightExpunge, selected: true, do: func(_ *mailstore.User, _ string, sel *mailstore.Selected) error {
			_, err := sel.ExpungeAll(n.ctx, metadata.UIDSet{{First: 1 << 30, Last: 1 << 30}})
			return err
		}},
		{name: "Move from", need: metadata.RightRead | metadata.RightExpunge | metadata.RightTrash, selected: true, do: func(_ *mailstore.User, _ string, sel *mailstore.Selected) error {
			_, err := sel.Move(n.ctx, metadata.UIDSet{{First: 1 << 30, Last: 1 << 30}}, "Mine")
			return err
		}},
		{name: "Annotations", need: metadata.RightLookup, either: annotators, do: func(u *mailstore.User, name string, _ *mailstore.Selected) error {
			_, err := u.Annotations(n.ctx, name, []string{"/shared/comment"}, mailstore.AnnotationOptions{})
			return err
		}},
		{name: "SetAnnotations private", need: metadata.RightLookup, either: annotators, do: func(u *mailstore.User, name string, _ *mailstore.Selected) error {
			return annotateAs(n.ctx, u, name, "/private/comment")
		}},
		{name: "SetAnnotations shared", need: metadata.RightLookup | metadata.RightWrite, do: func(u *mailstore.User, name string, _ *mailstore.Selected) error {
			return annotateAs(n.ctx, u, name, "/private/comment", "/shared/comment")
		}},
		{name: "Delete", need: metadata.RightDelete, do: func(u *mailstore.User, name string, _ *mailstore.Selected) error {
			return u.Delete(n.ctx, name)
		}},
	}
}

// TestEachRightIsNeeded tries everything with exactly the rights it needs, with all but one of those, and with random ones. A
// mailbox that may not be seen is answered exactly like one that does not exist.
func TestEachRightIsNeeded(t *testing.T) {
	n := newNeighbours(t)
	now := time.Now()
	s := n.node(func(c *mailstore.Config) { c.Now = func() time.Time { return now } })
	guest := s.User(n.guest)
	n.append(guest, s, "Mine", mail("mine"))
	for _, a := range attempts(n, s) {
		t.Run(a.name, func(t *testing.T) {
			sets := []metadata.Rights{a.need, metadata.AllRights, 0, a.need | metadata.RightLookup, metadata.AllRights &^ metadata.RightLookup}
			for bit := metadata.Rights(1); bit <= metadata.AllRights; bit <<= 1 {
				if a.need&bit != 0 {
					sets = append(sets, metadata.AllRights&^bit, metadata.AllRights&^bit&^metadata.RightLookup, a.need&^bit)
				}
			}
			for bit := metadata.Rights(1); bit <= metadata.AllRights; bit <<= 1 {
				if a.either != 0 {
					sets = append(sets, a.need|bit)
				}
			}
			r := rand.New(rand.NewPCG(1, uint64(len(a.name))))
			for range 10 {
				sets = append(sets, metadata.Rights(r.UintN(uint(metadata.AllRights)+1)))
			}
			for _, rights := range sets {
				name := "T" + metadata.NewMailboxID().String()
				if _, err := s.User(n.owner).Create(n.ctx, name, ""); err != nil {
					t.Fatal(err)
				}
				n.append(s.User(n.owner), s, name, mail("secret"))
				var open *mailstore.Selected
				if a.selected {
					n.give(s, name, n.guest, metadata.AllRights)
					open = n.open(guest, n.foreign(name))
				}
				n.give(s, name, n.guest, rights)
				now = now.Add(time.Minute) // what was known of rights is too old
				err := a.do(guest, n.foreign(name), open)
				checkRefusal(t, &a, rights, err)
				told := a.name == "Rename" && rights.Has(metadata.RightDelete) // who may delete it may know that it is there
				if !a.selected && !rights.Has(metadata.RightLookup) && !a.allowed(rights) && !told {
					missing := a.do(guest, n.foreign("Missing"), nil)
					if mailerr.KindOf(missing) != mailerr.KindOf(err) || mailerr.ClientText(missing) != mailerr.ClientText(err) {
						t.Errorf("with %q: %v, a mailbox that is not there: %v", rights, err, missing)
					}
				}
				if open != nil {
					open.Close()
				}
			}
		})
	}
}

func checkRefusal(t *testing.T, a *attempt, rights metadata.Rights, err error) {
	t.Helper()
	kind := mailerr.KindOf(err)
	switch {
	case a.allowed(rights):
		if err != nil {
			t.Errorf("with %q: %v", rights, err)
		}
	case err == nil:
		t.Errorf("with %q it is done", rights)
	case a.selected && rights.Has(metadata.RightRead):
		if kind != mailerr.Permission {
			t.Errorf("with %q: %v, want Permission", rights, err)
		}
	case a.selected:
		if kind != mailerr.NotFound && kind != mailerr.Expunged {
			t.Errorf("with %q: %v, want the mailbox to be gone", rights, err)
		}
	case rights.Has(metadata.RightLookup) || a.hidden:
		if kind != mailerr.Permission {
			t.Errorf("with %q: %v, want Permission", rights, err)
		}
	case kind != mailerr.NotFound && !(a.name == "Rename" && rights.Has(metadata.RightDelete) && kind == mailerr.Permission):
		t.Errorf("with %q: %v, want NotFound", rights, err)
	}
}

// TestNobodyReachesAcross tries every spelling of a foreign mailbox without any right, and with rights that do not count.
func TestNobodyReachesAcross(t *testing.T) {
	n := newNeighbours(t)
	s := n.node(nil)
	n.append(s.User(n.owner), s, "Secret", mail("secret"))
	secret, err := s.User(n.owner).Mailbox(n.ctx, "Secret")
	if err != nil {
		t.Fatal(err)
	}
	// Entries that must give nothing: another domain's, and one like a pattern.
	for _, grantee := range []string{"s@example.net", "@example.net", "%", "*", "@", addressOf(n.guest) + " "} {
		if err := n.meta.SetACL(n.ctx, n.owner, secret.ID, metadata.ACLChange{Grantee: grantee, Rights: metadata.AllRights}); err != nil {
			t.Fatal(err)
		}
	}
	o := addressOf(n.owner)
	names := []string{
		n.foreign("Secret"), n.foreign("secret/../Secret"), "Other Users/" + strings.ToUpper(o) + "/Secret", "Other Users/" + o,
		"Other Users", "Other Users/" + o + "/", "Other Users//" + o + "/Secret", "Other Users/@example.org/Secret",
		"Other Users/" + o + "/INBOX", "Shared/Secret", "Shared/" + o + "/Secret", "Shared", "Secret", "/Secret", o + "/Secret",
		"Other Users/%/Secret", "Other Users/" + o + "\x00/Secret", "Other Users/" + n.owner.String() + "/Secret", secret.ID.String(),
		"other users/" + o + "/Secret", "Other Users/" + addressOf(n.guest) + "/Mine", "Other Users/s@example.net/INBOX",
	}
	for _, who := range []metadata.AccountID{n.guest, n.third, n.stranger} {
		u := s.User(who)
		infos, err := u.List(n.ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range infos {
			if i.Account != who {
				t.Errorf("%v sees %q", who, i.Name)
			}
		}
		for _, name := range names {
			for _, a := range attempts(n, s) {
				if a.selected || a.name == "Copy to" && who != n.guest {
					continue
				}
				if a.name == "QuotaOf" && !strings.HasPrefix(name, mailstore.OtherUsers) && !strings.HasPrefix(name, mailstore.SharedMailbox) {
					continue // one's own, whether the mailbox is there or not
				}
				foreign := strings.HasPrefix(name, mailstore.OtherUsers) || strings.HasPrefix(name, mailstore.SharedMailbox)
				if (a.name == "Create below" || a.name == "Rename") && (!foreign || strings.HasSuffix(name, "/")) {
					continue // among one's own, or no name at all
				}
				if err := a.do(u, name, nil); err == nil {
					t.Errorf("%s of %q is done", a.name, name)
				}
			}
		}
	}
	m, err := n.meta.MailboxByID(n.ctx, secret.ID)
	if err != nil || m.Messages != 1 || m.HighestModSeq != secret.HighestModSeq {
		t.Errorf("the mailbox was %+v and is %+v, %v", secret, m, err)
	}
}

// TestRandomACLs makes random changes of ACLs, on two nodes, and compares everybody's rights, lists and access with a model.
func TestRandomACLs(t *testing.T) {
	n := newNeighbours(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	now := time.Now()
	clock := func(c *mailstore.Config) { c.Now = func() time.Time { return now } }
	nodes := []*mailstore.Store{n.node(clock), n.node(clock)}
	boxes := []string{"INBOX", "Box", "Box/Below", "Secret"}
	users := []metadata.AccountID{n.guest, n.third}
	type key struct {
		box, grantee string
		denies       bool
	}
	model := map[key]metadata.Rights{}
	expect := func(box string, who metadata.AccountID) metadata.Rights {
		var given, denied metadata.Rights
		for _, g := range []string{addressOf(who), mailstore.Anyone} {
			given |= model[key{box, g, false}]
			denied |= model[key{box, g, true}]
		}
		return given &^ denied
	}
	for _, b := range boxes {
		n.append(nodes[0].User(n.owner), nodes[0], b, mail("in "+b))
	}
	sessions := map[string]*mailstore.Selected{}
	for step := range 400 {
		box := boxes[r.IntN(len(boxes))]
		g := mailstore.Grantee{Address: mailstore.Anyone, Denies: r.IntN(4) == 0}
		if k := r.IntN(3); k < len(users) {
			g.Address = addressOf(users[k])
		}
		op, rights := metadata.RightsOp(r.IntN(3)), metadata.Rights(r.UintN(uint(metadata.AllRights)+1))
		if err := nodes[r.IntN(2)].User(n.owner).SetACL(n.ctx, box, g, op, rights); err != nil {
			t.Fatal(step, err)
		}
		k := key{box, g.Address, g.Denies}
		switch op {
		case metadata.RightsReplace:
			model[k] = rights
		case metadata.RightsAdd:
			model[k] |= rights
		case metadata.RightsRemove:
			model[k] &^= rights
		}
		now = now.Add(time.Minute)

		who := users[r.IntN(len(users))]
		s := nodes[r.IntN(2)]
		u := s.User(who)
		checkListed(t, n, u, boxes, func(b string) metadata.Rights { return expect(b, who) })
		box = boxes[r.IntN(len(boxes))]
		want := expect(box, who)
		for _, a := range attempts(n, s) {
			if !slices.Contains([]string{"Open", "Mailbox", "Append", "Room", "Batch", "Message", "QuotaOf"}, a.name) {
				continue
			}
			if err := a.do(u, n.foreign(box), nil); (err == nil) != want.Has(a.need) {
				t.Fatalf("step %d: %s with %q: %v", step, a.name, want, err)
			}
		}
		id := fmt.Sprint(who, box)
		if sel := sessions[id]; sel == nil && want.Has(metadata.RightRead) {
			sessions[id] = n.open(u, n.foreign(box))
		} else if sel != nil {
			err := sel.Messages(n.ctx, metadata.UIDSet{{First: 1, Last: 1}}, func(mailstore.SeqNum, *metadata.Message, bool) bool { return true })
			if (err == nil) != want.Has(metadata.RightRead) {
				t.Fatalf("step %d: reading on with %q: %v", step, want, err)
			}
		}
	}
}

func checkListed(t *testing.T, n *neighbours, u *mailstore.User, boxes []string, expect func(string) metadata.Rights) {
	t.Helper()
	infos, err := u.List(n.ctx)
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]metadata.Rights{}
	for _, i := range infos {
		if !i.NonExistent && i.Account == n.owner {
			listed[i.Name] = i.Rights
		}
	}
	for _, b := range boxes {
		want := expect(b)
		got, ok := listed[n.foreign(b)]
		if ok != want.Has(metadata.RightLookup) || ok && got != want {
			t.Fatalf("%s is listed %v with %q, want %q", b, ok, got, want)
		}
		my, err := u.MyRights(n.ctx, n.foreign(b))
		any := want&^(metadata.RightSeen|metadata.RightWrite|metadata.RightPost|metadata.RightTrash|metadata.RightExpunge) != 0
		if (err == nil) != any || err == nil && my.Rights != want {
			t.Fatalf("MYRIGHTS of %s: %+v, %v, want %q", b, my, err, want)
		}
	}
}

// TestPostToSharedMailbox delivers by an address's detail: into one's own mailboxes without a right, into shared ones with "p".
func TestPostToSharedMailbox(t *testing.T) {
	n := newNeighbours(t)
	s := n.node(nil)
	shared := n.account("Support")
	if err := n.meta.SetSharedAccount(n.ctx, "example.org", shared); err != nil {
		t.Fatal(err)
	}
	box, err := n.meta.Mailbox(n.ctx, shared, "Support")
	if err != nil {
		t.Fatal(err)
	}
	where := func(account metadata.AccountID, mailbox string) map[string]uint32 {
		t.Helper()
		if d := s.Deliver(n.ctx, n.stage(s, mail("x")), []mailstore.Recipient{{Account: account, Mailbox: mailbox}}); d[0].Err != nil {
			t.Fatal(d[0].Err)
		}
		boxes, err := n.meta.Mailboxes(n.ctx, account)
		if err != nil {
			t.Fatal(err)
		}
		counts := map[string]uint32{}
		for _, b := range boxes {
			counts[b.Name] = b.Messages
		}
		return counts
	}
	if got := where(n.owner, "Box"); got["Box"] != 1 {
		t.Errorf("one's own: %v", got)
	}
	steps := []struct {
		change metadata.ACLChange
		want   string
	}{
		{metadata.ACLChange{Grantee: "@example.org", Rights: metadata.RightLookup}, "INBOX"},
		{metadata.ACLChange{Grantee: addressOf(n.guest), Rights: metadata.RightPost}, "INBOX"},
		{metadata.ACLChange{Grantee: "@example.org", Op: metadata.RightsAdd, Rights: metadata.RightPost}, "Support"},
		{metadata.ACLChange{Grantee: "@example.org", Denies: true, Rights: metadata.RightPost}, "INBOX"},
	}
	want := map[string]uint32{"INBOX": 0, "Support": 0}
	for i, step := range steps {
		if err := n.meta.SetACL(n.ctx, shared, box.ID, step.change); err != nil {
			t.Fatal(err)
		}
		want[step.want]++
		if got := where(shared, "Support"); got["INBOX"] != want["INBOX"] || got["Support"] != want["Support"] {
			t.Errorf("step %d: %v, want %v", i, got, want)
		}
	}
}

// TestCopiesCarryWhatRightsAllow is the example of RFC 4314 section 4.
func TestCopiesCarryWhatRightsAllow(t *testing.T) {
	n := newNeighbours(t)
	s := n.node(nil)
	guest := s.User(n.guest)
	for _, flags := range []struct {
		system   metadata.Flags
		keywords []string
	}{{metadata.FlagDraft | metadata.FlagDeleted, nil}, {metadata.FlagAnswered, nil}, {metadata.FlagSeen, []string{"$Forwarded"}}} {
		_, err := guest.Append(n.ctx, "Mine", n.stage(s, mail("x")), mailstore.AppendOptions{Flags: flags.system, Keywords: flags.keywords})
		if err != nil {
			t.Fatal(err)
		}
	}
	for rights, want := range map[string]string{"rwis": "16 2 1 $Forwarded", "rsti": "8 0 1 "} {
		r, err := metadata.ParseRights(rights)
		if err != nil {
			t.Fatal(err)
		}
		name := "To " + rights
		if _, err := s.User(n.owner).Create(n.ctx, name, ""); err != nil {
			t.Fatal(err)
		}
		n.give(s, name, n.guest, r)
		if _, err := n.open(guest, "Mine").Copy(n.ctx, metadata.UIDSet{{First: 1, Last: 3}}, n.foreign(name)); err != nil {
			t.Fatal(err)
		}
		box, err := n.meta.Mailbox(n.ctx, n.owner, name)
		if err != nil {
			t.Fatal(err)
		}
		_, msgs, err := n.meta.LoadMailbox(n.ctx, box.ID)
		if err != nil || len(msgs) != 3 {
			t.Fatal(len(msgs), err)
		}
		if got := fmt.Sprint(msgs[0].Flags, msgs[1].Flags, msgs[2].Flags, " ", msgs[2].Keywords); got != want {
			t.Errorf("with %s the copies have %q, want %q", rights, got, want)
		}
	}
}
