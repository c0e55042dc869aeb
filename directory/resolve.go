package directory

import (
	"context"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// Bounds of what addresses may lead to.
const (
	maxAliasLevels = 8
	maxExpansion   = 10_000 // addresses one address leads to, seen or not
	maxTogether    = 50_000 // the same for all that are resolved together
)

// Resolve implements Directory.
func (d *Local) Resolve(ctx context.Context, address string) ([]Target, error) {
	r := d.ResolveAll(ctx, []string{address})[0]
	return r.Targets, r.Err
}

// ResolveAll follows addresses through aliases to accounts. An address is looked for as it is written, then without its detail;
// where case does not matter in its domain, in lower case only, and where it does, in lower case last. What an alias domain has
// not itself is looked for in the domain it stands for; what nobody has goes to the domain's catch-all. The detail goes with the
// mail through aliases, unless a target has one of its own; a catch-all gets none. A target that leads nowhere, and a loop, are
// passed over.
//
// Every level of aliases, and a catch-all, is one look-up for all addresses together; rules of domains not known yet are one or
// two more, the mailboxes of details one at the end.
func (d *Local) ResolveAll(ctx context.Context, addresses []string) []Resolution {
	out := make([]Resolution, len(addresses))
	run := &resolving{d: d, rules: make(map[string]metadata.Domain)}
	all := make([]*expansion, len(addresses))
	for i, address := range addresses {
		asked, err := parseRecipient(address, d.domain)
		if err != nil {
			out[i].Err = err
			continue
		}
		e := newExpansion(asked)
		all[i] = e
		run.active = append(run.active, e)
	}
	err := run.toTheEnd(ctx)
	for i, e := range all {
		switch {
		case e == nil:
		case err != nil:
			out[i].Err = err
		case e.err != nil:
			out[i].Err = e.err
		case len(e.targets) == 0 && e.tooDeep:
			// A mistake in our own tables: the sender's queue keeps the mail until it is mended.
			out[i].Err = mailerr.New("directory.Resolve", mailerr.Internal, "")
		case len(e.targets) == 0:
			out[i].Err = mailerr.New("directory.Resolve", mailerr.NotFound, "no such address here")
		default:
			out[i].Targets = e.targets
		}
	}
	return out
}

// expansion is one address on its way to accounts.
type expansion struct {
	asked    Address
	seen     map[Address]bool
	accounts map[metadata.AccountID]bool
	targets  []Target
	level    []step // to be looked up next
	tooDeep  bool
	err      error
}

// step is an address to be looked up, and the detail it inherits.
type step struct {
	addr   Address
	detail string
}

func newExpansion(asked Address) *expansion {
	return &expansion{
		asked:    asked,
		seen:     map[Address]bool{asked: true},
		accounts: make(map[metadata.AccountID]bool),
		level:    []step{{addr: asked}},
	}
}

// resolving is one ResolveAll under way.
type resolving struct {
	d      *Local
	rules  map[string]metadata.Domain
	active []*expansion
	seen   int // addresses of all expansions
}

func (run *resolving) toTheEnd(ctx context.Context) error {
	var done []*expansion
	for depth := 0; len(run.active) > 0; depth++ {
		if depth > maxAliasLevels {
			for _, e := range run.active {
				e.tooDeep = true
				run.d.log.WarnContext(ctx, "aliases nested too deeply", "address", e.asked.String(), "levels", maxAliasLevels)
			}
			done = append(done, run.active...)
			break
		}
		found, err := run.lookUp(ctx)
		if err != nil {
			return err
		}
		var next []*expansion
		for _, e := range run.active {
			e.err = run.follow(e, found)
			if e.err == nil && len(e.level) > 0 {
				next = append(next, e)
			} else {
				done = append(done, e)
			}
		}
		run.active = next
	}
	return run.chooseMailboxes(ctx, done)
}

// lookUp asks for everything the expansions' next levels may be found under.
func (run *resolving) lookUp(ctx context.Context) (map[string]metadata.AddressTarget, error) {
	domains := map[string]bool{}
	for _, e := range run.active {
		for _, s := range e.level {
			domains[s.addr.Domain] = true
		}
	}
	if err := run.d.rules.add(ctx, run.rules, domains); err != nil {
		return nil, err
	}
	var names []string
	had := map[string]bool{}
	for _, e := range run.active {
		for _, s := range e.level {
			for _, c := range run.candidates(s) {
				if n := c.addr.String(); !had[n] {
					had[n] = true
					names = append(names, n)
				}
			}
		}
	}
	return run.d.gather.lookUp(ctx, names)
}

// candidates returns what an address may be found under, the first first.
func (run *resolving) candidates(s step) []step {
	out := make([]step, 0, 8)
	own := run.rules[s.addr.Domain]
	out = run.spellings(out, s, own)
	if own.AliasOf != "" {
		rule := run.rules[own.AliasOf]
		if own.Delimiter != "" {
			rule.Delimiter = own.Delimiter // what its users write
		}
		s.addr.Domain = own.AliasOf
		out = run.spellings(out, s, rule)
	}
	return out
}

func (run *resolving) spellings(out []step, s step, rule metadata.Domain) []step {
	add := func(a Address, detail string) {
		for _, have := range out {
			if have.addr == a {
				return
			}
		}
		out = append(out, step{a, detail})
	}
	base, detail, split := s.addr.detail(run.d.delimiterOf(rule))
	if rule.KeepCase {
		add(s.addr, s.detail)
		if split {
			add(base, detail)
		}
	}
	add(s.addr.fold(), s.detail)
	if split {
		add(base.fold(), detail)
	}
	return out
}

// follow takes one step from every address of an expansion's level and makes its next level.
func (run *resolving) follow(e *expansion, found map[string]metadata.AddressTarget) error {
	level := e.level
	e.level = nil
	for _, s := range level {
		to, s, ok := run.find(s, found)
		if !ok {
			if all := run.catchAll(s.addr.Domain); all != "" {
				if err := run.lead(e, all, ""); err != nil {
					return err
				}
			}
			continue
		}
		if to.Account != nil {
			if !e.accounts[to.Account.ID] {
				e.accounts[to.Account.ID] = true
				e.targets = append(e.targets, Target{
					Account: *to.Account, Address: run.form(e.asked), Delimiter: run.delimiter(e.asked.Domain), Detail: s.detail,
				})
			}
			continue
		}
		for _, t := range to.Targets {
			if err := run.lead(e, t, s.detail); err != nil {
				return err
			}
		}
	}
	return nil
}

// delimiter returns what separates user and detail in a domain, "" for nothing; it is what its users write.
func (run *resolving) delimiter(domain string) string {
	rule := run.rules[domain]
	if rule.Delimiter == "" && rule.AliasOf != "" {
		rule = run.rules[rule.AliasOf]
	}
	return run.d.delimiterOf(rule)
}

// form returns the one form an address has in its domain.
func (run *resolving) form(a Address) string {
	if run.rules[a.Domain].KeepCase {
		return a.String()
	}
	return a.fold().String()
}

func (run *resolving) find(s step, found map[string]metadata.AddressTarget) (metadata.AddressTarget, step, bool) {
	for _, c := range run.candidates(s) {
		if to, ok := found[c.addr.String()]; ok {
			return to, c, true
		}
	}
	return metadata.AddressTarget{}, s, false
}

// catchAll returns where a domain's unknown addresses lead.
func (run *resolving) catchAll(domain string) string {
	rule := run.rules[domain]
	if rule.CatchAll == "" && rule.AliasOf != "" {
		rule = run.rules[rule.AliasOf]
	}
	return rule.CatchAll
}

// lead puts an address into an expansion's next level.
func (run *resolving) lead(e *expansion, address, detail string) error {
	a, err := parseKeepingCase(address, run.d.domain)
	if err != nil {
		return mailerr.Wrap("directory.Resolve", mailerr.Internal, err)
	}
	if e.seen[a] {
		return nil
	}
	if len(e.seen) >= maxExpansion || run.seen >= maxTogether {
		return mailerr.New("directory.Resolve", mailerr.Limit, "the alias leads to too many addresses")
	}
	e.seen[a] = true
	run.seen++
	e.level = append(e.level, step{a, detail})
	return nil
}

// chooseMailboxes sets Target.Mailbox where mail for a detail goes to the mailbox of that name.
func (run *resolving) chooseMailboxes(ctx context.Context, done []*expansion) error {
	var ids []metadata.AccountID
	domains := map[string]bool{}
	for _, e := range done {
		for _, t := range e.targets {
			if t.Detail != "" {
				ids = append(ids, t.Account.ID)
				domains[domainOf(t.Account.Address)] = true
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	switches, err := run.d.meta.DetailMailboxes(ctx, ids)
	if err != nil {
		return err
	}
	if err := run.d.rules.add(ctx, run.rules, domains); err != nil {
		return err
	}
	for _, e := range done {
		for i := range e.targets {
			t := &e.targets[i]
			rule := run.rules[domainOf(t.Account.Address)]
			if t.Detail != "" && switches[t.Account.ID].Or(rule.DetailMailbox.Or(run.d.details)) {
				t.Mailbox = t.Detail
			}
		}
	}
	return nil
}
