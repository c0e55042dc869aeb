package sieve

// loop is a foreverypart that runs.
type loop struct {
	name    string
	current *part
}

// currentPart returns the part of the innermost loop, the whole message outside of any.
func (vm *machine) currentPart() (*part, error) {
	if n := len(vm.loops); n > 0 {
		return vm.loops[n-1].current, nil
	}
	return vm.doc.parts()
}
