package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rookery-mail/rookery/cmd/rookery/internal/config"
	"github.com/rookery-mail/rookery/delivery"
	"github.com/rookery-mail/rookery/message"
	"github.com/rookery-mail/rookery/sieve"
)

func newSieveCommand() *cobra.Command {
	return group("sieve", "Mail filters of accounts and of the administrator", newSieveCheckCommand(), newSieveTestCommand(), newSievePutCommand(),
		newSieveGetCommand(), newSieveListCommand(), newSieveActivateCommand(), newSieveDeleteCommand(), newSieveErrorsCommand(), newSieveStandardCommand())
}

// sieveCheck is what "sieve check --json" prints.
type sieveCheck struct {
	Script   string         `json:"script"`
	Valid    bool           `json:"valid"`
	Requires []string       `json:"requires,omitempty"`
	Problems []sieveProblem `json:"problems,omitempty"`
	Warnings []sieveProblem `json:"warnings,omitempty"`
}

type sieveProblem struct {
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Text   string `json:"text"`
}

func newSieveCheckCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "check SCRIPT", Short: "Say what is wrong with a script", Args: cobra.ExactArgs(1),
		Long: "Compiles a script and lists all that is wrong with it. - is standard input.",
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := compileScript(cmd, args[0])
			var wrong *sieve.CompileError
			if err != nil && !errors.As(err, &wrong) {
				return err
			}
			check := sieveCheck{Script: args[0], Valid: err == nil}
			if wrong != nil {
				check.Problems = sieveProblems(wrong.Problems)
			} else {
				check.Requires, check.Warnings = s.Requires(), sieveProblems(s.Warnings())
			}
			if wantsJSON(cmd) {
				if err := printJSON(cmd, check); err != nil {
					return err
				}
			} else {
				printWarnings(cmd, args[0], s)
				if check.Valid {
					fmt.Fprintf(cmd.OutOrStdout(), "%s: the script is good\n", args[0])
				}
			}
			return wrongScript(args[0], err)
		},
	}
	addJSON(cmd)
	return cmd
}

func sieveProblems(list []sieve.Problem) []sieveProblem {
	out := make([]sieveProblem, len(list))
	for i, p := range list {
		out[i] = sieveProblem{p.Pos.Line, p.Pos.Column, p.Text}
	}
	return out
}

// wrongScript returns the problems of a script, one a line, as compilers write them.
func wrongScript(name string, err error) error {
	var wrong *sieve.CompileError
	if !errors.As(err, &wrong) {
		return err
	}
	lines := make([]string, len(wrong.Problems))
	for i, p := range wrong.Problems {
		lines[i] = fmt.Sprintf("%s:%d:%d: %s", name, p.Pos.Line, p.Pos.Column, p.Text)
	}
	return errors.New(strings.Join(lines, "\n"))
}

func printWarnings(cmd *cobra.Command, name string, s *sieve.Script) {
	if s == nil {
		return
	}
	for _, w := range s.Warnings() {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s:%d:%d: %s\n", name, w.Pos.Line, w.Pos.Column, w.Text)
	}
}

// compileScript reads and compiles a script; its errors are those of the file, or a *sieve.CompileError.
func compileScript(cmd *cobra.Command, path string) (*sieve.Script, error) {
	raw, err := readInput(cmd, path, int64(sieve.DefaultLimits.ScriptSize)+1)
	if err != nil {
		return nil, err
	}
	return sieve.Compile(string(raw), sieve.Options{Name: path})
}

// readInput reads a file, "-" being standard input, of limit bytes at most.
func readInput(cmd *cobra.Command, path string, limit int64) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(io.LimitReader(cmd.InOrStdin(), limit))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}

// sieveOutcome is what "sieve test --json" prints.
type sieveOutcome struct {
	Actions  []sieveAction `json:"actions"`
	NoAnswer string        `json:"no_answer,omitempty"`
	Failure  *sieveProblem `json:"failure,omitempty"`
	Steps    int           `json:"steps"`
}

func newSieveTestCommand() *cobra.Command {
	var from, to string
	var mailboxes, lists []string
	var printEdited bool
	cmd := &cobra.Command{
		Use: "test SCRIPT... MESSAGE", Short: "Show what scripts would do to a message", Args: cobra.MinimumNArgs(2),
		Long: "Runs scripts, one after another as at a delivery, on a message in a file (- is standard input) and lists what they would do.\n" +
			"Spam score, virus verdict, delimiter and lists that are files are read as the configuration says. Nothing is stored or sent. Scripts to include are looked for beside the first script, as NAME.sieve.",
		Example: "  rookery sieve test holiday.sieve message.eml --to alice@example.org",
		RunE: func(cmd *cobra.Command, args []string) error {
			scripts := make([]*sieve.Script, len(args)-1)
			for i, path := range args[:len(args)-1] {
				s, err := compileScript(cmd, path)
				if err != nil {
					return wrongScript(path, err)
				}
				printWarnings(cmd, path, s)
				scripts[i] = s
			}
			cfg, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			raw, err := readInput(cmd, args[len(args)-1], math.MaxInt64)
			if err != nil {
				return err
			}
			structure := message.Scan(raw)
			in := sieve.Input{
				Message: strings.NewReader(string(raw)), Size: int64(len(raw)), Structure: structure,
				Envelope:    sieve.Envelope{From: from, To: to},
				Environment: map[string]string{"name": "Rookery", "location": "MDA", "phase": "during"},
				Spam:        spamConfig(cfg).Percent(raw),
				Delimiter:   cmp.Or(cfg.Delimiter, sieve.NoDelimiter),
				Virus:       delivery.Virus(raw, cfg.Sieve.Verdicts),
			}
			if !cmd.Flags().Changed("from") {
				in.Envelope.From = firstAddress(structure.Envelope.Sender)
			}
			if !cmd.Flags().Changed("to") {
				in.Envelope.To = firstAddress(structure.Envelope.To)
			}
			host := trialHost{cmd: cmd, folder: filepath.Dir(args[0]), mailboxes: mailboxes}
			if host.lists, err = trialLists(cmd, cfg, lists); err != nil {
				return err
			}
			r, err := sieve.RunAll(cmd.Context(), host, in, scripts...)
			if err != nil {
				return err
			}
			return printOutcome(cmd, r, printEdited)
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "envelope sender (default: the message's)")
	cmd.Flags().StringVar(&to, "to", "", "envelope recipient (default: the message's first)")
	cmd.Flags().StringSliceVar(&mailboxes, "mailbox", nil, "mailboxes that exist beside INBOX")
	cmd.Flags().StringArrayVar(&lists, "list", nil, `external lists that exist, as NAME=FILE; ":addrbook:default" is empty unless it is given`)
	cmd.Flags().BoolVar(&printEdited, "print", false, "print the message as it would be stored, too")
	addJSON(cmd)
	return cmd
}

func firstAddress(list []message.Address) string {
	for _, a := range list {
		if a.Mailbox != nil && a.Host != nil && *a.Host != "" {
			return *a.Mailbox + "@" + *a.Host
		}
	}
	return ""
}

// trialHost answers scripts that are only tried: from flags and the files beside the script.
type trialHost struct {
	sieve.NoHost
	cmd       *cobra.Command
	folder    string
	mailboxes []string
	lists     map[string]*sieve.List
}

// trialLists reads the lists of "sieve test", NAME=FILE, and those configured that are files of this machine.
func trialLists(cmd *cobra.Command, cfg *config.Config, given []string) (map[string]*sieve.List, error) {
	book, _ := sieve.CanonicalList(":addrbook:default")
	lists := map[string]*sieve.List{book: sieve.ParseList("")}
	for _, l := range scriptLists(cfg) {
		if text, err := os.ReadFile(l.File); err == nil {
			lists[l.Name] = sieve.ParseList(string(text))
		}
	}
	for _, s := range given {
		i := strings.LastIndexByte(s, '=')
		name, ok := sieve.CanonicalList(s[:max(i, 0)])
		if !ok {
			return nil, usageError{errors.New("--list is NAME=FILE, the name a URI, such as tag:example.org,2026:friends=friends.txt")}
		}
		text, err := readInput(cmd, s[i+1:], 16<<20)
		if err != nil {
			return nil, err
		}
		lists[name] = sieve.ParseList(string(text))
	}
	return lists, nil
}

// List lets every list be redirected to: whether the administrator allows it is not known here.
func (h trialHost) List(_ context.Context, name string) (*sieve.List, bool, error) {
	return h.lists[name], true, nil
}

func (h trialHost) MailboxExists(_ context.Context, name string) (bool, error) {
	return strings.EqualFold(name, "INBOX") || slices.Contains(h.mailboxes, name), nil
}

func (h trialHost) Include(_ context.Context, _ sieve.IncludeLocation, name string) (*sieve.Script, error) {
	if name == "" || name != filepath.Base(name) {
		return nil, nil
	}
	path := filepath.Join(h.folder, name+".sieve")
	s, err := compileScript(h.cmd, path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return s, err
}
