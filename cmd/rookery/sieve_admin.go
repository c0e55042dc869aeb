package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rookery-mail/rookery/cmd/rookery/internal/config"
	"github.com/rookery-mail/rookery/delivery"
	"github.com/rookery-mail/rookery/directory"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/sieve"
)

// scriptOwner is whose scripts a command is about, from its flags.
type scriptOwner struct{ account, scope, domain string }

func (o *scriptOwner) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.account, "account", "", "the account whose scripts these are")
	cmd.Flags().StringVar(&o.scope, "scope", "", "the administrator's: before or after the accounts' scripts, or shared (for include :global)")
	cmd.Flags().StringVar(&o.domain, "domain", "", "with --scope before or after: only for accounts of this domain")
}

// find returns the owner. It looks for the account.
func (o *scriptOwner) find(ctx context.Context, d *directory.Local) (metadata.ScriptOwner, error) {
	place := metadata.ScriptPlace(o.scope)
	switch {
	case (o.account == "") == (o.scope == ""):
		return "", usageError{errors.New("--account or --scope is needed, and not both")}
	case o.account != "" && o.domain != "", o.domain != "" && place == metadata.ScriptsShared:
		return "", usageError{errors.New("--domain goes with --scope before or --scope after")}
	case o.account != "":
		a, err := d.Account(ctx, o.account)
		if err != nil {
			return "", err
		}
		return metadata.AccountScripts(a.ID), nil
	case place != metadata.ScriptsBefore && place != metadata.ScriptsAfter && place != metadata.ScriptsShared:
		return "", usageError{errors.New("--scope is before, after or shared")}
	case o.domain == "":
		return metadata.AdminScripts(place, ""), nil
	}
	domain, err := directory.ParseDomain(o.domain)
	if err != nil {
		return "", err
	}
	return metadata.AdminScripts(place, domain), nil
}

// withScripts runs f for the owner that the flags name.
func withScripts(cmd *cobra.Command, o *scriptOwner, f func(ctx context.Context, cfg *config.Config, meta metadata.Store, owner metadata.ScriptOwner) error) error {
	cfg, err := loadConfig(cmd)
	if err != nil {
		return err
	}
	return withMetadata(cmd, func(ctx context.Context, meta metadata.Store) error {
		d, err := newDirectory(cfg, meta, newLog(os.Stderr, config.Log{Level: "warn"}))
		if err != nil {
			return err
		}
		owner, err := o.find(ctx, d)
		if err != nil {
			return err
		}
		return f(ctx, cfg, meta, owner)
	})
}

// readFileOr reads a file, "-" is standard input.
func readFileOr(cmd *cobra.Command, path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(cmd.InOrStdin())
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, usageError{err}
	}
	return b, nil
}

func newSievePutCommand() *cobra.Command {
	var o scriptOwner
	var activate bool
	cmd := &cobra.Command{
		Use: "put NAME FILE", Short: "Store a script, in place of one of that name", Args: cobra.ExactArgs(2),
		Long: "Stores a script from FILE, or from standard input for \"-\", if it compiles.",
		Example: "  rookery sieve put --account alice@example.org --activate main alice.sieve\n" +
			"  rookery sieve put --scope before --activate spam spam.sieve",
		RunE: func(cmd *cobra.Command, args []string) error {
			source, err := readFileOr(cmd, args[1])
			if err != nil {
				return err
			}
			return withScripts(cmd, &o, func(ctx context.Context, cfg *config.Config, meta metadata.Store, owner metadata.ScriptOwner) error {
				sc, err := sieve.Compile(string(source), sieve.Options{Name: args[0], Extensions: delivery.Extensions(), Limits: sieveLimits(cfg)})
				if err != nil {
					return err
				}
				for _, w := range sc.Warnings() {
					fmt.Fprintf(cmd.ErrOrStderr(), "warning: %s\n", w)
				}
				limits := scriptLimits(cfg)
				if _, ok := owner.Account(); !ok {
					limits = metadata.ScriptLimits{}
				}
				if err := meta.PutScript(ctx, owner, args[0], string(source), limits); err != nil {
					return err
				}
				if activate {
					if err := meta.ActivateScript(ctx, owner, args[0]); err != nil {
						return err
					}
				}
				fmt.Fprintf(cmd.OutOrStdout(), "Stored %s.\n", args[0])
				return nil
			})
		},
	}
	o.add(cmd)
	cmd.Flags().BoolVar(&activate, "activate", false, "make it the active script")
	return cmd
}

func newSieveGetCommand() *cobra.Command {
	var o scriptOwner
	cmd := &cobra.Command{
		Use: "get NAME", Short: "Print a script", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withScripts(cmd, &o, func(ctx context.Context, _ *config.Config, meta metadata.Store, owner metadata.ScriptOwner) error {
				sc, err := meta.Script(ctx, owner, args[0])
				if err == nil {
					fmt.Fprint(cmd.OutOrStdout(), sc.Source)
				}
				return err
			})
		},
	}
	o.add(cmd)
	return cmd
}

// scriptRow is a script as it is listed.
type scriptRow struct {
	Name    string     `json:"name"`
	Active  bool       `json:"active"`
	Bytes   int64      `json:"bytes"`
	Updated time.Time  `json:"updated"`
	Errors  int64      `json:"errors"`
	Error   string     `json:"last_error,omitempty"`
	ErrorAt *time.Time `json:"last_error_at,omitempty"`
}

func scriptRows(ctx context.Context, meta metadata.Store, owner metadata.ScriptOwner) ([]scriptRow, error) {
	list, _, err := meta.Scripts(ctx, owner)
	rows := []scriptRow{}
	for i := range list {
		sc := &list[i]
		r := scriptRow{Name: sc.Name, Active: sc.Active, Bytes: sc.Size, Updated: sc.Updated, Errors: sc.Error.Errors, Error: sc.Error.Text}
		if sc.Error.Errors > 0 {
			r.ErrorAt = &sc.Error.At
		}
		rows = append(rows, r)
	}
	return rows, err
}

func newSieveListCommand() *cobra.Command {
	var o scriptOwner
	cmd := &cobra.Command{
		Use: "list", Short: "List scripts", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withScripts(cmd, &o, func(ctx context.Context, _ *config.Config, meta metadata.Store, owner metadata.ScriptOwner) error {
				rows, err := scriptRows(ctx, meta, owner)
				if err != nil {
					return err
				}
				if wantsJSON(cmd) {
					return printJSON(cmd, rows)
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "NAME\tACTIVE\tBYTES\tSTORED\tERRORS")
				for _, r := range rows {
					active := ""
					if r.Active {
						active = "yes"
					}
					fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%d\n", r.Name, active, r.Bytes, r.Updated.Format(time.RFC3339), r.Errors)
				}
				return w.Flush()
			})
		},
	}
	o.add(cmd)
	addJSON(cmd)
	return cmd
}

func newSieveErrorsCommand() *cobra.Command {
	var o scriptOwner
	cmd := &cobra.Command{
		Use: "errors", Short: "Show what went wrong with scripts since they were stored", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withScripts(cmd, &o, func(ctx context.Context, _ *config.Config, meta metadata.Store, owner metadata.ScriptOwner) error {
				rows, err := scriptRows(ctx, meta, owner)
				if err != nil {
					return err
				}
				failed := []scriptRow{}
				for _, r := range rows {
					if r.Errors > 0 {
						failed = append(failed, r)
					}
				}
				if wantsJSON(cmd) {
					return printJSON(cmd, failed)
				}
				for _, r := range failed {
					fmt.Fprintf(cmd.OutOrStdout(), "%s: %d errors, the last at %s:\n%s\n", r.Name, r.Errors, r.ErrorAt.Format(time.RFC3339), r.Error)
				}
				return nil
			})
		},
	}
	o.add(cmd)
	addJSON(cmd)
	return cmd
}

func newSieveActivateCommand() *cobra.Command {
	var o scriptOwner
	var none bool
	cmd := &cobra.Command{
		Use: "activate NAME", Short: "Make a script the one that runs, or with --none run none", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if none == (len(args) == 1) {
				return usageError{errors.New("name a script, or say --none")}
			}
			return withScripts(cmd, &o, func(ctx context.Context, _ *config.Config, meta metadata.Store, owner metadata.ScriptOwner) error {
				if none {
					return meta.ActivateScript(ctx, owner, "")
				}
				return meta.ActivateScript(ctx, owner, args[0])
			})
		},
	}
	o.add(cmd)
	cmd.Flags().BoolVar(&none, "none", false, "no script is active")
	return cmd
}

func newSieveDeleteCommand() *cobra.Command {
	var o scriptOwner
	cmd := &cobra.Command{
		Use: "delete NAME", Short: "Delete a script that is not active", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withScripts(cmd, &o, func(ctx context.Context, _ *config.Config, meta metadata.Store, owner metadata.ScriptOwner) error {
				return meta.DeleteScript(ctx, owner, args[0])
			})
		},
	}
	o.add(cmd)
	return cmd
}

func newSieveStandardCommand() *cobra.Command {
	return &cobra.Command{
		Use: "standard", Short: "Print the script that files spam while the administrator has none of his own", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			fmt.Fprint(cmd.OutOrStdout(), delivery.StandardScript)
			return nil
		},
	}
}
