package delivery

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/sieve"
)

// cacheBytes bounds the sources of the compiled scripts that are remembered; a compiled script takes a few times that.
const cacheBytes = 16 << 20

var extensions = Extensions()

// compiled is a script that is ready to run, or does not compile.
type compiled struct {
	owner   metadata.ScriptOwner
	version int64  // of the owner's scripts
	name    string // the stored name
	size    int
	script  *sieve.Script // nil: err
	err     error         // a *sieve.CompileError
}

// scriptKey names what was compiled. A version stands for all of an owner's scripts at one time.
type scriptKey struct {
	owner   metadata.ScriptOwner
	version int64
	name    string // "": the active one
}

// scripts finds and compiles scripts, and remembers them.
type scripts struct {
	cfg      Config
	standard *compiled
	cache    *otter.Cache[scriptKey, *compiled]

	mu     sync.Mutex
	admin  map[metadata.ScriptOwner]metadata.ScriptState // guarded by mu
	read   time.Time                                     // guarded by mu: when admin was
	failed time.Time                                     // guarded by mu: when it could not be
}

func newScripts(cfg Config) *scripts {
	s := &scripts{cfg: cfg, cache: otter.Must(&otter.Options[scriptKey, *compiled]{
		MaximumWeight: cacheBytes,
		Weigher:       func(_ scriptKey, c *compiled) uint32 { return uint32(c.size + 500) },
	})}
	if !cfg.Spam.Off {
		s.standard = s.compile("", "standard", StandardScript, "standard")
	}
	return s
}

func (s *scripts) compile(owner metadata.ScriptOwner, name, source, runName string) *compiled {
	c := &compiled{owner: owner, name: name, size: len(source)}
	c.script, c.err = sieve.Compile(source, sieve.Options{Name: runName, Extensions: extensions, Limits: s.cfg.Limits})
	return c
}

// runName is what a script is called in errors: whose it is and its name.
func runName(owner metadata.ScriptOwner, name string) string {
	if _, ok := owner.Account(); ok {
		return "personal/" + name
	}
	return string(owner) + "/" + name
}

// active returns an owner's active script, nil for none. state is what is known of it.
func (s *scripts) active(ctx context.Context, owner metadata.ScriptOwner, state metadata.ScriptState) (*compiled, error) {
	if state.Active == "" {
		return nil, nil
	}
	key := scriptKey{owner: owner, version: state.Version}
	if c, ok := s.cache.GetIfPresent(key); ok {
		return c, nil
	}
	sc, now, err := s.cfg.Metadata.ActiveScript(ctx, owner)
	if err != nil || sc == nil {
		return nil, err // deactivated meanwhile
	}
	c := s.compile(owner, sc.Name, sc.Source, runName(owner, sc.Name))
	key.version, c.version = now.Version, now.Version
	s.cache.Set(key, c)
	return c, nil
}

// named returns a script for include, nil when there is none.
func (s *scripts) named(ctx context.Context, owner metadata.ScriptOwner, version int64, name string) (*compiled, error) {
	key := scriptKey{owner, version, name}
	if c, ok := s.cache.GetIfPresent(key); ok {
		return c, nil
	}
	sc, err := s.cfg.Metadata.Script(ctx, owner, name)
	switch {
	case mailerr.Is(err, mailerr.NotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	c := s.compile(owner, sc.Name, sc.Source, runName(owner, sc.Name))
	c.version = version
	s.cache.Set(key, c)
	return c, nil
}

// adminState returns what is known of an administrator's scripts, not older than AdminAge. A database that does not answer is
// not asked again at once: what was known stays, and a delivery fails only if nothing ever was.
func (s *scripts) adminState(ctx context.Context, owners ...metadata.ScriptOwner) ([]metadata.ScriptState, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.cfg.Now(); s.admin == nil || now.Sub(s.read) >= s.cfg.AdminAge && now.Sub(s.failed) >= s.cfg.AdminAge {
		states, err := s.cfg.Metadata.AdminScriptStates(ctx)
		switch {
		case err == nil:
			s.admin, s.read = states, now
		case s.admin == nil:
			return nil, err
		default:
			s.failed = now
			s.cfg.Log.WarnContext(ctx, "the administrator's scripts cannot be looked for, those known stay in use", "error", err)
		}
	}
	out := make([]metadata.ScriptState, len(owners))
	for i, o := range owners {
		out[i] = s.admin[o]
	}
	return out, nil
}

// chain is the scripts that run for one recipient.
type chain struct {
	scripts []*compiled
	broken  []*compiled // those that do not compile
	shared  int64       // version of the administrator's shared scripts
}

// chain returns an account's scripts. head is the message's header.
func (s *scripts) chain(ctx context.Context, a *metadata.Account, head []byte) (*chain, error) {
	domain := a.Address[strings.LastIndexByte(a.Address, '@')+1:]
	owners := []metadata.ScriptOwner{
		metadata.AdminScripts(metadata.ScriptsBefore, ""), metadata.AdminScripts(metadata.ScriptsBefore, domain),
		metadata.AdminScripts(metadata.ScriptsAfter, domain), metadata.AdminScripts(metadata.ScriptsAfter, ""),
		metadata.AdminScripts(metadata.ScriptsShared, ""),
	}
	states, err := s.adminState(ctx, owners...)
	if err != nil {
		return nil, err
	}
	c := &chain{shared: states[4].Version}
	add := func(owner metadata.ScriptOwner, state metadata.ScriptState) error {
		sc, err := s.active(ctx, owner, state)
		switch {
		case err != nil || sc == nil:
			return err
		case sc.script == nil:
			c.broken = append(c.broken, sc)
		default:
			c.scripts = append(c.scripts, sc)
		}
		return nil
	}
	if states[0].Active == "" && s.standard != nil && s.cfg.Spam.marked(head) {
		c.scripts = append(c.scripts, s.standard)
	}
	return c, errors.Join(add(owners[0], states[0]), add(owners[1], states[1]),
		add(metadata.AccountScripts(a.ID), a.Scripts), add(owners[2], states[2]), add(owners[3], states[3]))
}
