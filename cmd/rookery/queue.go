package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rookery-mail/rookery/metadata"
)

func newQueueCommand() *cobra.Command {
	return group("queue", "Messages that wait to leave by SMTP", newQueueListCommand(), newQueueRetryCommand(), newQueueDropCommand())
}

// queueRow is an item as it is listed.
type queueRow struct {
	ID        string    `json:"id"`
	Kind      string    `json:"kind"`
	State     string    `json:"state"`
	Account   string    `json:"account"`
	From      string    `json:"from"`
	To        string    `json:"to"`
	Bytes     int64     `json:"bytes"`
	Created   time.Time `json:"created"`
	Attempts  int       `json:"attempts"`
	Next      time.Time `json:"next"`
	LastError string    `json:"last_error,omitempty"`
	Sending   bool      `json:"sending"`
}

var queueStates = map[metadata.OutboundState]string{
	metadata.OutboundWaiting: "waiting", metadata.OutboundSent: "sent", metadata.OutboundFailed: "failed", metadata.OutboundDropped: "dropped",
}

// allOutbound reads the queue page by page.
func allOutbound(ctx context.Context, meta metadata.Store, all bool) ([]metadata.OutboundItem, error) {
	q := metadata.OutboundQuery{Limit: 500, All: all}
	var items []metadata.OutboundItem
	for {
		page, err := meta.Outbound(ctx, q)
		if err != nil {
			return nil, err
		}
		items = append(items, page...)
		if len(page) < q.Limit {
			return items, nil
		}
		q.After = page[len(page)-1].ID
	}
}

func newQueueListCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "list", Short: "List what waits", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withMetadata(cmd, func(ctx context.Context, meta metadata.Store) error {
				items, err := allOutbound(ctx, meta, all)
				if err != nil {
					return err
				}
				rows := []queueRow{}
				for i := range items {
					it := &items[i]
					rows = append(rows, queueRow{it.ID.String(), string(it.Kind), queueStates[it.State], it.Account.String(), it.From, it.To,
						it.Body.Stored, it.Created, it.Attempts, it.Next, it.LastError, it.Holder != ""})
				}
				if wantsJSON(cmd) {
					return printJSON(cmd, rows)
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "ID\tKIND\tSTATE\tFROM\tTO\tCREATED\tATTEMPTS\tNEXT\tLAST ERROR")
				for _, r := range rows {
					state, next := r.State, r.Next.Format(time.RFC3339)
					if r.Sending {
						state, next = "sending", "-"
					} else if state != "waiting" {
						next = "-"
					}
					fmt.Fprintf(w, "%s\t%s\t%s\t<%s>\t%s\t%s\t%d\t%s\t%s\n", r.ID, r.Kind, state, r.From, r.To, r.Created.Format(time.RFC3339),
						r.Attempts, next, strings.Join(strings.Fields(r.LastError), " "))
				}
				return w.Flush()
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "also what was sent, failed or dropped in the last day")
	addJSON(cmd)
	return cmd
}

func newQueueRetryCommand() *cobra.Command {
	return queueChange("retry", "Try to send at once what waits for its time", "Due now: %d of %d.\n",
		func(ctx context.Context, meta metadata.Store, ids []metadata.OutboundID) (int, error) {
			return meta.RetryOutbound(ctx, ids)
		})
}

// rememberDropped is how long an item that was dropped is recognised when a delivery that is tried again brings it once more.
const rememberDropped = 24 * time.Hour

func newQueueDropCommand() *cobra.Command {
	return queueChange("drop", "Throw away what waits, without a word to its sender", "Dropped %d of %d.\n",
		func(ctx context.Context, meta metadata.Store, ids []metadata.OutboundID) (int, error) {
			return meta.DropOutbound(ctx, ids, rememberDropped)
		})
}

// queueChange is a command about some items or all.
func queueChange(name, short, done string, change func(context.Context, metadata.Store, []metadata.OutboundID) (int, error)) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: name + " ID...", Short: short,
		RunE: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) > 0) {
				return usageError{errors.New("name items, or all of them with --all")}
			}
			ids := make([]metadata.OutboundID, 0, len(args))
			for _, a := range args {
				id, err := metadata.ParseOutboundID(a)
				if err != nil {
					return usageError{err}
				}
				ids = append(ids, id)
			}
			return withMetadata(cmd, func(ctx context.Context, meta metadata.Store) error {
				if all {
					items, err := allOutbound(ctx, meta, false)
					if err != nil {
						return err
					}
					for i := range items {
						ids = append(ids, items[i].ID)
					}
				}
				changed := 0
				for rest := ids; len(rest) > 0; {
					n := min(len(rest), 200)
					k, err := change(ctx, meta, rest[:n])
					if err != nil {
						return err
					}
					changed, rest = changed+k, rest[n:]
				}
				if wantsJSON(cmd) {
					return printJSON(cmd, map[string]int{"changed": changed, "named": len(ids)})
				}
				fmt.Fprintf(cmd.OutOrStdout(), done, changed, len(ids))
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "everything that waits")
	addJSON(cmd)
	return cmd
}
