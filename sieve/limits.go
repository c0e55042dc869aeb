package sieve

import "time"

// Limits bounds what a script may cost. A zero field stands for that of DefaultLimits.
type Limits struct {
	// At compile time; beyond one the script does not compile.

	ScriptSize  int // bytes of a script
	StringSize  int // bytes of one string after its escapes
	Nesting     int // depth of blocks, and of tests
	Commands    int // commands, tests and strings in one script
	RegexSize   int // bytes of a regular expression
	RegexMemory int // instructions of a compiled regular expression; of all in a script ten times as many

	// At run time; beyond one the run ends with a Failure, unless it says otherwise.

	Steps          int           // commands, tests, comparisons, and bytes compared (some 64 to a step); over all scripts of a run
	Actions        int           // actions of one run; by default as many more as Redirects is above its default
	Redirects      int           // of them redirects
	Notifications  int           // of them notifications
	HeaderEdits    int           // headers added and deletions
	Replacements   int           // MIME parts replaced and messages enclosed
	Variables      int           // variables in one scope
	VariableSize   int           // bytes of a variable; a longer value is cut, as RFC 5229 section 3 says
	ExpandedSize   int           // bytes of a string after variables; a longer one is cut
	Includes       int           // scripts included in one run
	IncludeDepth   int           // scripts including one another
	HeaderBytes    int           // bytes of a header that tests look at; what is behind them is not seen
	BodyBytes      int           // bytes of the text of one part that tests look at; what is behind them is not seen
	TotalBodyBytes int64         // bytes of message bodies and of the headers of parts read in one run
	VacationMin    time.Duration // shortest time between answers; a shorter one is raised, as RFC 5230 section 4.1 says
	VacationMax    time.Duration // longest; a longer one is lowered
	DuplicateMax   time.Duration // longest memory for the duplicate test; a longer one is lowered (RFC 7352 section 3.2)
}

// DefaultLimits are the limits a user's script runs under.
var DefaultLimits = Limits{
	ScriptSize:  1 << 20,
	StringSize:  256 << 10,
	Nesting:     32,
	Commands:    50_000,
	RegexSize:   4 << 10,
	RegexMemory: 10_000,

	Steps:          2_000_000,
	Actions:        64,
	Redirects:      8,
	Notifications:  8,
	HeaderEdits:    256,
	Replacements:   64,
	Variables:      256,
	VariableSize:   16 << 10,
	ExpandedSize:   256 << 10,
	Includes:       128,
	IncludeDepth:   10,
	HeaderBytes:    512 << 10,
	BodyBytes:      1 << 20,
	TotalBodyBytes: 256 << 20,
	VacationMin:    time.Minute,
	VacationMax:    90 * 24 * time.Hour,
	DuplicateMax:   30 * 24 * time.Hour,
}

func or[T int | int64 | time.Duration](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

// withDefaults returns l with the default for every field that is zero.
func (l Limits) withDefaults() Limits {
	d := DefaultLimits
	l.ScriptSize = or(l.ScriptSize, d.ScriptSize)
	l.StringSize = or(l.StringSize, d.StringSize)
	l.Nesting = or(l.Nesting, d.Nesting)
	l.Commands = or(l.Commands, d.Commands)
	l.RegexSize = or(l.RegexSize, d.RegexSize)
	l.RegexMemory = or(l.RegexMemory, d.RegexMemory)
	l.Steps = or(l.Steps, d.Steps)
	l.Redirects = or(l.Redirects, d.Redirects)
	l.Actions = or(l.Actions, d.Actions+max(l.Redirects-d.Redirects, 0))
	l.Notifications = or(l.Notifications, d.Notifications)
	l.HeaderEdits = or(l.HeaderEdits, d.HeaderEdits)
	l.Replacements = or(l.Replacements, d.Replacements)
	l.Variables = or(l.Variables, d.Variables)
	l.VariableSize = or(l.VariableSize, d.VariableSize)
	l.ExpandedSize = or(l.ExpandedSize, d.ExpandedSize)
	l.Includes = or(l.Includes, d.Includes)
	l.IncludeDepth = or(l.IncludeDepth, d.IncludeDepth)
	l.HeaderBytes = or(l.HeaderBytes, d.HeaderBytes)
	l.BodyBytes = or(l.BodyBytes, d.BodyBytes)
	l.TotalBodyBytes = or(l.TotalBodyBytes, d.TotalBodyBytes)
	l.VacationMin = or(l.VacationMin, d.VacationMin)
	l.VacationMax = or(l.VacationMax, d.VacationMax)
	l.DuplicateMax = or(l.DuplicateMax, d.DuplicateMax)
	return l
}
