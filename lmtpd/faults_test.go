package lmtpd

import (
	"context"
	"io"
	"sync"

	"github.com/rookery-mail/rookery/directory"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// faultyStore is a Store with faults that a test switches on.
type faultyStore struct {
	Store

	mu       sync.Mutex // guards the fields below
	stage    error
	deliver  map[metadata.AccountID]error // of one account; the zero id: of all
	panicAt  string                       // "stage" or "deliver"
	hold     chan struct{}                // Deliver waits until it is closed
	entered  chan struct{}                // receives a value when a Deliver begins to wait
	delivers int
}

func (f *faultyStore) Stage(ctx context.Context, r io.Reader, maxSize int64) (*mailstore.Staged, error) {
	f.mu.Lock()
	err, panicAt := f.stage, f.panicAt
	f.mu.Unlock()
	if panicAt == "stage" {
		panic("a fault in Stage")
	}
	if err != nil {
		return nil, err
	}
	return f.Store.Stage(ctx, r, maxSize)
}

func (f *faultyStore) Deliver(ctx context.Context, st *mailstore.Staged, rcpts []mailstore.Recipient) []mailstore.Delivered {
	f.mu.Lock()
	f.delivers++
	hold, entered, panicAt := f.hold, f.entered, f.panicAt
	faults := map[metadata.AccountID]error{}
	for k, v := range f.deliver {
		faults[k] = v
	}
	f.mu.Unlock()
	if panicAt == "deliver" {
		st.Discard()
		panic("a fault in Deliver")
	}
	if hold != nil {
		entered <- struct{}{}
		select {
		case <-hold:
		case <-ctx.Done():
		}
	}
	out := make([]mailstore.Delivered, len(rcpts))
	var good []mailstore.Recipient
	var at []int
	for i, r := range rcpts {
		err := faults[r.Account]
		if all := faults[metadata.AccountID{}]; all != nil {
			err = all
		}
		if err != nil {
			out[i].Err = err
			continue
		}
		good, at = append(good, r), append(at, i)
	}
	if len(good) == 0 {
		st.Discard()
		return out
	}
	for k, d := range f.Store.Deliver(ctx, st, good) {
		out[at[k]] = d
	}
	return out
}

// faultyDirectory is a Directory with faults that a test switches on.
type faultyDirectory struct {
	directory.Directory

	mu       sync.Mutex // guards the fields below
	err      error
	panics   bool
	calls    int // of ResolveAll
	disabled map[metadata.AccountID]bool
}

// resolved returns how often ResolveAll was called.
func (f *faultyDirectory) resolved() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

func (f *faultyDirectory) ResolveAll(ctx context.Context, addresses []string) []directory.Resolution {
	f.mu.Lock()
	err, panics := f.err, f.panics
	f.calls++
	f.mu.Unlock()
	if panics {
		panic("a fault in ResolveAll")
	}
	out := make([]directory.Resolution, len(addresses))
	if err != nil {
		for i := range out {
			out[i].Err = err
		}
		return out
	}
	out = f.Directory.ResolveAll(ctx, addresses)
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range out {
		for i := range r.Targets {
			if f.disabled[r.Targets[i].Account.ID] {
				r.Targets[i].Account.Disabled = true
			}
		}
	}
	return out
}
