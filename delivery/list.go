package delivery

import (
	"context"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/sieve"
)

// List is a list of the administrator's that every account's scripts may use (RFC 6134).
type List struct {
	Name     string // canonical, see sieve.CanonicalList
	File     string // with one member a line, as sieve.ParseList reads it; or
	Address  string // whose members they are: an alias, most likely
	Redirect bool   // messages may be redirected to it
}

// ParseList reads "NAME=/PATH" or "NAME=ADDRESS"; ok is false for what is neither.
func ParseList(s string) (l List, ok bool) {
	name, path, isFile := strings.Cut(s, "=/")
	if isFile {
		l.File = "/" + path
	} else if i := strings.LastIndexByte(s, '='); i >= 0 && strings.Contains(s[i:], "@") {
		name, l.Address = s[:i], s[i+1:]
	}
	if l.Name, ok = sieve.CanonicalList(name); l.Name == defaultBook {
		return l, false // everyone's own
	}
	return l, ok && (l.File != "" || l.Address != "")
}

// Members tells who is behind an address. A *directory.Local does.
type Members interface {
	// Members returns the addresses of the accounts that mail for an address goes to, and the aliases on the way.
	Members(ctx context.Context, address string) (accounts, aliases []string, err error)
}

// The annotations of the server's in which an account keeps its address books (RFC 6134): that of the name "default",
// and below it all others.
const (
	AddressBookEntry = "/private/vendor/rookery/addressbook"
	addressBooks     = "urn:ietf:params:sieve:addrbook:"
	defaultBook      = addressBooks + "default"
)

// AddressBook returns the annotation that holds the address book of a canonical list name; ok is false for other lists.
func AddressBook(list string) (entry string, ok bool) {
	name, ok := strings.CutPrefix(list, addressBooks)
	switch {
	case !ok || name == "" || strings.ContainsAny(name, "/?%*"): // section 2.6 knows no extensions yet; METADATA knows no such names
		return "", false
	case list == defaultBook:
		return AddressBookEntry, true
	}
	return AddressBookEntry + "/" + name, true
}

// List implements sieve.Host: the administrator's lists, and the account's own address books, of which the default one is always
// there.
func (h *host) List(ctx context.Context, name string) (list *sieve.List, redirect bool, err error) {
	if l := h.d.lists[name]; l != nil {
		list, err = l.get(ctx, &h.d.cfg)
		return list, l.Redirect, err
	}
	entry, ok := AddressBook(name)
	if !ok {
		return nil, false, nil
	}
	value, err := h.d.cfg.Store.User(h.account.ID).Annotation(ctx, "", entry)
	if err != nil || value == nil && name != defaultBook {
		return nil, false, err
	}
	return sieve.ParseList(string(value)), true, nil
}

// maxListBytes bounds a file with a list.
const maxListBytes = 16 << 20

// publicList is a list of the administrator's, and what was read of it.
type publicList struct {
	List

	mu      sync.Mutex
	list    *sieve.List // guarded by mu
	read    time.Time   // guarded by mu: when list was, of an address
	changed time.Time   // guarded by mu: the file list was read from
	size    int64       // guarded by mu: its bytes
	told    string      // guarded by mu: the trouble that was logged last
}

func newLists(cfg *Config) map[string]*publicList {
	out := make(map[string]*publicList, len(cfg.Lists))
	for _, l := range cfg.Lists {
		out[l.Name] = &publicList{List: l}
	}
	return out
}

func (l *publicList) get(ctx context.Context, cfg *Config) (*sieve.List, error) {
	if l.Address != "" {
		return l.members(ctx, cfg)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.readFile()
	return l.list, l.unreadable(ctx, cfg, err)
}

// readFile reads the file if it is another one than the last time.
func (l *publicList) readFile() error {
	info, err := os.Stat(l.File)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return &cannot{l.File + " is no file"}
	case l.list != nil && info.Size() == l.size && info.ModTime().Equal(l.changed):
		return nil
	}
	f, err := os.Open(l.File)
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxListBytes+1))
	if err != nil {
		return err
	}
	if len(text) > maxListBytes {
		return &cannot{l.File + " is larger than 16 MiB"}
	}
	l.list, l.size, l.changed = sieve.ParseList(string(text)), info.Size(), info.ModTime()
	return nil
}

// members returns the list of an address, which is read again from time to time.
func (l *publicList) members(ctx context.Context, cfg *Config) (*sieve.List, error) {
	now := cfg.Now()
	l.mu.Lock()
	list, read := l.list, l.read
	l.mu.Unlock()
	if list != nil && now.Sub(read) < cfg.AdminAge {
		return list, nil
	}
	accounts, aliases, err := cfg.Members.Members(ctx, l.Address)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil && !mailerr.Is(err, mailerr.NotFound) {
		return nil, err
	}
	if err == nil {
		l.list, l.read = sieve.NewList(accounts, aliases), now
	}
	return l.list, l.unreadable(ctx, cfg, err)
}

// unreadable logs, once, why a list cannot be read, and returns what its users are told; nil for no error.
func (l *publicList) unreadable(ctx context.Context, cfg *Config, err error) error {
	if err == nil {
		l.told = ""
		return nil
	}
	l.list = nil
	if l.told != err.Error() {
		l.told = err.Error()
		cfg.Log.WarnContext(ctx, "a list for sieve scripts cannot be read", "list", l.Name, "error", err)
	}
	return &sieve.ListError{Text: "its administrator can see the reason in the log"}
}
