package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/rookery-mail/rookery/directory"
)

// newPassword returns the password to be set: from standard input if that was asked for, typed twice on a terminal, or
// generated.
func newPassword(cmd *cobra.Command, fromStdin bool, address string) (password string, generated bool, err error) {
	if fromStdin {
		// One byte more than any password may have, and the line end.
		line, err := bufio.NewReader(io.LimitReader(cmd.InOrStdin(), 4096)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", false, err
		}
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if line == "" {
			return "", false, usageError{errors.New("there is no password on standard input")}
		}
		return line, false, nil
	}
	if !isTerminal(cmd.InOrStdin()) {
		return directory.GeneratePassword(), true, nil
	}
	first, err := askPassword(cmd, "Password for "+address+" (empty: generate one): ")
	if err != nil {
		return "", false, err
	}
	if first == "" {
		return directory.GeneratePassword(), true, nil
	}
	second, err := askPassword(cmd, "Once more: ")
	if err != nil {
		return "", false, err
	}
	if first != second {
		return "", false, errors.New("the two passwords differ; nothing was changed")
	}
	return first, false, nil
}

func askPassword(cmd *cobra.Command, prompt string) (string, error) {
	fmt.Fprint(cmd.ErrOrStderr(), prompt)
	b, err := term.ReadPassword(int(os.Stdin.Fd()))
	fmt.Fprintln(cmd.ErrOrStderr())
	return string(b), err
}

func isTerminal(r io.Reader) bool {
	f, ok := r.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func printGenerated(cmd *cobra.Command, password string, generated bool) {
	if generated {
		fmt.Fprintf(cmd.OutOrStdout(), "Password: %s\n", password)
	}
}
