package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/rookery-mail/rookery/directory"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

func newDomainCommand() *cobra.Command {
	return group("domain", "Rules for all addresses of a domain", newDomainAddCommand(), newDomainSetCommand(), newDomainListCommand(),
		newDomainRemoveCommand())
}

// domainFlags are what can be said about a domain.
type domainFlags struct {
	aliasOf, catchAll, delimiter, letters, details string
}

func (f *domainFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.aliasOf, "alias-of", "", "the domain whose addresses these stand for, where this one has none itself")
	cmd.Flags().StringVar(&f.catchAll, "catch-all", "", "the address that mail for unknown addresses goes to")
	cmd.Flags().StringVar(&f.delimiter, "delimiter", "", `between user and detail; "none": no details; "": as configured`)
	cmd.Flags().StringVar(&f.letters, "case", "fold", "of local parts: fold (it does not matter) or keep (it does)")
	cmd.Flags().StringVar(&f.details, "detail-mailbox", "default", "whether mail for user+detail goes to the mailbox of that name: on, off or default (as configured)")
}

// apply puts the flags that were given into d.
func (f *domainFlags) apply(cmd *cobra.Command, d *metadata.Domain) error {
	given := cmd.Flags().Changed
	if given("alias-of") {
		d.AliasOf = f.aliasOf
	}
	if given("catch-all") {
		d.CatchAll = f.catchAll
	}
	if given("delimiter") {
		d.Delimiter = f.delimiter
	}
	if given("case") {
		if f.letters != "fold" && f.letters != "keep" {
			return usageError{errors.New("--case is fold or keep")}
		}
		d.KeepCase = f.letters == "keep"
	}
	if given("detail-mailbox") {
		to, ok := switches["default"][f.details]
		if !ok {
			return usageError{errors.New("--detail-mailbox is on, off or default")}
		}
		d.DetailMailbox = to
	}
	return nil
}

// switches are the words for a switch, by the word for leaving it to the level above.
var switches = map[string]map[string]metadata.Switch{
	"default": {"on": metadata.On, "off": metadata.Off, "default": metadata.Inherit},
	"domain":  {"on": metadata.On, "off": metadata.Off, "domain": metadata.Inherit},
}

func switchWord(s metadata.Switch) string {
	for word, v := range switches["default"] {
		if v == s {
			return word
		}
	}
	return fmt.Sprint(int(s))
}

func newDomainAddCommand() *cobra.Command {
	var flags domainFlags
	cmd := &cobra.Command{
		Use: "add DOMAIN", Short: "Add rules for a domain", Args: cobra.ExactArgs(1),
		Long: "Adds rules for a domain. Accounts and aliases of a domain need none: this is for those that differ from the configuration,\n" +
			"have a catch-all, or stand for another domain. Nodes notice within five seconds.",
		Example: "  rookery domain add example.org --catch-all postmaster@example.org\n  rookery domain add example.net --alias-of example.org",
		RunE: func(cmd *cobra.Command, args []string) error {
			return withDirectory(cmd, func(ctx context.Context, d *directory.Local) error {
				switch _, err := d.Domain(ctx, args[0]); {
				case err == nil:
					return fmt.Errorf("there are rules for %s already; `rookery domain set` changes them", args[0])
				case !mailerr.Is(err, mailerr.NotFound):
					return err
				}
				return flags.store(ctx, cmd, d, metadata.Domain{Name: args[0]}, "Added")
			})
		},
	}
	flags.add(cmd)
	return cmd
}

func newDomainSetCommand() *cobra.Command {
	var flags domainFlags
	cmd := &cobra.Command{
		Use: "set DOMAIN", Short: "Change rules of a domain", Args: cobra.ExactArgs(1),
		Long:    "Changes those rules of a domain that are given.",
		Example: "  rookery domain set example.org --detail-mailbox on --catch-all \"\"",
		RunE: func(cmd *cobra.Command, args []string) error {
			return withDirectory(cmd, func(ctx context.Context, d *directory.Local) error {
				dom, err := d.Domain(ctx, args[0])
				if err != nil {
					return err
				}
				return flags.store(ctx, cmd, d, *dom, "Changed")
			})
		},
	}
	flags.add(cmd)
	return cmd
}

func (f *domainFlags) store(ctx context.Context, cmd *cobra.Command, d *directory.Local, dom metadata.Domain, done string) error {
	if err := f.apply(cmd, &dom); err != nil {
		return err
	}
	stored, err := d.SetDomain(ctx, dom)
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s %s.\n", done, stored.Name)
	return nil
}

// domainRow is a domain as it is listed.
type domainRow struct {
	Name          string `json:"name"`
	AliasOf       string `json:"alias_of"`
	CatchAll      string `json:"catch_all"`
	Delimiter     string `json:"delimiter"`
	Case          string `json:"case"`
	DetailMailbox string `json:"detail_mailbox"`
}

func newDomainListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "List domains with rules", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withDirectory(cmd, func(ctx context.Context, d *directory.Local) error {
				rows := []domainRow{}
				for dom, err := range d.Domains(ctx) {
					if err != nil {
						return err
					}
					r := domainRow{dom.Name, dom.AliasOf, dom.CatchAll, dom.Delimiter, "fold", switchWord(dom.DetailMailbox)}
					if dom.KeepCase {
						r.Case = "keep"
					}
					rows = append(rows, r)
				}
				if wantsJSON(cmd) {
					return printJSON(cmd, rows)
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "DOMAIN\tALIAS OF\tCATCH-ALL\tDELIMITER\tCASE\tDETAIL MAILBOX")
				for _, r := range rows {
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Name, dash(r.AliasOf), dash(r.CatchAll), dash(r.Delimiter), r.Case, r.DetailMailbox)
				}
				return w.Flush()
			})
		},
	}
	addJSON(cmd)
	return cmd
}

// dash stands for nothing in a table.
func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func newDomainRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "remove DOMAIN", Short: "Remove the rules of a domain", Args: cobra.ExactArgs(1),
		Long: "Removes a domain's rules. Its accounts and aliases stay.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return withDirectory(cmd, func(ctx context.Context, d *directory.Local) error {
				if err := d.RemoveDomain(ctx, args[0]); err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "Removed %s.\n", args[0])
				return nil
			})
		},
	}
}
