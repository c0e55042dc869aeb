package directory

import (
	"context"
	"sync"
	"time"

	"github.com/rookery-mail/rookery/metadata"
)

// Bounds of the memory of domain rules: what other nodes change is noticed after rulesAge.
const (
	rulesAge  = 5 * time.Second
	maxRules  = 10_000
	noDetails = metadata.NoDelimiter
)

// rules remembers the rules of domains for a short time, also that there are none: every recipient needs them.
type rules struct {
	meta metadata.DomainStore
	now  func() time.Time

	mu    sync.Mutex // guards known
	known map[string]knownRule
}

type knownRule struct {
	domain metadata.Domain
	until  time.Time
}

func newRules(meta metadata.DomainStore, now func() time.Time) *rules {
	return &rules{meta: meta, now: now, known: make(map[string]knownRule)}
}

// add puts the rules of the domains, and of those they are aliases of, into to. At most two round trips.
func (r *rules) add(ctx context.Context, to map[string]metadata.Domain, names map[string]bool) error {
	if err := r.addOwn(ctx, to, names); err != nil {
		return err
	}
	targets := map[string]bool{}
	for n := range names {
		if t := to[n].AliasOf; t != "" {
			targets[t] = true
		}
	}
	return r.addOwn(ctx, to, targets)
}

func (r *rules) addOwn(ctx context.Context, to map[string]metadata.Domain, names map[string]bool) error {
	now := r.now()
	var missing []string
	r.mu.Lock()
	for n := range names {
		if _, ok := to[n]; ok {
			continue
		}
		if k, ok := r.known[n]; ok && now.Before(k.until) {
			to[n] = k.domain
		} else {
			missing = append(missing, n)
		}
	}
	r.mu.Unlock()
	if len(missing) == 0 {
		return nil
	}
	found, err := r.meta.LookupDomains(ctx, missing)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.known)+len(missing) > maxRules {
		clear(r.known)
	}
	for _, n := range missing {
		d, ok := found[n]
		if !ok {
			d = metadata.Domain{Name: n}
		}
		to[n] = d
		if len(r.known) < maxRules {
			r.known[n] = knownRule{d, now.Add(rulesAge)}
		}
	}
	return nil
}

// of returns the rules of one domain.
func (r *rules) of(ctx context.Context, name string) (metadata.Domain, error) {
	to := make(map[string]metadata.Domain, 1)
	err := r.addOwn(ctx, to, map[string]bool{name: true})
	return to[name], err
}

// forget makes the next look-up ask the database: this node changed the rules.
func (r *rules) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.known)
}

// delimiter returns what separates user and detail in a domain, "" for nothing.
func (d *Local) delimiterOf(rule metadata.Domain) string {
	switch rule.Delimiter {
	case "":
		return d.delimiter
	case noDetails:
		return ""
	}
	return rule.Delimiter
}

// Canonical implements Directory.
func (d *Local) Canonical(ctx context.Context, address string) (string, error) {
	a, err := d.parse(ctx, address)
	return a.String(), err
}

// parse reads an address as an administrator or a login gives it, in the case its domain keeps it in.
func (d *Local) parse(ctx context.Context, s string) (Address, error) {
	a, err := parseKeepingCase(s, d.domain)
	if err != nil {
		return Address{}, err
	}
	rule, err := d.rules.of(ctx, a.Domain)
	if err != nil {
		return Address{}, err
	}
	if rule.KeepCase {
		return a, nil
	}
	return a.fold(), nil
}
