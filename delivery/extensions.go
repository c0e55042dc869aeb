package delivery

import "github.com/rookery-mail/rookery/sieve"

// Extensions returns what scripts may require here: every extension of the language.
func Extensions() []string { return sieve.Extensions() }
