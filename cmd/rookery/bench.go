package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/rookery-mail/rookery/cmd/rookery/internal/bench"
)

// newBenchCommand returns "rookery bench": figures of any LMTP, IMAP and POP3 server.
func newBenchCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure this or any other LMTP, IMAP and POP3 server",
		Long: "Measures servers over LMTP, IMAP and POP3 alone, so that figures of different servers can be compared.\n" +
			"The accounts must exist; \"rookery account import\" makes many at once.",
	}
	cmd.AddCommand(newBenchLMTPCommand(), newBenchIMAPCommand(), newBenchPOP3Command(), newBenchIdleCommand(), newBenchPushCommand(), newBenchStartCommand(), newBenchSelectCommand())
	for _, c := range cmd.Commands() {
		c.Flags().Bool("json", false, "print the results as JSON")
	}
	return cmd
}

func newBenchLMTPCommand() *cobra.Command {
	var o bench.LMTPOptions
	var connections []int
	var metrics, counter string
	var pid int
	cmd := &cobra.Command{
		Use:     "lmtp",
		Short:   "Deliver messages by LMTP over 1, 16 and 64 connections",
		Example: "  rookery bench lmtp --addr 127.0.0.1:2424 --recipients user%d@localhost --users 100",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var results []bench.Result
			for _, n := range connections {
				o.Connections = n
				bar := progress(cmd, o.Messages, fmt.Sprintf("%d connections", n))
				o.Progress = func(done int) { _ = bar.Set(done) }
				before, err := readMetric(cmd, metrics, counter)
				if err != nil {
					return err
				}
				cpu, err := readCPU(pid)
				if err != nil {
					return err
				}
				r, err := bench.LMTP(cmd.Context(), o)
				_ = bar.Finish()
				if err != nil {
					return err
				}
				after, err := readMetric(cmd, metrics, counter)
				if err != nil {
					return err
				}
				r.Extra = bench.Extra{}
				if metrics != "" && r.Count > 0 {
					r.Extra["puts_per_message"] = (after - before) / float64(r.Count)
				}
				if pid != 0 && r.Count > 0 {
					cpuAfter, err := readCPU(pid)
					if err != nil {
						return err
					}
					r.Extra["cpu_us_per_message"] = float64((cpuAfter - cpu).Microseconds()) / float64(r.Count)
					if r.Extra["peak_mb"], err = bench.PeakMB(pid); err != nil {
						return err
					}
				}
				results = append(results, r)
			}
			return printResults(cmd, results)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Addr, "addr", "127.0.0.1:2424", "LMTP server, HOST:PORT or unix:/PATH")
	f.IntSliceVar(&connections, "connections", []int{1, 16, 64}, "numbers of connections, one measurement each")
	f.IntVar(&o.Messages, "messages", 10000, "messages in each measurement")
	f.IntVar(&o.Size, "size", 4096, "bytes of a message")
	f.StringVar(&o.Recipients, "recipients", "user%d@localhost", "recipient; %d becomes 1 to --users")
	f.IntVar(&o.Users, "users", 100, "number of recipients")
	f.Float64Var(&o.Replies, "replies", 0, "share of messages, 0 to 1, that answer an earlier one to the same recipient")
	f.IntVar(&pid, "pid", 0, "process id of the server, to show its peak memory and its processor time a message (Linux)")
	f.StringVar(&metrics, "metrics", "", "URL of the server's Prometheus page, to count PUTs a message")
	f.StringVar(&counter, "metrics-counter", `rookery_blobstore_calls_total{layer="store",op="put"`, "counter of PUTs, as its lines begin")
	return cmd
}

func newBenchIMAPCommand() *cobra.Command {
	var o bench.IMAPOptions
	cmd := &cobra.Command{
		Use:     "imap",
		Short:   "Fill a mailbox and measure SELECT, FETCH, SEARCH, STORE, COPY and QRESYNC in it",
		Example: "  rookery bench imap --addr 127.0.0.1:1143 --user demo@localhost --password SECRET --messages 20000",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			bar := progress(cmd, o.Messages, "filling")
			o.Progress = func(done int) { _ = bar.Set(done) }
			results, err := bench.IMAP(cmd.Context(), o)
			_ = bar.Finish()
			if err != nil {
				return err
			}
			return printResults(cmd, results)
		},
	}
	imapFlags(cmd, &o.Server)
	f := cmd.Flags()
	f.StringVar(&o.Mailbox, "mailbox", "bench", "mailbox to fill and read")
	f.IntVar(&o.Messages, "messages", 20000, "messages it is filled up to")
	f.IntVar(&o.Size, "size", 4096, "bytes of a message")
	f.IntVar(&o.Rounds, "rounds", 5, "rounds, of which the median counts")
	f.StringArrayVar(&o.Only, "only", nil, "measure only this, such as \"FETCH FLAGS\" or QRESYNC; may be repeated")
	return cmd
}

func newBenchIdleCommand() *cobra.Command {
	var o bench.IdleOptions
	cmd := &cobra.Command{
		Use:     "idle",
		Short:   "Keep connections in IDLE and measure what they cost the server",
		Example: "  rookery bench idle --addr 127.0.0.1:1993 --tls --user demo@localhost --password SECRET --connections 1000 --pid $(pgrep rookery)",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			bar := progress(cmd, o.Connections, "connecting")
			o.Progress = func(n int) { _ = bar.Add(n) }
			results, err := bench.Idle(cmd.Context(), o)
			_ = bar.Finish()
			if err != nil {
				return err
			}
			return printResults(cmd, results)
		},
	}
	imapFlags(cmd, &o.Server)
	f := cmd.Flags()
	f.IntVar(&o.Connections, "connections", 1000, "idle connections")
	f.IntVar(&o.Users, "users", 1, "accounts, when --user holds %d")
	f.IntVar(&o.PID, "pid", 0, "the server's process, whose memory is read")
	f.DurationVar(&o.Settle, "settle", 10*time.Second, "time between the last IDLE and the reading of memory")
	f.BoolVar(&o.Compress, "compress", false, "COMPRESS=DEFLATE before IDLE")
	f.StringVar(&o.LMTP, "lmtp", "", "LMTP server of the same node: then a message is delivered to each of some connections")
	f.IntVar(&o.Deliver, "deliver", 1000, "how many of the connections: all those of as many users as that takes")
	_ = cmd.MarkFlagRequired("pid")
	return cmd
}

func newBenchPushCommand() *cobra.Command {
	var o bench.PushOptions
	cmd := &cobra.Command{
		Use:     "push",
		Short:   "Measure the time from LMTP's 250 to EXISTS in an IDLE session",
		Example: "  rookery bench push --lmtp 127.0.0.1:2424 --addr 127.0.0.1:1143 --user demo@localhost --password SECRET",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := bench.Push(cmd.Context(), o)
			if err != nil {
				return err
			}
			return printResults(cmd, []bench.Result{r})
		},
	}
	imapFlags(cmd, &o.Server)
	f := cmd.Flags()
	f.StringVar(&o.LMTP, "lmtp", "127.0.0.1:2424", "LMTP server, of the same node or another")
	f.IntVar(&o.Count, "messages", 200, "deliveries, one after another")
	f.IntVar(&o.Size, "size", 4096, "bytes of a message")
	return cmd
}

func newBenchStartCommand() *cobra.Command {
	var addr string
	var rounds int
	cmd := &cobra.Command{
		Use:     "start -- COMMAND [ARGUMENT...]",
		Short:   "Measure the time from starting a server to its greeting",
		Example: "  rookery bench start --addr 127.0.0.1:1143 -- rookery serve",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := bench.Start(cmd.Context(), addr, rounds, args)
			if err != nil {
				return err
			}
			return printResults(cmd, []bench.Result{r})
		},
	}
	cmd.Flags().StringVar(&addr, "addr", "127.0.0.1:1143", "where the server greets")
	cmd.Flags().IntVar(&rounds, "rounds", 5, "starts")
	return cmd
}

func newBenchSelectCommand() *cobra.Command {
	var o bench.ColdSelectOptions
	cmd := &cobra.Command{
		Use:     "select -- COMMAND [ARGUMENT...]",
		Short:   "Measure the first SELECT of a server that has just started",
		Example: "  rookery bench select --user demo@localhost --password SECRET -- rookery serve",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Command = args
			results, err := bench.ColdSelect(cmd.Context(), o)
			if err != nil {
				return err
			}
			return printResults(cmd, results)
		},
	}
	imapFlags(cmd, &o.Server)
	cmd.Flags().StringVar(&o.Mailbox, "mailbox", "bench", "mailbox, as \"bench imap\" has filled it")
	cmd.Flags().IntVar(&o.Rounds, "rounds", 5, "starts, of which the median counts")
	return cmd
}

// imapFlags adds the flags that name an IMAP server and a login.
func imapFlags(cmd *cobra.Command, s *bench.IMAPServer) {
	f := cmd.Flags()
	f.StringVar(&s.Addr, "addr", "127.0.0.1:1143", "IMAP server, HOST:PORT")
	f.BoolVar(&s.TLS, "tls", false, "implicit TLS; the certificate is not checked")
	f.StringVar(&s.User, "user", "", "login name")
	f.StringVar(&s.Password, "password", os.Getenv("ROOKERY_BENCH_PASSWORD"), "password; or ROOKERY_BENCH_PASSWORD")
	f.Lookup("password").DefValue = ""
	_ = cmd.MarkFlagRequired("user")
}

// readCPU returns the processor time a process has used; 0 when none was named.
func readCPU(pid int) (time.Duration, error) {
	if pid == 0 {
		return 0, nil
	}
	return bench.CPUTime(pid)
}

// readMetric reads a counter, or nothing when no page was named.
func readMetric(cmd *cobra.Command, url, counter string) (float64, error) {
	if url == "" {
		return 0, nil
	}
	return bench.Metric(cmd.Context(), url, counter)
}

// progress returns a bar on standard error, silent when that is no terminal or JSON is asked for.
func progress(cmd *cobra.Command, total int, what string) *progressbar.ProgressBar {
	w := cmd.ErrOrStderr()
	if info, err := os.Stderr.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		w = io.Discard
	}
	return progressbar.NewOptions(total, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
}

// printResults prints results as a table or as JSON.
func printResults(cmd *cobra.Command, results []bench.Result) error {
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		enc := json.NewEncoder(cmd.OutOrStdout())
		enc.SetIndent("", "  ")
		return enc.Encode(results)
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "measurement\tconnections\tcount\tseconds\tper second\tMB/s\tp50 ms\tp99 ms\tfailed\t")
	for _, r := range results {
		fmt.Fprintf(w, "%s\t%d\t%d\t%.3f\t%.0f\t%.1f\t%.2f\t%.2f\t%d\t", r.Name, r.Connections, r.Count, r.Seconds, r.PerSecond, r.MBPerSecond, r.P50, r.P99, r.Failed)
		var extra []string
		for _, k := range r.Extra.Names() {
			extra = append(extra, fmt.Sprintf("%s=%.3f", k, r.Extra[k]))
		}
		if r.Note != "" {
			extra = append(extra, r.Note)
		}
		fmt.Fprintln(w, " "+strings.Join(extra, " "))
	}
	return w.Flush()
}
