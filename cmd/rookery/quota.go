package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/rookery-mail/rookery/cmd/rookery/internal/config"
	"github.com/rookery-mail/rookery/directory"
)

func newQuotaCommand() *cobra.Command {
	return group("quota", "What accounts and domains hold and may hold", newQuotaShowCommand(), newQuotaSetCommand(), newQuotaRecountCommand())
}

// quotaRow is an account or a domain as its quota is shown.
type quotaRow struct {
	Of            string `json:"of"` // an address, or "@" and a domain
	UsedBytes     int64  `json:"used_bytes"`
	UsedMessages  int64  `json:"used_messages"`
	QuotaBytes    int64  `json:"quota_bytes"`
	QuotaMessages int64  `json:"quota_messages"`
	Over          bool   `json:"over,omitempty"` // domains: what is for them is refused
}

func newQuotaShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "show [ADDRESS|@DOMAIN]...", Short: "Show quotas, of all accounts and domains with limits if none are named",
		Long: "Shows what accounts and domains hold and may hold. A domain's use is as of some seconds ago.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return withDirectory(cmd, func(ctx context.Context, d *directory.Local) error {
				rows, err := quotaRows(ctx, d, args)
				if err != nil {
					return err
				}
				if wantsJSON(cmd) {
					return printJSON(cmd, rows)
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "OF\tMESSAGES\tBYTES\tQUOTA\tSTATE")
				for _, r := range rows {
					state := ""
					if r.Over {
						state = "over"
					}
					fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\n", r.Of, r.UsedMessages, config.FormatSize(r.UsedBytes), quotaWords(r.QuotaBytes, r.QuotaMessages), state)
				}
				return w.Flush()
			})
		},
	}
	addJSON(cmd)
	return cmd
}

func quotaRows(ctx context.Context, d *directory.Local, args []string) ([]quotaRow, error) {
	rows := []quotaRow{}
	domains, err := d.DomainQuotas(ctx)
	if err != nil {
		return nil, err
	}
	addDomain := func(name string) error {
		for _, q := range domains {
			if name == "" || q.Domain == name {
				rows = append(rows, quotaRow{"@" + q.Domain, q.UsedBytes, q.UsedMessages, q.QuotaBytes, q.QuotaMessages, q.Over})
				if name != "" {
					return nil
				}
			}
		}
		if name != "" {
			return fmt.Errorf("the domain %s has no limits", name)
		}
		return nil
	}
	if len(args) == 0 {
		for a, err := range d.Accounts(ctx) {
			if err != nil {
				return nil, err
			}
			if a.QuotaBytes > 0 || a.QuotaMessages > 0 {
				rows = append(rows, quotaRow{a.Address, a.UsedBytes, a.UsedMessages, a.QuotaBytes, a.QuotaMessages, false})
			}
		}
		return rows, addDomain("")
	}
	for _, arg := range args {
		if domain, ok := strings.CutPrefix(arg, "@"); ok {
			name, err := directory.ParseDomain(domain)
			if err != nil {
				return nil, err
			}
			if err := addDomain(name); err != nil {
				return nil, err
			}
			continue
		}
		a, err := d.Account(ctx, arg)
		if err != nil {
			return nil, err
		}
		rows = append(rows, quotaRow{a.Address, a.UsedBytes, a.UsedMessages, a.QuotaBytes, a.QuotaMessages, false})
	}
	return rows, nil
}

func newQuotaSetCommand() *cobra.Command {
	var size string
	var messages int64
	cmd := &cobra.Command{
		Use: "set ADDRESS|@DOMAIN", Short: "Limit what an account, or all accounts of a domain together, may hold", Args: cobra.ExactArgs(1),
		Example: "  rookery quota set user1@example.org --size 2GiB --messages 100000\n  rookery quota set @example.org --size 1TiB",
		RunE: func(cmd *cobra.Command, args []string) error {
			bytes, ok := config.ParseSize(size)
			if !ok || messages < 0 {
				return usageError{errors.New(`--size takes bytes or a size such as "2GiB", --messages a number; 0 is no limit`)}
			}
			return withDirectory(cmd, func(ctx context.Context, d *directory.Local) error {
				set := d.SetQuota
				if strings.HasPrefix(args[0], "@") {
					set = d.SetDomainQuota
				}
				if err := set(ctx, strings.TrimPrefix(args[0], "@"), bytes, messages); err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "The quota is %s.\n", strings.Replace(quotaWords(bytes, messages), "-", "unlimited", 1))
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&size, "size", "0", "bytes, such as 2GiB; 0 is no limit")
	cmd.Flags().Int64Var(&messages, "messages", 0, "messages; 0 is no limit")
	return cmd
}

// driftRow is a counter that was wrong.
type driftRow struct {
	Address string `json:"address"`
	Mailbox string `json:"mailbox,omitempty"`
	Counter string `json:"counter"`
	Was     int64  `json:"was"`
	Is      int64  `json:"is"`
}

func newQuotaRecountCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "recount [ADDRESS]...", Short: "Count what accounts hold anew, and put wrong counters right",
		Long: "Counts the messages of accounts and their mailboxes and puts counters right that are wrong, which no fault of the server's\n" +
			"should make them. It may run beside servers; changes to an account wait while it is counted.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if all != (len(args) == 0) {
				return usageError{errors.New("name accounts, or say --all")}
			}
			return withDirectory(cmd, func(ctx context.Context, d *directory.Local) error {
				rows := []driftRow{}
				counted := 0
				recount := func(address string) error {
					drifts, err := d.Recount(ctx, address)
					if err != nil {
						return fmt.Errorf("%s: %w", address, err)
					}
					counted++
					for _, r := range drifts {
						rows = append(rows, driftRow{address, r.Mailbox, r.Counter, r.Was, r.Is})
					}
					return nil
				}
				for _, address := range args {
					if err := recount(address); err != nil {
						return err
					}
				}
				if all {
					for a, err := range d.Accounts(ctx) {
						if err == nil {
							err = recount(a.Address)
						}
						if err != nil {
							return err
						}
					}
				}
				if wantsJSON(cmd) {
					return printJSON(cmd, rows)
				}
				for _, r := range rows {
					of := r.Address
					if r.Mailbox != "" {
						of += ", " + r.Mailbox
					}
					fmt.Fprintf(cmd.OutOrStdout(), "%s: %s was %d, is %d\n", of, r.Counter, r.Was, r.Is)
				}
				fmt.Fprintf(cmd.OutOrStdout(), "Counted %d accounts, mended %d counters.\n", counted, len(rows))
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "every account")
	addJSON(cmd)
	return cmd
}
