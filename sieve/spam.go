package sieve

import "strconv"

func init() {
	testSpecs["spamtest"] = &spec{
		ext: extSpamtest, args: []argKind{argString}, usage: `spamtest [:percent] [:value <relation>] <value>`,
		tags: tags(comparatorTags, matchTags, []tagSpec{{name: "percent", ext: extSpamtestplus}}),
		test: func(c *compiler, b *bound) test {
			percent := b.has("percent")
			return &scoreTest{c.matcher(b, b.pos[0]), func(vm *machine) (string, bool) { return spamValue(vm.in.Spam, percent) }}
		},
	}
	testSpecs["virustest"] = &spec{
		ext: extVirustest, args: []argKind{argString}, usage: `virustest [:value <relation>] <value>`,
		tags: tags(comparatorTags, matchTags),
		test: func(c *compiler, b *bound) test {
			return &scoreTest{c.matcher(b, b.pos[0]), func(vm *machine) (string, bool) {
				return strconv.Itoa(max(0, min(vm.in.Virus, 5))), vm.in.Virus > 0
			}}
		},
	}
}

// spamValue returns the value of a spamtest (RFC 5235 section 3.2): 0 is not tested, 1 is no spam, 10 certainly spam; with
// ":percent" 0 to 100. tested is what ":count" counts (section 3.1).
func spamValue(score *float64, percent bool) (value string, tested bool) {
	if score == nil {
		return "0", false
	}
	p := max(0, min(*score, 100))
	if percent {
		return strconv.Itoa(int(p + 0.5)), true
	}
	return strconv.Itoa(1 + int(p*9/100+0.5)), true
}

type scoreTest struct {
	match *matcher
	value func(*machine) (value string, tested bool)
}

func (t *scoreTest) eval(vm *machine) (bool, error) {
	value, tested := t.value(vm)
	if t.match.kind == matchCount && !tested {
		return t.match.any(vm, nil)
	}
	return t.match.any(vm, []string{value})
}
