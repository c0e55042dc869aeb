package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/rookery-mail/rookery/cmd/rookery/internal/bench"
)

func newBenchPOP3Command() *cobra.Command {
	var o bench.POP3Options
	cmd := &cobra.Command{
		Use:   "pop3",
		Short: "Fill maildrops, then fetch and delete all of them by POP3",
		Long: "Fills one maildrop for each connection by LMTP, then logs in to all at once, lists, fetches and deletes every message in one\n" +
			"pipelined burst, and quits. Whatever is in the maildrops is deleted. Passwords in clear are for a server on this machine.",
		Example: "  rookery bench pop3 --addr 127.0.0.1:1110 --lmtp 127.0.0.1:2424 --user user%d@localhost --password SECRET --connections 4",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			bar := progress(cmd, o.Messages*o.Connections, "filling")
			o.Progress = func(done int) { _ = bar.Set(done) }
			results, err := bench.POP3(cmd.Context(), o)
			_ = bar.Finish()
			if err != nil {
				return err
			}
			return printResults(cmd, results)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Addr, "addr", "127.0.0.1:1110", "POP3 server, HOST:PORT")
	f.BoolVar(&o.TLS, "tls", false, "implicit TLS; the certificate is not checked")
	f.StringVar(&o.LMTP, "lmtp", "127.0.0.1:2424", "LMTP server that fills the maildrops; empty: they are taken as they are")
	f.StringVar(&o.User, "user", "", "login name and address; %d becomes 1 to --connections")
	f.StringVar(&o.Password, "password", os.Getenv("ROOKERY_BENCH_PASSWORD"), "password; or ROOKERY_BENCH_PASSWORD")
	f.Lookup("password").DefValue = ""
	f.IntVar(&o.Connections, "connections", 1, "sessions at once, each of an account of its own")
	f.IntVar(&o.Messages, "messages", 5000, "messages in each maildrop")
	f.IntVar(&o.Size, "size", 2048, "bytes of a message")
	_ = cmd.MarkFlagRequired("user")
	return cmd
}
