package bench

import (
	"context"
	"time"
)

// ColdSelectOptions say which mailbox to select in a server that has just started.
type ColdSelectOptions struct {
	Server  IMAPServer
	Mailbox string // which exists
	Rounds  int
	Command []string // starts the server
}

// ColdSelect starts a server some times, and measures the first SELECT of a mailbox and the one after it.
func ColdSelect(ctx context.Context, o ColdSelectOptions) ([]Result, error) {
	rounds := [2][]round{}
	exists := 0
	for range max(o.Rounds, 1) {
		err := serving(ctx, o.Server.Addr, o.Command, func(ctx context.Context, _ time.Duration) error {
			c, err := o.Server.login(ctx)
			if err != nil {
				return err
			}
			defer c.conn.Close()
			for i := range rounds {
				r, err := c.timed("SELECT " + quote(o.Mailbox))
				if err != nil {
					return err
				}
				rounds[i] = append(rounds[i], r)
				exists = r.a.exists
				if _, err := c.command("UNSELECT"); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	results := []Result{medianOf("SELECT, cold", 1, rounds[0]), medianOf("SELECT, warm", 1, rounds[1])}
	for i := range results {
		results[i].Extra["messages"] = float64(exists)
	}
	return results, nil
}
