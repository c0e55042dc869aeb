package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rookery-mail/rookery/cmd/rookery/internal/config"
	"github.com/rookery-mail/rookery/directory"
)

func newAccountCommand() *cobra.Command {
	return group("account", "Add, list, change and remove accounts", newAccountAddCommand(), newAccountListCommand(),
		newAccountPasswdCommand(), newAccountQuotaCommand(), newAccountDetailMailboxCommand(), newAccountAddressbookCommand(), newAccountRemoveCommand(), newAccountImportCommand(),
		newAccountImportUIDLCommand())
}

func newAccountAddCommand() *cobra.Command {
	var fromStdin bool
	cmd := &cobra.Command{
		Use: "add ADDRESS", Short: "Add an account with INBOX, Drafts, Sent, Junk, Trash and Archive", Args: cobra.ExactArgs(1),
		Long: "Adds an account. The password is asked for on a terminal, or read from standard input with --password-stdin;\n" +
			"otherwise one is generated and printed.",
		RunE: func(cmd *cobra.Command, args []string) error {
			password, generated, err := newPassword(cmd, fromStdin, args[0])
			if err != nil {
				return err
			}
			return withDirectory(cmd, func(ctx context.Context, d *directory.Local) error {
				a, err := d.AddAccount(ctx, args[0], password)
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "Added %s.\n", a.Address)
				printGenerated(cmd, password, generated)
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&fromStdin, "password-stdin", false, "read the password from the first line of standard input")
	return cmd
}

func newAccountPasswdCommand() *cobra.Command {
	var fromStdin bool
	cmd := &cobra.Command{
		Use: "passwd ADDRESS", Short: "Set an account's password", Args: cobra.ExactArgs(1),
		Long: "Sets an account's password, at once on every node. Sessions that are logged in stay. The password comes from where\n" +
			"\"account add\" takes it.",
		RunE: func(cmd *cobra.Command, args []string) error {
			password, generated, err := newPassword(cmd, fromStdin, args[0])
			if err != nil {
				return err
			}
			return withDirectory(cmd, func(ctx context.Context, d *directory.Local) error {
				if err := d.SetPassword(ctx, args[0], password); err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), "The password is set.")
				printGenerated(cmd, password, generated)
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&fromStdin, "password-stdin", false, "read the password from the first line of standard input")
	return cmd
}

// accountRow is an account as it is listed.
type accountRow struct {
	Address       string    `json:"address"`
	ID            string    `json:"id"`
	UsedBytes     int64     `json:"used_bytes"`
	UsedMessages  int64     `json:"used_messages"`
	QuotaBytes    int64     `json:"quota_bytes"`
	QuotaMessages int64     `json:"quota_messages"`
	Disabled      bool      `json:"disabled"`
	Created       time.Time `json:"created"`
}

func newAccountListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "List accounts", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withDirectory(cmd, func(ctx context.Context, d *directory.Local) error {
				rows := []accountRow{}
				for a, err := range d.Accounts(ctx) {
					if err != nil {
						return err
					}
					rows = append(rows, accountRow{a.Address, a.ID.String(), a.UsedBytes, a.UsedMessages, a.QuotaBytes, a.QuotaMessages, a.Disabled, a.Created})
				}
				if wantsJSON(cmd) {
					return printJSON(cmd, rows)
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "ADDRESS\tMESSAGES\tBYTES\tQUOTA\tSTATE")
				for _, r := range rows {
					state := "active"
					if r.Disabled {
						state = "disabled"
					}
					fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\n", r.Address, r.UsedMessages, config.FormatSize(r.UsedBytes), quotaWords(r.QuotaBytes, r.QuotaMessages), state)
				}
				return w.Flush()
			})
		},
	}
	addJSON(cmd)
	return cmd
}

func quotaWords(bytes, messages int64) string {
	var parts []string
	if bytes > 0 {
		parts = append(parts, config.FormatSize(bytes))
	}
	if messages > 0 {
		parts = append(parts, fmt.Sprintf("%d messages", messages))
	}
	if len(parts) == 0 {
		return "-"
	}
	return strings.Join(parts, ", ")
}

func newAccountQuotaCommand() *cobra.Command {
	var size string
	var messages int64
	cmd := &cobra.Command{
		Use: "quota ADDRESS", Short: "Limit what an account may store", Args: cobra.ExactArgs(1),
		Example: "  rookery account quota user1@example.org --size 2GiB --messages 100000",
		RunE: func(cmd *cobra.Command, args []string) error {
			bytes, ok := config.ParseSize(size)
			if !ok || messages < 0 {
				return usageError{errors.New(`--size takes bytes or a size such as "2GiB", --messages a number; 0 is no limit`)}
			}
			return withDirectory(cmd, func(ctx context.Context, d *directory.Local) error {
				if err := d.SetQuota(ctx, args[0], bytes, messages); err != nil {
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

func newAccountRemoveCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "remove ADDRESS", Short: "Remove an account and all its mail", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withDirectory(cmd, func(ctx context.Context, d *directory.Local) error {
				a, err := d.Account(ctx, args[0])
				if err != nil {
					return err
				}
				if !yes {
					if !isTerminal(cmd.InOrStdin()) {
						return usageError{errors.New("removing an account asks first, and there is no terminal to ask on; say --yes")}
					}
					fmt.Fprintf(cmd.OutOrStdout(), "Remove %s with %d messages for good? [y/N] ", a.Address, a.UsedMessages)
					answer, _ := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
					if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
						return errors.New("nothing was removed")
					}
				}
				if err := d.RemoveAccount(ctx, a.Address); err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "Removed %s.\n", a.Address)
				return nil
			})
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}
