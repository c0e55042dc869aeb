package directory

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/sqlstore"
)

// openStore returns an empty metadata store on SQLite.
func openStore(t testing.TB) metadata.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), sqlstore.Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "metadata.sqlite")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// spyStore counts and disturbs calls of a real store.
type spyStore struct {
	metadata.Store

	mu      sync.Mutex
	lookups int   // addresses asked for
	calls   int   // LookupAddresses
	sets    int   // SetPasswordHash
	fail    error // returned by LookupAddresses
	onSet   func()
	onRead  func() // before Account
}

func (s *spyStore) LookupAddresses(ctx context.Context, addresses []string) (map[string]metadata.AddressTarget, error) {
	s.mu.Lock()
	s.calls++
	s.lookups += len(addresses)
	fail := s.fail
	s.mu.Unlock()
	if fail != nil {
		return nil, fail
	}
	return s.Store.LookupAddresses(ctx, addresses)
}

func (s *spyStore) Account(ctx context.Context, id metadata.AccountID) (*metadata.Account, error) {
	if s.onRead != nil {
		s.onRead()
	}
	return s.Store.Account(ctx, id)
}

func (s *spyStore) SetPasswordHash(ctx context.Context, id metadata.AccountID, hash string) error {
	s.mu.Lock()
	s.sets++
	s.mu.Unlock()
	if s.onSet != nil {
		s.onSet()
	}
	return s.Store.SetPasswordHash(ctx, id, hash)
}

// testClock is a clock that stands still until it is moved.
type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func open(t testing.TB) (*Local, *spyStore, *testClock) {
	t.Helper()
	store := &spyStore{Store: openStore(t)}
	clock := &testClock{now: time.Unix(1_800_000_000, 0)}
	d, err := New(Options{Metadata: store, DefaultDomain: "Example.ORG", Delimiter: "+", Log: slog.New(slog.DiscardHandler), Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	return d, store, clock
}

// account stores an account with a hash that costs little.
func account(t testing.TB, d *Local, address, password string) metadata.AccountID {
	t.Helper()
	return accountWithHash(t, d, address, "{PLAIN}"+password)
}

func accountWithHash(t testing.TB, d *Local, address, hash string) metadata.AccountID {
	t.Helper()
	a, err := ParseAddress(address, d.domain)
	if err != nil {
		t.Fatal(err)
	}
	n := metadata.NewAccount{ID: metadata.NewAccountID(), Address: a.String(), PasswordHash: hash, Mailboxes: NewMailboxes()}
	errs, err := d.meta.CreateAccounts(t.Context(), []metadata.NewAccount{n})
	if err == nil {
		err = errs[0]
	}
	if err != nil {
		t.Fatal(err)
	}
	return n.ID
}

func alias(t testing.TB, d *Local, address string, targets ...string) {
	t.Helper()
	if err := d.meta.SetAlias(t.Context(), metadata.Alias{Address: address, Targets: targets}); err != nil {
		t.Fatal(err)
	}
}
