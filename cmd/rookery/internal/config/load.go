package config

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sort"
	"strings"

	koanftoml "github.com/knadh/koanf/parsers/toml/v2"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/v2"
	"github.com/pelletier/go-toml/v2"
)

// EnvFile is the variable that names the configuration file.
const EnvFile = "ROOKERY_CONFIG"

// DefaultFile is read when no file is named and it is there.
const DefaultFile = "rookery.toml"

// Load reads a configuration: from path, or without one from the file EnvFile names, or from DefaultFile if there is one, and
// from the environment (as os.Environ gives it). Its error is a *Problems.
func Load(path string, environ []string) (*Config, error) {
	l := &loader{lines: map[string]int{}, values: koanf.New("."), fromEnv: map[string]bool{}, problems: &Problems{}}
	l.readFile(path, environ)
	l.readEnv(environ)
	c := l.take()
	if len(l.problems.List) > 0 {
		return nil, l.problems
	}
	return c, nil
}

// Defaults returns the configuration of a machine that has none.
func Defaults() *Config {
	c, err := Load(os.DevNull, nil)
	if err != nil {
		panic(err) // a default in the table is wrong
	}
	c.File = ""
	return c
}

type loader struct {
	file     string
	lines    map[string]int // of each key in file
	values   *koanf.Koanf
	fromEnv  map[string]bool
	problems *Problems
}

func (l *loader) readFile(path string, environ []string) {
	l.file = path
	if path == "" {
		for _, kv := range environ {
			if v, ok := strings.CutPrefix(kv, EnvFile+"="); ok {
				l.file = v
			}
		}
	}
	if l.file == "" {
		if _, err := os.Stat(DefaultFile); errors.Is(err, os.ErrNotExist) {
			return
		}
		l.file = DefaultFile
	}
	data, err := os.ReadFile(l.file)
	if err != nil {
		l.problems.add(Problem{File: l.file, Text: "cannot be read: " + unwrapPath(err)})
		return
	}
	m, err := koanftoml.Parser().Unmarshal(data)
	var syntax *toml.DecodeError
	switch {
	case errors.As(err, &syntax):
		line, _ := syntax.Position()
		l.problems.add(Problem{File: l.file, Line: line, Text: "is not TOML: " + strings.TrimPrefix(syntax.Error(), "toml: ")})
		return
	case err != nil:
		l.problems.add(Problem{File: l.file, Text: "is not TOML: " + err.Error()})
		return
	}
	l.lines = keyLines(data)
	_ = l.values.Load(confmap.Provider(m, ""), nil) // a map in memory: nothing can fail
}

// readEnv takes the variables that begin with ROOKERY_. Those of the tests and of rookery bench are left alone.
func (l *loader) readEnv(environ []string) {
	names := make(map[string]string, len(keys))
	for _, k := range keys {
		names[k.env()] = k.name
	}
	provider := env.Provider(".", env.Opt{
		Prefix:      "ROOKERY_",
		EnvironFunc: func() []string { return environ },
		TransformFunc: func(name, v string) (string, any) {
			if name == EnvFile || strings.HasPrefix(name, "ROOKERY_TEST_") || strings.HasPrefix(name, "ROOKERY_BENCH_") {
				return "", nil
			}
			k, ok := names[name]
			if !ok {
				l.problems.add(Problem{Env: name, Text: "is no key of Rookery's" + didYouMean(name, names)})
				return "", nil
			}
			l.fromEnv[k] = true
			return k, v
		},
	})
	_ = l.values.Load(provider, nil) // see above
}

// take puts all values into a Config.
func (l *loader) take() *Config {
	c := &Config{File: l.file}
	given := l.values.All()
	for _, k := range keys {
		if expected := k.read(c, value{raw: k.defaultValue()}); expected != "" {
			panic("config: default of " + k.name + ": expected " + expected)
		}
	}
	l.dropShadowed(given)
	for _, k := range keys {
		raw, ok := given[k.name]
		if !ok {
			continue
		}
		delete(given, k.name)
		if expected := k.read(c, value{raw, l.fromEnv[k.name]}); expected != "" {
			l.complain(k, raw, expected)
		}
	}
	l.unknown(given)
	c.derive()
	l.together(c)
	return c
}

// dropShadowed lets a URL in the environment win over a file with the URL named in the configuration file, and the other way
// round; both in one place contradict each other.
func (l *loader) dropShadowed(given map[string]any) {
	for _, name := range []string{"metadata", "blobs", "notify", "outbound.submission"} {
		other := name + "_file"
		if !isSet(given, name) || !isSet(given, other) {
			continue
		}
		switch {
		case l.fromEnv[name] && !l.fromEnv[other]:
			delete(given, other)
		case l.fromEnv[other] && !l.fromEnv[name]:
			delete(given, name)
		default:
			l.problems.add(l.at(other, fmt.Sprintf("%s and %s are both given; expected one of them", name, other)))
		}
	}
}

func isSet(given map[string]any, name string) bool {
	v, ok := given[name]
	return ok && v != ""
}

func (l *loader) complain(k key, raw any, expected string) {
	got := "its value (not shown)"
	if !k.secret {
		got = fmt.Sprintf("%#v", raw)
	}
	l.problems.add(l.at(k.name, got+" is not right; expected "+expected))
}

// unknown complains about what is left after all known keys were taken.
func (l *loader) unknown(given map[string]any) {
	left := make([]string, 0, len(given))
	known := make(map[string]string)
	for _, k := range keys {
		known[k.name] = k.name
	}
	for name := range given {
		left = append(left, name)
	}
	sort.Strings(left)
	for _, name := range left {
		section := false
		for _, k := range keys {
			section = section || strings.HasPrefix(k.name, name+".")
		}
		switch _, isTable := given[name].(map[string]any); {
		case section && isTable: // "[imap]" with nothing in it
		case section:
			l.problems.add(l.at(name, "is a section; expected ["+name+"] and keys below it"))
		default:
			l.problems.add(l.at(name, "unknown key"+didYouMean(name, known)))
		}
	}
}

// together checks what keys say in common.
func (l *loader) together(c *Config) {
	if (c.TLSCert == "") != (c.TLSKey == "") {
		name := "tls.cert"
		if c.TLSCert == "" {
			name = "tls.key"
		}
		l.problems.add(l.at(name, "is given alone; expected tls.cert and tls.key together"))
	}
	lists := make(map[string]bool)
	for i, s := range slices.Concat(c.Sieve.Lists, c.Sieve.RedirectLists) {
		name := "sieve.lists"
		if i >= len(c.Sieve.Lists) {
			name = "sieve.redirect_lists"
		}
		if lists[s.Name] {
			l.problems.add(l.at(name, s.Name+" is given twice; expected a list of each name once"))
		}
		lists[s.Name] = true
	}
	used := make(map[string]string)
	for _, ln := range c.Listeners() {
		if ln.Address == "" || strings.HasSuffix(ln.Address, ":0") {
			continue
		}
		if other, ok := used[ln.Address]; ok {
			l.problems.add(l.at(ln.Key, fmt.Sprintf("%q is the address of %s already; expected one of its own", ln.Address, other)))
		}
		used[ln.Address] = ln.Key
	}
}

// at returns a Problem with a key, pointing at where the key was given.
func (l *loader) at(name, text string) Problem {
	p := Problem{Key: name, Text: text}
	if l.fromEnv[name] {
		p.Env = key{name: name}.env()
	} else if line, ok := l.lines[name]; ok {
		p.File, p.Line = l.file, line
	} else if l.values.Exists(name) {
		p.File = l.file
	}
	return p
}

func unwrapPath(err error) string {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}
