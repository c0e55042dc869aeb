package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rookery-mail/rookery/cmd/rookery/internal/config"
	"github.com/rookery-mail/rookery/delivery"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/sieve"
)

func newAccountAddressbookCommand() *cobra.Command {
	var name string
	var remove bool
	cmd := &cobra.Command{
		Use: "addressbook ADDRESS [FILE]", Short: "Show or replace an account's address book for Sieve scripts", Args: cobra.RangeArgs(1, 2),
		Long: "Prints an address book, one member a line, or stores the one in FILE (- is standard input). Scripts find it as\n" +
			"\":addrbook:default\" (extlists), IMAP clients as the annotation " + delivery.AddressBookEntry + ".",
		Example: "  rookery account addressbook anna@example.org friends.txt",
		RunE: func(cmd *cobra.Command, args []string) error {
			list, _ := sieve.CanonicalList(":addrbook:" + name)
			entry, ok := delivery.AddressBook(list)
			if !ok || mailstore.CheckEntry(entry) != nil {
				return usageError{fmt.Errorf("%q is no name of an address book", name)}
			}
			if remove && len(args) > 1 {
				return usageError{errors.New("say --remove or name a file")}
			}
			var text []byte // nil: none
			if len(args) > 1 {
				raw, err := readInput(cmd, args[1], metadata.MaxAnnotationValue+1)
				if err != nil {
					return err
				}
				if len(raw) > metadata.MaxAnnotationValue {
					return fmt.Errorf("an address book has at most %d bytes", metadata.MaxAnnotationValue)
				}
				text = append([]byte{}, raw...)
			}
			cfg, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			return withMetadata(cmd, func(ctx context.Context, meta metadata.Store) error {
				d, err := newDirectory(cfg, meta, newLog(cmd.ErrOrStderr(), config.Log{Level: "warn"}))
				if err != nil {
					return err
				}
				account, err := d.Account(ctx, args[0])
				if err != nil {
					return err
				}
				if len(args) == 1 && !remove {
					return showAddressbook(ctx, cmd, meta, account.ID, entry)
				}
				err = meta.SetAnnotations(ctx, metadata.SetAnnotations{Account: account.ID, Mailbox: metadata.ServerAnnotations,
					Changes: []metadata.AnnotationChange{{Entry: entry, Value: text}}})
				if err != nil {
					return err
				}
				if remove {
					fmt.Fprintln(cmd.OutOrStdout(), "Removed.")
				} else {
					fmt.Fprintf(cmd.OutOrStdout(), "Stored, members: %d.\n", sieve.ParseList(string(text)).Len())
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&name, "name", "default", "the address book")
	cmd.Flags().BoolVar(&remove, "remove", false, "remove it")
	return cmd
}

func showAddressbook(ctx context.Context, cmd *cobra.Command, meta metadata.Store, account metadata.AccountID, entry string) error {
	found, err := meta.Annotations(ctx, metadata.AnnotationQuery{Account: account, Mailboxes: []metadata.MailboxID{metadata.ServerAnnotations},
		Entries: []string{entry}, MaxSize: metadata.MaxAnnotationValue})
	for i := range found {
		if _, err := cmd.OutOrStdout().Write(found[i].Value); err != nil {
			return err
		}
	}
	return err
}
