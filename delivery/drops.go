package delivery

import (
	"sync"
	"time"
)

// tellDropsEvery bounds how often it is logged that something was dropped.
const tellDropsEvery = 10 * time.Second

// drops counts messages of events that were given up since that was logged.
type drops struct {
	tell func(messages int)
	now  func() time.Time

	mu     sync.Mutex
	untold int       // guarded by mu
	at     time.Time // guarded by mu: of the last log line
}

// add counts messages, and logs the sum unless that was done just now.
func (d *drops) add(messages int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.untold += messages
	if now := d.now(); now.Sub(d.at) >= tellDropsEvery {
		d.flush(now)
	}
}

// finish logs what was not logged yet.
func (d *drops) finish() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.flush(d.now())
}

// flush needs mu.
func (d *drops) flush(now time.Time) {
	if d.untold > 0 {
		d.tell(d.untold)
		d.untold, d.at = 0, now
	}
}
