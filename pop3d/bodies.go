package pop3d

import (
	"context"

	"github.com/rookery-mail/rookery/metadata"
)

const (
	rowWindow      = 32      // body rows read at once
	aheadMessages  = 16      // bodies read at once by a client that reads one after the other
	aheadBytes     = 1 << 20 // the same, in octets
	aheadOneAtMost = 256 << 10
)

// body returns the body row of the message at an index. Expunged.
func (d *maildrop) body(ctx context.Context, i int) (*metadata.Body, error) {
	m := &d.messages[i]
	if err := d.present(ctx, m); err != nil {
		return nil, err
	}
	if i < d.window[0] || i >= d.window[1] {
		if err := d.readRows(ctx, i); err != nil {
			return nil, err
		}
	}
	b := d.bodies[m.body]
	if b == nil {
		return nil, errExpunged
	}
	return b, nil
}

// readRows moves the window to begin at an index.
func (d *maildrop) readRows(ctx context.Context, from int) error {
	to := min(from+rowWindow, len(d.messages))
	ids := make([]metadata.BodyID, 0, to-from)
	for i := from; i < to; i++ {
		ids = append(ids, d.messages[i].body)
	}
	bodies, err := d.sel.Bodies(ctx, ids)
	if err != nil {
		return err
	}
	for _, b := range bodies {
		b.Summary = nil // nothing here needs it, and it is most of the row
	}
	d.bodies, d.window = bodies, [2]int{from, to}
	return nil
}

// prefetch reads small bodies that RETR will want next, in one go, once the client has shown that it reads in order.
func (d *maildrop) prefetch(ctx context.Context, i int) {
	inOrder := i == d.lastRetr+1
	d.lastRetr = i
	if !inOrder || i < d.readAhead {
		return
	}
	var ahead []*metadata.Body
	var octets int64
	j := i
	for ; j < d.window[1] && len(ahead) < aheadMessages; j++ {
		m := &d.messages[j]
		b := d.bodies[m.body]
		if b == nil || m.deleted || m.size > aheadOneAtMost {
			continue
		}
		if octets += m.size; octets > aheadBytes {
			break
		}
		ahead = append(ahead, b)
	}
	d.readAhead = max(j, i+1)
	if len(ahead) > 1 {
		d.sel.Prefetch(ctx, ahead)
	}
}
