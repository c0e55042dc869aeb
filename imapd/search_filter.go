package imapd

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

const (
	// filterValues is where filters are among the server's annotations, below "/private" and "/shared" (RFC 5466 section 3.2).
	filterValues = "/filters/values/"
	// maxFilterDepth is how deep filters may refer to filters: RFC 5466 asks for 3.
	maxFilterDepth = 10
	// maxFilters bounds the filters of one search.
	maxFilters = 200
)

// filterKey is FILTER (RFC 5466): search keys that are stored under a name.
type filterKey struct {
	name   string
	filter *filter // after resolveFilters
}

// filter is a stored filter.
type filter struct {
	keys   andKey
	size   int          // how many keys there are, those of others not counted
	refers []*filterKey // to others
}

func (k *filterKey) eval(c *candidate) verdict { return k.filter.keys.eval(c) }

// filter reads the name of a filter.
func (p *searchParser) filter() (searchKey, error) {
	name, err := p.AString()
	if err == nil && !isFilterName(name) {
		err = &wire.SyntaxError{Text: "Invalid filter name"}
	}
	k := &filterKey{name: name}
	p.program.filters = append(p.program.filters, k)
	return k, err
}

// isFilterName reports whether a filter may have the name: an atom without slashes.
func isFilterName(name string) bool {
	p := wire.NewParser([]byte(name))
	_, err := p.Atom()
	return err == nil && p.EOF() && !strings.Contains(name, "/")
}

// filterName returns the name of the filter whose value an annotation of the server is; ok is false for other annotations.
func filterName(entry string) (name string, ok bool) {
	entry = strings.ToLower(entry)
	for _, scope := range []string{metadata.PrivateAnnotations, metadata.SharedAnnotations} {
		if name, ok := strings.CutPrefix(entry, scope+filterValues); ok {
			return name, true
		}
	}
	return "", false
}

// checkFilter returns an error for what no filter may be. What it refers to need not be there.
func checkFilter(name string, value []byte) error {
	if !isFilterName(name) {
		return no("CANNOT", "Invalid filter name")
	}
	if !utf8.Valid(value) {
		return no("CANNOT", "A filter is text in UTF-8")
	}
	if _, err := parseSearchProgram(wire.NewParser(value), decodeNeedle); err != nil {
		return no("CANNOT", "The filter is not a search")
	}
	return nil
}

// errManyKeys: the keys of a search and of its filters are more than one may have.
var errManyKeys = no("LIMIT", "Too many search keys")

func errFilter(name string) error { return no("UNDEFINED-FILTER "+name, "No such filter") }

// resolveFilters looks up the filters of a program, and those that they refer to: a look-up for each level. One that is not there, is
// not right, refers to itself or is nested too deep is undefined (RFC 5466 section 3.1). Each is parsed once, and its keys mean the
// same wherever it is referred to.
func (g *searchProgram) resolveFilters(ctx context.Context, s *session) error {
	all := g.filters
	known := map[string]*filter{} // by name in lower case
	for level := all; len(level) > 0; {
		values, err := s.filterValues(ctx, level, known)
		if err != nil {
			return err
		}
		var next []*filterKey
		for _, k := range level {
			name := strings.ToLower(k.name)
			if known[name] == nil {
				f, err := g.parseFilter(k.name, values[name])
				if err != nil {
					return err
				}
				known[name] = f
				next = append(next, f.refers...)
			}
			k.filter = known[name]
		}
		level = next
	}
	g.filters = nil
	budget := maxSearchKeys
	for _, k := range all {
		if !spend(k.filter, 1, &budget) {
			return errFilter(k.name)
		}
		if budget < 0 {
			return errManyKeys
		}
	}
	return nil
}

// parseFilter reads a filter's keys, which become the program's. A nil value is one that is not there.
func (g *searchProgram) parseFilter(name string, value []byte) (*filter, error) {
	if value == nil || !utf8.Valid(value) {
		return nil, errFilter(name)
	}
	before := g.keys
	g.filters = nil
	p := searchParser{Parser: wire.NewParser(value), program: g, decode: decodeNeedle}
	keys, err := p.all()
	switch {
	case errors.Is(err, errSearchKeys):
		return nil, errManyKeys
	case err != nil:
		return nil, errFilter(name)
	}
	return &filter{keys: keys, size: g.keys - before, refers: g.filters}, nil
}

// spend takes the keys of a filter from a budget, as often as they will be evaluated. It returns false if filters are nested too
// deep, which they are if one refers to itself.
func spend(f *filter, depth int, budget *int) bool {
	if depth > maxFilterDepth {
		return false
	}
	*budget -= f.size
	for _, k := range f.refers {
		if *budget < 0 {
			return true
		}
		if !spend(k.filter, depth+1, budget) {
			return false
		}
	}
	return true
}

// filterValues looks up the values of filters that are not known, by their names in lower case. A private one goes before a shared one.
func (s *session) filterValues(ctx context.Context, filters []*filterKey, known map[string]*filter) (map[string][]byte, error) {
	values := map[string][]byte{}
	var entries []string
	for _, k := range filters {
		name := strings.ToLower(k.name)
		if _, again := values[name]; again || known[name] != nil {
			continue
		}
		if len(known)+len(values) >= maxFilters {
			return nil, errManyKeys
		}
		values[name] = nil
		private := metadata.PrivateAnnotations + filterValues + name
		if mailstore.CheckEntry(private) == nil { // else it is too long to be there
			entries = append(entries, private, metadata.SharedAnnotations+filterValues+name)
		}
	}
	if len(entries) == 0 {
		return values, nil
	}
	var found *mailstore.Annotations
	user := s.user
	err := s.away(func() (err error) {
		found, err = user.Annotations(ctx, "", entries, mailstore.AnnotationOptions{})
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, a := range found.List {
		if name, _ := filterName(a.Entry); values[name] == nil { // in the order of entries
			values[name] = a.Value
		}
	}
	return values, nil
}
