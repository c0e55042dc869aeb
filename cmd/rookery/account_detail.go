package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rookery-mail/rookery/directory"
)

func newAccountDetailMailboxCommand() *cobra.Command {
	return &cobra.Command{
		Use: "detail-mailbox ADDRESS on|off|domain", Short: "Let mail for user+detail go to the mailbox of that name", Args: cobra.ExactArgs(2),
		Long: "Says for one account whether mail for user+detail goes to the mailbox called detail, if there is one; \"domain\" leaves it to\n" +
			"the account's domain.",
		RunE: func(cmd *cobra.Command, args []string) error {
			to, ok := switches["domain"][args[1]]
			if !ok {
				return usageError{errors.New("expected on, off or domain")}
			}
			return withDirectory(cmd, func(ctx context.Context, d *directory.Local) error {
				if err := d.SetDetailMailbox(ctx, args[0], to); err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "Set to %s.\n", args[1])
				return nil
			})
		},
	}
}
