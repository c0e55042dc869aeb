package sieve

import "unicode/utf8"

// argKind is what an argument is.
type argKind uint8

const (
	argNone argKind = iota
	argTag
	argNumber
	argString
	argList // a string list in brackets; where one is wanted, a string is one too
)

// str is a string as the script has it, after lexical escapes.
type str struct {
	pos  Pos
	text string
}

// argument is an argument of a command or test, before anybody knows what it is for.
type argument struct {
	kind    argKind
	pos     Pos
	tag     string
	number  int64
	strings []str // of a string, one
}

// node is a command or a test of RFC 5228 section 8.2.
type node struct {
	pos      Pos
	name     string // lower case
	args     []argument
	tests    []*node
	listed   bool // the tests stand in parentheses
	block    []*node
	hasBlock bool
}

// parser reads the generic grammar; what commands there are it does not know.
type parser struct {
	lex      lexer
	tok      token
	limits   Limits
	depth    int
	commands int
}

// parse reads a script. The error is a *syntaxError.
func parse(source string, limits Limits) ([]*node, error) {
	if len(source) > limits.ScriptSize {
		return nil, syntaxf(Pos{}, "the script has %d bytes; at most %d are allowed", len(source), limits.ScriptSize)
	}
	if len(source) >= 3 && source[:3] == "\ufeff" {
		source = source[3:]
	}
	p := &parser{lex: lexer{src: source, line: 1, maxString: limits.StringSize}, limits: limits}
	if !utf8.ValidString(source) {
		for i, r := range source {
			if r == utf8.RuneError {
				if _, n := utf8.DecodeRuneInString(source[i:]); n == 1 {
					p.lex.advance(i)
					return nil, syntaxf(p.lex.pos(), "the script is not in UTF-8 here")
				}
			}
		}
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	nodes, err := p.commandList()
	if err != nil {
		return nil, err
	}
	if p.tok.kind != tokenEnd {
		if p.mark("}") {
			return nil, syntaxf(p.tok.pos, `this "}" closes a block that was never opened`)
		}
		return nil, syntaxf(p.tok.pos, "a command was expected, not %v", p.tok)
	}
	return nodes, nil
}

func (p *parser) advance() (err error) {
	p.tok, err = p.lex.next()
	return err
}

func (p *parser) mark(text string) bool { return p.tok.kind == tokenMark && p.tok.text == text }

// commandList reads commands up to something that is none.
func (p *parser) commandList() ([]*node, error) {
	var out []*node
	for p.tok.kind == tokenIdentifier {
		n, err := p.command()
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

// head reads the identifier of a command or test.
func (p *parser) head() (*node, error) {
	if err := p.count(); err != nil {
		return nil, err
	}
	p.depth++
	if p.depth > p.limits.Nesting {
		return nil, syntaxf(p.tok.pos, "blocks and tests are nested more than %d deep", p.limits.Nesting)
	}
	n := &node{pos: p.tok.pos, name: asciiLower(p.tok.text)}
	return n, p.advance()
}

// count counts a command, test or string.
func (p *parser) count() error {
	if p.commands++; p.commands > p.limits.Commands {
		return syntaxf(p.tok.pos, "the script has more than %d commands, tests and strings", p.limits.Commands)
	}
	return nil
}

func (p *parser) command() (*node, error) {
	n, err := p.head()
	if err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	if err := p.arguments(n); err != nil {
		return nil, err
	}
	switch {
	case p.mark(";"):
		return n, p.advance()
	case p.mark("{"):
		open := p.tok.pos
		n.hasBlock = true
		if err := p.advance(); err != nil {
			return nil, err
		}
		if n.block, err = p.commandList(); err != nil {
			return nil, err
		}
		if p.tok.kind == tokenEnd {
			return nil, syntaxf(open, `the block that begins here has no closing "}"`)
		}
		if !p.mark("}") {
			return nil, syntaxf(p.tok.pos, `a command or "}" was expected, not %v`, p.tok)
		}
		return n, p.advance()
	case p.mark(","):
		return nil, syntaxf(p.tok.pos, `a "," has no meaning here; several strings stand in brackets, as in: ["a", "b"]`)
	default:
		return nil, syntaxf(p.tok.pos, `a ";" is missing after %q: found %v`, n.name, p.tok)
	}
}

func (p *parser) test() (*node, error) {
	if p.tok.kind != tokenIdentifier {
		return nil, syntaxf(p.tok.pos, "a test was expected, not %v", p.tok)
	}
	n, err := p.head()
	if err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	return n, p.arguments(n)
}

// arguments reads arguments, then a test or a list of tests.
func (p *parser) arguments(n *node) error {
	for {
		a := argument{pos: p.tok.pos}
		switch {
		case p.tok.kind == tokenTag:
			a.kind, a.tag = argTag, p.tok.text
		case p.tok.kind == tokenNumber:
			a.kind, a.number = argNumber, p.tok.number
		case p.tok.kind == tokenString:
			if err := p.count(); err != nil {
				return err
			}
			a.kind, a.strings = argString, []str{{p.tok.pos, p.tok.text}}
		case p.mark("["):
			var err error
			if a, err = p.stringList(); err != nil {
				return err
			}
			n.args = append(n.args, a)
			continue
		default:
			return p.testArguments(n)
		}
		n.args = append(n.args, a)
		if err := p.advance(); err != nil {
			return err
		}
	}
}

func (p *parser) stringList() (argument, error) {
	a := argument{kind: argList, pos: p.tok.pos}
	for {
		if err := p.advance(); err != nil {
			return a, err
		}
		if p.mark("]") && len(a.strings) == 0 {
			return a, syntaxf(p.tok.pos, "a list of strings must not be empty")
		}
		if p.tok.kind != tokenString {
			return a, syntaxf(p.tok.pos, "a string was expected in this list, not %v", p.tok)
		}
		if err := p.count(); err != nil {
			return a, err
		}
		a.strings = append(a.strings, str{p.tok.pos, p.tok.text})
		if err := p.advance(); err != nil {
			return a, err
		}
		if p.mark("]") {
			return a, p.advance()
		}
		if !p.mark(",") {
			return a, syntaxf(p.tok.pos, `"," or "]" was expected in this list, not %v`, p.tok)
		}
	}
}

func (p *parser) testArguments(n *node) error {
	if p.tok.kind == tokenIdentifier {
		t, err := p.test()
		n.tests = []*node{t}
		return err
	}
	if !p.mark("(") {
		return nil
	}
	n.listed = true
	for {
		if err := p.advance(); err != nil {
			return err
		}
		t, err := p.test()
		if err != nil {
			return err
		}
		n.tests = append(n.tests, t)
		if p.mark(")") {
			return p.advance()
		}
		if !p.mark(",") {
			return syntaxf(p.tok.pos, `"," or ")" was expected after the test %q, not %v`, t.name, p.tok)
		}
	}
}
