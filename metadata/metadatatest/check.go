package metadatatest

import (
	"context"

	"github.com/rookery-mail/rookery/metadata"
)

// Check proves the invariants of an account's rows, while nobody changes them.
func Check(ctx context.Context, t TB, s metadata.Store, id metadata.AccountID) {
	t.Helper()
	a, err := s.Account(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	boxes, err := s.Mailboxes(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	var bytes, messages int64
	validities := map[metadata.UIDValidity]string{}
	for _, listed := range boxes {
		box, msgs, err := s.LoadMailbox(ctx, listed.ID)
		if err != nil {
			t.Fatal(err)
		}
		checkMailbox(ctx, t, s, a, box, msgs)
		if other, ok := validities[box.UIDValidity]; ok {
			t.Errorf("%s and %s have the same UIDVALIDITY %d", other, box.Name, box.UIDValidity)
		}
		validities[box.UIDValidity] = box.Name
		bytes += box.Size
		messages += int64(box.Messages)
	}
	if bytes != a.UsedBytes || messages != a.UsedMessages {
		t.Errorf("account %s uses %d bytes in %d messages, its mailboxes hold %d in %d", a.Address, a.UsedBytes, a.UsedMessages, bytes, messages)
	}
}

func checkMailbox(ctx context.Context, t TB, s metadata.Store, a *metadata.Account, box *metadata.Mailbox, msgs []metadata.Message) {
	t.Helper()
	var want metadata.Mailbox
	var last metadata.UID
	bodies := map[metadata.BodyID]int64{}
	ids := make([]metadata.BodyID, 0, len(msgs))
	for _, m := range msgs {
		want.Messages++
		want.Size += m.Size
		if m.Flags&metadata.FlagSeen == 0 {
			want.Unseen++
		}
		if m.Flags&metadata.FlagDeleted != 0 {
			want.Deleted++
		}
		if m.UID <= last || m.UID >= box.UIDNext {
			t.Errorf("%s: UID %d after %d with UIDNEXT %d", box.Name, m.UID, last, box.UIDNext)
		}
		if m.ModSeq == 0 || m.ModSeq > box.HighestModSeq {
			t.Errorf("%s: UID %d has MODSEQ %d, HIGHESTMODSEQ is %d", box.Name, m.UID, m.ModSeq, box.HighestModSeq)
		}
		last = m.UID
		bodies[m.Body] = m.Size
		ids = append(ids, m.Body)
	}
	if box.HighestModSeq == 0 || box.HighestModSeq > a.ModSeq {
		t.Errorf("%s: HIGHESTMODSEQ %d, the clock is at %d", box.Name, box.HighestModSeq, a.ModSeq)
	}
	if want.Messages != box.Messages || want.Unseen != box.Unseen || want.Deleted != box.Deleted || want.Size != box.Size {
		t.Errorf("%s: row says %d messages, %d unseen, %d deleted, %d bytes; rows are %d, %d, %d, %d", box.Name,
			box.Messages, box.Unseen, box.Deleted, box.Size, want.Messages, want.Unseen, want.Deleted, want.Size)
	}
	rows, err := s.BodyLocations(ctx, a.ID, ids)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		if size, ok := bodies[rows[i].ID]; !ok || size != rows[i].Size() {
			t.Errorf("%s: body %v has %d bytes, its message row says %d", box.Name, rows[i].ID, rows[i].Size(), size)
		}
		delete(bodies, rows[i].ID)
	}
	for id := range bodies {
		t.Errorf("%s: no row of body %v", box.Name, id)
	}
}
