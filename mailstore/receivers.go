package mailstore

import (
	"context"
	"io"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/rookery-mail/rookery/mailerr"
)

// receivers are the messages that are being read from their senders.
//
// What they hold, memory and uploads, is scarce, and how long they hold it is up to the sender: a few clients that stop in
// the middle of a message would keep everybody's mail out of the node. So who has waited for patience has the slowest
// message given up, if its sender has kept us waiting that long for the last paceBytes. While nobody waits, everybody
// may be as slow as the protocol's time-outs let them.
type receivers struct {
	patience time.Duration

	mu  sync.Mutex // guards all, and the pace of each
	all map[*stager]struct{}
}

// paceBytes a sender must manage in patience when others wait: 32 KiB/s.
const paceBytes = 64 << 10

// pace is how fast a message comes in.
type pace struct {
	since   time.Time     // of the Read under way; zero: there is none
	waited  time.Duration // in Reads, for the last bytes
	bytes   int           // since waited began; below paceBytes
	givenUp bool          // by somebody who needs what it holds; all it held is theirs to free
}

// ErrTooSlow is in the error of Stage for a message that was given up, Unavailable: its sender may try again. It is no trouble of ours.
var ErrTooSlow = mailerr.New("mailstore.Stage", mailerr.Unavailable, "The message came too slowly, while others waited")

func newReceivers() *receivers {
	return &receivers{patience: 2 * time.Second, all: map[*stager]struct{}{}}
}

func (rc *receivers) add(sg *stager) {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	rc.all[sg] = struct{}{}
}

// remove says whether the message still has what it holds.
func (rc *receivers) remove(sg *stager) bool {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	delete(rc.all, sg)
	return !sg.pace.givenUp
}

// read reads from a message's sender. After ErrTooSlow nothing of the stager may be touched: it was given up meanwhile, and
// all that it keeps until the Read returns is p.
func (rc *receivers) read(sg *stager, r io.Reader, p []byte) (int, error) {
	rc.mu.Lock()
	sg.pace.since = time.Now()
	rc.mu.Unlock()
	n, err := r.Read(p)
	rc.mu.Lock()
	defer rc.mu.Unlock()
	if sg.pace.givenUp {
		return 0, ErrTooSlow
	}
	sg.pace.waited += time.Since(sg.pace.since)
	sg.pace.since = time.Time{}
	if sg.pace.bytes += n; sg.pace.bytes >= paceBytes {
		sg.pace.bytes, sg.pace.waited = 0, 0
	}
	return n, err
}

// wait takes one of s, or returns false after patience.
func (rc *receivers) wait(ctx context.Context, s *semaphore.Weighted) (bool, error) {
	within, cancel := context.WithTimeout(ctx, rc.patience)
	defer cancel()
	if s.Acquire(within, 1) == nil {
		return true, nil
	}
	return false, ctx.Err()
}

// acquire takes one of s, of which the messages that match have some.
func (rc *receivers) acquire(ctx context.Context, s *semaphore.Weighted, match func(*stager) bool) error {
	for {
		if ok, err := rc.wait(ctx, s); ok || err != nil {
			return err
		}
		rc.giveUp(match)
	}
}

// giveUp frees what the slowest of the matching messages holds, if one is slow.
func (rc *receivers) giveUp(match func(*stager) bool) {
	if sg := rc.slowest(match); sg != nil {
		sg.raw = nil // it may be read into: it is nobody's buffer any more
		sg.drop()
	}
}

func (rc *receivers) slowest(match func(*stager) bool) *stager {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	var found *stager
	most := rc.patience
	for sg := range rc.all {
		if sg.pace.since.IsZero() || !match(sg) {
			continue
		}
		if waited := sg.pace.waited + time.Since(sg.pace.since); waited >= most {
			found, most = sg, waited
		}
	}
	if found != nil {
		found.pace.givenUp = true
		delete(rc.all, found)
	}
	return found
}

// holding and uploading say what a message has that others may wait for. They are asked while it is in a Read.
func (sg *stager) holding() bool   { return sg.grant.bytes > 0 || sg.grant.over }
func (sg *stager) uploading() bool { return sg.upload != nil }
