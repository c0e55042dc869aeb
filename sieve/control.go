package sieve

// The specs of everything that can be written, by name. They are filled by init functions of the files that hold the
// commands, because a command may contain others.
var (
	commandSpecs = map[string]*spec{}
	testSpecs    = map[string]*spec{}
)

func init() {
	commandSpecs["stop"] = &spec{usage: "stop;", command: func(*compiler, *bound) command { return stopCommand{} }}
	testSpecs["true"] = &spec{usage: "true", test: func(*compiler, *bound) test { return constTest(true) }}
	testSpecs["false"] = &spec{usage: "false", test: func(*compiler, *bound) test { return constTest(false) }}
	testSpecs["not"] = &spec{usage: "not <test>", tests: oneTest, test: func(c *compiler, b *bound) test {
		return notTest{c.test(b.tests[0])}
	}}
	testSpecs["allof"] = &spec{usage: "allof (<test>, <test>, ...)", tests: manyTests, test: func(c *compiler, b *bound) test {
		return allofTest(c.testList(b))
	}}
	testSpecs["anyof"] = &spec{usage: "anyof (<test>, <test>, ...)", tests: manyTests, test: func(c *compiler, b *bound) test {
		return anyofTest(c.testList(b))
	}}
}

func (c *compiler) testList(b *bound) []test {
	out := make([]test, len(b.tests))
	for i, n := range b.tests {
		out[i] = c.test(n)
	}
	return out
}

type stopCommand struct{}

func (stopCommand) run(*machine) error { return errStop }

type constTest bool

func (t constTest) eval(*machine) (bool, error) { return bool(t), nil }

type notTest struct{ test test }

func (t notTest) eval(vm *machine) (bool, error) {
	ok, err := vm.test(t.test)
	return !ok, err
}

type allofTest []test

func (t allofTest) eval(vm *machine) (bool, error) {
	for _, one := range t {
		if ok, err := vm.test(one); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

type anyofTest []test

func (t anyofTest) eval(vm *machine) (bool, error) {
	for _, one := range t {
		if ok, err := vm.test(one); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// test evaluates a test.
func (vm *machine) test(t test) (bool, error) {
	if err := vm.charge(1); err != nil {
		return false, err
	}
	return t.eval(vm)
}

// ifCommand is an if with its elsif and else (RFC 5228 section 3.1).
type ifCommand struct {
	branches  []ifBranch
	otherwise []command
}

type ifBranch struct {
	test  test
	block []command
}

func (i *ifCommand) run(vm *machine) error {
	for _, b := range i.branches {
		ok, err := vm.test(b.test)
		if err != nil {
			return err
		}
		if ok {
			return vm.block(b.block)
		}
	}
	return vm.block(i.otherwise)
}

var (
	ifSpec   = &spec{usage: "if <test> { ... }", tests: oneTest, block: true}
	elseSpec = &spec{usage: "else { ... }", block: true}
)

// ifChain compiles an if with what follows it.
func (c *compiler) ifChain(chain []*node) command {
	out := &ifCommand{}
	for _, n := range chain {
		if n.name == "else" {
			if c.bind(n, elseSpec) != nil {
				out.otherwise = c.commands(n.block)
			}
			continue
		}
		if c.bind(n, ifSpec) == nil {
			if n.hasBlock {
				c.commands(n.block)
			}
			continue
		}
		out.branches = append(out.branches, ifBranch{c.test(n.tests[0]), c.commands(n.block)})
	}
	return out
}
