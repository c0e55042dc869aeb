package delivery

import (
	"slices"

	"github.com/rookery-mail/rookery/sieve"
)

// unserved are the extensions whose part in a delivery is not there: there are no external lists.
var unserved = []string{"extlists", "virustest"}

// Extensions returns what scripts may require here: every extension of the language that a delivery serves.
func Extensions() []string {
	return slices.DeleteFunc(sieve.Extensions(), func(e string) bool { return slices.Contains(unserved, e) })
}
