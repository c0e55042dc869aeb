package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/rookery-mail/rookery/directory"
)

func newSharedCommand() *cobra.Command {
	return group("shared", "Mailboxes that belong to a domain, under Shared/ in IMAP", newSharedCreateCommand(), newSharedListCommand())
}

func newSharedCreateCommand() *cobra.Command {
	var admins []string
	var address string
	cmd := &cobra.Command{
		Use: "create DOMAIN", Short: "Give a domain shared mailboxes and say who administers them", Args: cobra.ExactArgs(1),
		Long: "Makes the account that owns the mailboxes under Shared/ of a domain; nobody can log in as it. Administrators have all\n" +
			"rights on Shared/INBOX, which mailboxes that are created directly under Shared/ inherit. They create them and say who\n" +
			"may use them with any IMAP client that knows ACL. Run it again to add administrators.",
		Example: "  rookery shared create example.org --admin alice@example.org --admin bob@example.org",
		RunE: func(cmd *cobra.Command, args []string) error {
			return withDirectory(cmd, func(ctx context.Context, d *directory.Local) error {
				a, err := d.CreateShared(ctx, args[0], address, admins...)
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "The shared mailboxes belong to %s.\n", a.Address)
				return nil
			})
		},
	}
	cmd.Flags().StringArrayVar(&admins, "admin", nil, "account of the domain that gets all rights; may be repeated")
	cmd.Flags().StringVar(&address, "address", "", `address of the new account (default "`+directory.SharedLocalPart+`" in the domain)`)
	return cmd
}

// sharedRow is a shared account as it is listed.
type sharedRow struct {
	Domain  string `json:"domain"`
	Address string `json:"address"`
	ID      string `json:"id"`
}

func newSharedListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "List the domains that have shared mailboxes", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withDirectory(cmd, func(ctx context.Context, d *directory.Local) error {
				all, err := d.SharedAccounts(ctx)
				if err != nil {
					return err
				}
				rows := []sharedRow{}
				for _, a := range all {
					rows = append(rows, sharedRow{a.Domain, a.Address, a.Account.String()})
				}
				if wantsJSON(cmd) {
					return printJSON(cmd, rows)
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "DOMAIN\tOWNER")
				for _, r := range rows {
					fmt.Fprintf(w, "%s\t%s\n", r.Domain, r.Address)
				}
				return w.Flush()
			})
		},
	}
	addJSON(cmd)
	return cmd
}
