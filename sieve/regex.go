package sieve

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// compiledRegex is a regular expression of draft-murchison-sieve-regex-07 with the size of its program.
type compiledRegex struct {
	*regexp.Regexp
	size int
}

// compileRegex reads an extended regular expression. It is run by RE2 with POSIX's leftmost-longest rule: in time linear in
// the value, and so without back-references. What RE2 has beyond POSIX, as `\d`, is accepted.
func compileRegex(source string, cmp comparator, limits Limits) (*compiledRegex, error) {
	if len(source) > limits.RegexSize {
		return nil, fmt.Errorf("the regular expression has more than %d bytes", limits.RegexSize)
	}
	flags := "(?s)"
	if cmp != octet {
		flags = "(?si)"
	}
	parsed, err := syntax.Parse(flags+source, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("the regular expression %q is wrong: %w", source, regexProblem(err))
	}
	prog, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, fmt.Errorf("the regular expression %q is wrong: %w", source, regexProblem(err))
	}
	if len(prog.Inst) > limits.RegexMemory {
		return nil, fmt.Errorf("the regular expression %q is too complicated", source)
	}
	re, err := regexp.Compile(flags + source)
	if err != nil {
		return nil, fmt.Errorf("the regular expression %q is wrong: %w", source, regexProblem(err))
	}
	re.Longest()
	return &compiledRegex{re, len(prog.Inst)}, nil
}

// regexProblem drops what the library's errors repeat.
func regexProblem(err error) error {
	if e, ok := err.(*syntax.Error); ok { //nolint:errorlint // what regexp/syntax returns
		return fmt.Errorf("%s at %q", e.Code, strings.TrimPrefix(strings.TrimPrefix(e.Expr, "(?si)"), "(?s)"))
	}
	return err
}

// quoteRegex puts a backslash before every character with a meaning: ":quoteregex" of the draft's section 6.
func quoteRegex(s string) string { return regexp.QuoteMeta(s) }
