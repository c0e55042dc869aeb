package metadatatest

import (
	"slices"

	"github.com/rookery-mail/rookery/metadata"
)

// linked returns a message with links, each a small number.
func linked(u user, box metadata.MailboxID, links ...byte) metadata.AppendItem {
	it := item(u, box)
	for _, l := range links {
		it.Links = append(it.Links, metadata.ThreadLink{7: l})
	}
	return it
}

// threads returns the threads of items, by index.
func (f *fixture) threads(items ...metadata.AppendItem) []metadata.ThreadID {
	f.Helper()
	ids := make([]metadata.BodyID, len(items))
	for i := range items {
		ids[i] = items[i].Body.ID
	}
	found, err := f.s.Threads(f.ctx(), items[0].Account, ids)
	f.must(err)
	out := make([]metadata.ThreadID, len(items))
	for i, id := range ids {
		out[i] = found[id]
	}
	return out
}

func (f *fixture) wantThreads(got []metadata.ThreadID, beginners ...metadata.AppendItem) {
	f.Helper()
	for i, b := range beginners {
		if got[i] != metadata.ThreadID(b.Body.ID) {
			f.Fatalf("message %d is of thread %v, want %v", i, got[i], b.Body.ID)
		}
	}
}

func testThreads(f *fixture) {
	u := f.user()
	a := linked(u, u.inbox, 1)
	b := linked(u, u.inbox, 2, 1)
	c := linked(u, u.trash, 3, 2)
	alone := linked(u, u.inbox, 9)
	bare := linked(u, u.inbox)
	for _, it := range []metadata.AppendItem{a, b, c, alone, bare} {
		f.append(it)
	}
	f.wantThreads(f.threads(a, b, c, alone, bare), a, a, a, alone, bare)

	// A reply that comes first; what joins two threads changes neither.
	reply := linked(u, u.inbox, 21, 20)
	parent := linked(u, u.inbox, 20)
	both := linked(u, u.inbox, 30, 20, 1)
	later := linked(u, u.inbox, 31, 1, 20)
	for _, it := range []metadata.AppendItem{reply, parent, both, later} {
		f.append(it)
	}
	f.wantThreads(f.threads(a, reply, parent, both, later), a, reply, reply, reply, a)

	// The same body again, in another mailbox and with other links, stays where it is.
	again := a
	again.Mailbox, again.Links = u.trash, []metadata.ThreadLink{{7: 9}}
	f.append(again)
	f.wantThreads(f.threads(a), a)

	// Another account knows nothing of it.
	v := f.user()
	other := linked(v, v.inbox, 2, 1)
	f.append(other)
	f.wantThreads(f.threads(other), other)

	bodies, err := f.s.ThreadBodies(f.ctx(), u.id, metadata.ThreadID(a.Body.ID))
	f.must(err)
	if len(bodies) != 4 || !slices.Contains(bodies, a.Body.ID) || !slices.Contains(bodies, b.Body.ID) ||
		!slices.Contains(bodies, c.Body.ID) || !slices.Contains(bodies, later.Body.ID) {
		f.Fatalf("thread has bodies %v", bodies)
	}
	bodies, err = f.s.ThreadBodies(f.ctx(), u.id, metadata.ThreadID(b.Body.ID))
	f.must(err)
	if len(bodies) != 0 {
		f.Fatalf("no thread has bodies %v", bodies)
	}
	bodies, err = f.s.ThreadBodies(f.ctx(), u.id, metadata.ThreadID(bare.Body.ID))
	f.must(err)
	if len(bodies) != 1 || bodies[0] != bare.Body.ID {
		f.Fatalf("a thread of one message has bodies %v", bodies)
	}
	f.must(f.s.RemoveAccount(f.ctx(), u.id))
	f.wantThreads(f.threads(other), other)
}

func testThreadsInOneBatch(f *fixture) {
	u, v := f.user(), f.user()
	var items []metadata.AppendItem
	for i := range 300 {
		n := byte(i % 100)
		items = append(items, linked(u, u.inbox, n), linked(v, v.inbox, 200, n))
	}
	f.append(items...)
	for i := range 300 {
		of := f.threads(items[2*i])
		f.wantThreads(of, items[2*(i%100)])
		f.wantThreads(f.threads(items[2*i+1]), items[1])
	}
}

func testThreadsOfCopies(f *fixture) {
	u, v := f.user(), f.user()
	a, b, bare := linked(u, u.inbox, 1), linked(u, u.inbox, 2, 1), linked(u, u.inbox)
	f.append(a, b, bare)
	for _, to := range []struct {
		user user
		box  metadata.MailboxID
	}{{u, u.trash}, {v, v.inbox}} {
		_, err := f.s.Copy(f.ctx(), metadata.CopyRequest{Account: u.id, Source: u.inbox, UIDs: set(1, 3),
			DestAccount: to.user.id, Dest: to.box, SaveDate: at})
		f.must(err)
	}
	_, err := f.s.Move(f.ctx(), metadata.CopyRequest{Account: u.id, Source: u.inbox, UIDs: set(2, 2),
		DestAccount: v.id, Dest: v.trash, SaveDate: at})
	f.must(err)
	f.wantThreads(f.threads(a, b, bare), a, a, bare)
	atV := []metadata.AppendItem{a, b, bare}
	for i := range atV {
		atV[i].Account = v.id
	}
	f.wantThreads(f.threads(atV...), a, a, bare)
	bodies, err := f.s.ThreadBodies(f.ctx(), v.id, metadata.ThreadID(a.Body.ID))
	f.must(err)
	if len(bodies) != 2 {
		f.Fatalf("thread has bodies %v", bodies)
	}
}
