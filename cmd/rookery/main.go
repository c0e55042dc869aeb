// Command rookery is the mail store: server, administration and measurements in one binary.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// Exit codes: 0 done, 1 it failed, 2 it was not begun because the command line or the configuration is wrong.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() { os.Exit(run(context.Background(), os.Args[1:])) }

// run executes a command line and returns the exit code.
func run(ctx context.Context, args []string) int {
	begun := false
	root := newRootCommand()
	onRun(root, func() { begun = true })
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	for i, line := range strings.Split(explain(err), "\n") {
		if i == 0 {
			line = "rookery: " + line
		}
		fmt.Fprintln(os.Stderr, line)
	}
	var refused usageError
	switch {
	case !begun:
		fmt.Fprintf(os.Stderr, "Try '%s --help'.\n", cmd.CommandPath())
		return exitUsage
	case errors.As(err, &refused):
		return exitUsage
	}
	return exitFailed
}

// onRun calls f when a command of the tree is run: after flags and arguments were found right.
func onRun(cmd *cobra.Command, f func()) {
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			f()
			return run(cmd, args)
		}
	}
	for _, below := range cmd.Commands() {
		onRun(below, f)
	}
}

// usageError is a command line or a configuration that cannot be acted on.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "rookery",
		Short: "A mail store: LMTP in, IMAP and POP3 out",
		Long: "Rookery takes mail from an MTA by LMTP and serves it by IMAP and POP3, from one machine or from many nodes over\n" +
			"CockroachDB or PostgreSQL, an S3 object store and Redis. `rookery serve` alone is a working server.",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.PersistentFlags().StringP("config", "c", "", "configuration file (default: $ROOKERY_CONFIG, then rookery.toml if it is there)")
	root.AddCommand(newServeCommand(), newAccountCommand(), newAliasCommand(), newDomainCommand(), newSharedCommand(), newQuotaCommand(), newMigrateCommand(), newConfigCommand(),
		newDeliverCommand(), newSieveCommand(), newQueueCommand(), newBenchCommand(), newVersionCommand())
	return root
}

// group returns a command that only has commands below it.
func group(use, short string, below ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(below...)
	return cmd
}
