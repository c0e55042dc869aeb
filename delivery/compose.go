package delivery

import (
	"context"

	"github.com/rookery-mail/rookery/sieve"
)

func (t *transaction) vacation(_ context.Context, _ *plan, _ *sieve.Vacation) error {
	return errNoServer
}
func (t *transaction) notify(_ context.Context, _ *plan, _ *sieve.Notify, _ int) error {
	return errNoServer
}
func (t *transaction) reject(_ context.Context, p *plan, a *sieve.Reject) error {
	p.err = refused(a.Reason)
	return nil
}
