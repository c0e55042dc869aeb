package mailstore

import (
	"context"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/metadata"
)

// Outline is what a message's row says that never changes, without pointers.
type Outline struct {
	UID  metadata.UID
	Body metadata.BodyID
	Size int64 // of BODY[], bytes
}

// Outlines returns the messages the session knows that are still there, ascending by UID. It loads the view if that was
// dropped.
func (sel *Selected) Outlines(ctx context.Context) ([]Outline, error) {
	st, err := sel.rows(ctx)
	if err != nil {
		return nil, wrap("mailstore.Outlines", err)
	}
	out := make([]Outline, 0, sel.uids.GetCardinality())
	it := sel.uids.Iterator()
	for i := range st.pages {
		for j := range st.pages[i].rows {
			r := &st.pages[i].rows[j]
			if it.AdvanceIfNeeded(uint32(r.uid)); !it.HasNext() {
				return out, nil
			}
			if it.PeekNext() == uint32(r.uid) {
				out = append(out, Outline{UID: r.uid, Body: r.body, Size: r.size})
			}
		}
	}
	return out, nil
}

// Present reports whether a message is there, as far as this node has heard. It asks nobody.
func (sel *Selected) Present(uid metadata.UID) bool {
	st := sel.view.state.Load()
	return !st.gone && st.uids.Contains(uint32(uid))
}

// BodyLocations is Bodies without Summary and Hash: for reading bytes.
func (sel *Selected) BodyLocations(ctx context.Context, ids []metadata.BodyID) ([]metadata.Body, error) {
	const op = "mailstore.BodyLocations"
	if len(ids) == 0 {
		return nil, nil
	}
	if err := sel.mayRead(ctx, op); err != nil {
		return nil, err
	}
	bodies, err := sel.view.store.meta.BodyLocations(ctx, sel.view.account, ids)
	return bodies, wrap(op, err)
}

// ReadBodies reads whole small bodies for somebody who wants each once and soon, those that lie side by side in one range. It
// returns their stored bytes, without the prefix, in the order of bodies: nil for one that is over 1 MiB or could not be read,
// of which OpenBody tells more. Nothing is kept in the cache.
func (sel *Selected) ReadBodies(ctx context.Context, bodies []*metadata.Body) [][]byte {
	locs := make([]blobstore.Location, len(bodies))
	for i, b := range bodies {
		locs[i] = locationOf(b)
	}
	return sel.view.store.reader.ReadBodies(ctx, locs)
}
