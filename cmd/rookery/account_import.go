package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rookery-mail/rookery/directory"
)

// maxExistingLines bounds how many existing accounts are named.
const maxExistingLines = 20

func newAccountImportCommand() *cobra.Command {
	var o directory.ImportOptions
	cmd := &cobra.Command{
		Use: "import FILE.csv", Short: "Add many accounts from a CSV file", Args: cobra.ExactArgs(1),
		Long: "Adds the accounts of a CSV file with lines \"address,password\" or \"address,{SCHEME}hash\"; \"-\" is standard input. The\n" +
			"whole file is checked first: a line with a mistake in it stops the import before it begins. Accounts that exist are\n" +
			"left as they are, so an import may be repeated. Passwords in plain text are hashed as " + directory.Bulk + ", which is quick,\n" +
			"and as " + directory.Single + " at each account's first login; --scheme " + directory.Single + " does that now, at some 50 accounts a second and core.\n\n" +
			"Schemes of hashes: " + strings.Join(directory.Schemes(), ", ") + ".",
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := openImport(cmd, args[0])
			if err != nil {
				return usageError{err}
			}
			defer file.Close()
			return withDirectory(cmd, func(ctx context.Context, d *directory.Local) error {
				return importAccounts(ctx, cmd, d, args[0], file, o)
			})
		},
	}
	cmd.Flags().StringVar(&o.Scheme, "scheme", directory.Bulk, "how plain-text passwords are hashed: SHA512-CRYPT, BCRYPT or ARGON2ID")
	return cmd
}

// openImport returns the file, to be read twice.
func openImport(cmd *cobra.Command, name string) (io.ReadSeekCloser, error) {
	if name == "-" {
		data, err := io.ReadAll(cmd.InOrStdin())
		return struct {
			io.ReadSeeker
			io.Closer
		}{bytes.NewReader(data), io.NopCloser(nil)}, err
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		_ = f.Close()
		return nil, fmt.Errorf("%s is not a file; \"-\" reads standard input", name)
	}
	return f, nil
}

func importAccounts(ctx context.Context, cmd *cobra.Command, d *directory.Local, name string, file io.ReadSeeker, o directory.ImportOptions) error {
	stderr := cmd.ErrOrStderr()
	plan, err := d.CheckImport(file)
	if err != nil {
		return err
	}
	if len(plan.Bad) > 0 {
		for _, bad := range plan.Bad {
			fmt.Fprintf(stderr, "%s:%d: %s\n", name, bad.Line, bad.Why)
		}
		return fmt.Errorf("%d of %d lines cannot be imported; nothing was", len(plan.Bad)+plan.MoreBad, len(plan.Bad)+plan.MoreBad+plan.Rows)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	bar := progress(cmd, plan.Rows, "accounts")
	o.Progress = func(done int) { _ = bar.Set(done) }
	existing := 0
	o.Existing = func(row directory.ImportRow) {
		if existing++; existing <= maxExistingLines {
			_ = bar.Clear()
			fmt.Fprintf(stderr, "%s:%d: %s exists already; left as it is\n", name, row.Line, row.Address)
		}
	}
	begin := time.Now()
	result, err := d.Import(ctx, file, o)
	_ = bar.Finish()
	if more := existing - maxExistingLines; more > 0 {
		fmt.Fprintf(stderr, "%s: %d more exist already\n", name, more)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%d accounts added, %d existed already, in %.1f s.\n", result.Created, result.Existing, time.Since(begin).Seconds())
	if err != nil {
		return errors.Join(errors.New("the import ended early; what was added is whole, and running it again adds the rest"), err)
	}
	return nil
}
