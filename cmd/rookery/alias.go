package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/rookery-mail/rookery/directory"
)

func newAliasCommand() *cobra.Command {
	return group("alias", "Addresses that stand for other addresses", newAliasAddCommand(), newAliasListCommand(), newAliasRemoveCommand())
}

func newAliasAddCommand() *cobra.Command {
	return &cobra.Command{
		Use: "add ALIAS TARGET...", Short: "Let an address stand for others", Args: cobra.MinimumNArgs(2),
		Long:    "Lets an address stand for one or more others, in place of what it stood for before. Targets are accounts or other aliases.",
		Example: "  rookery alias add postmaster@example.org alice@example.org bob@example.org",
		RunE: func(cmd *cobra.Command, args []string) error {
			return withDirectory(cmd, func(ctx context.Context, d *directory.Local) error {
				a, err := d.SetAlias(ctx, args[0], args[1:]...)
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s stands for %s.\n", a.Address, strings.Join(a.Targets, ", "))
				return nil
			})
		},
	}
}

// aliasRow is an alias as it is listed.
type aliasRow struct {
	Address string   `json:"address"`
	Targets []string `json:"targets"`
}

func newAliasListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "List aliases", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withDirectory(cmd, func(ctx context.Context, d *directory.Local) error {
				rows := []aliasRow{}
				for a, err := range d.Aliases(ctx) {
					if err != nil {
						return err
					}
					rows = append(rows, aliasRow{a.Address, a.Targets})
				}
				if wantsJSON(cmd) {
					return printJSON(cmd, rows)
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "ALIAS\tSTANDS FOR")
				for _, r := range rows {
					fmt.Fprintf(w, "%s\t%s\n", r.Address, strings.Join(r.Targets, ", "))
				}
				return w.Flush()
			})
		},
	}
	addJSON(cmd)
	return cmd
}

func newAliasRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "remove ALIAS", Short: "Remove an alias", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withDirectory(cmd, func(ctx context.Context, d *directory.Local) error {
				if err := d.RemoveAlias(ctx, args[0]); err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "Removed %s.\n", args[0])
				return nil
			})
		},
	}
}
