package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/spf13/cobra"
)

func newDeliverCommand() *cobra.Command {
	var from, server string
	var to []string
	cmd := &cobra.Command{
		Use: "deliver --to ADDRESS [FILE]", Short: "Deliver a message by LMTP, as an MTA does", Args: cobra.MaximumNArgs(1),
		Long:    "Delivers a message, from FILE or from standard input, to one or more recipients of any LMTP server.",
		Example: "  printf 'Subject: Hello\\n\\nIt works.\\n' | rookery deliver --to demo@localhost",
		RunE: func(cmd *cobra.Command, args []string) error {
			message := cmd.InOrStdin()
			if len(args) == 1 && args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return usageError{err}
				}
				defer f.Close()
				message = f
			}
			if server == "" {
				cfg, err := loadConfig(cmd)
				if err != nil {
					return err
				}
				if server = cfg.LMTP; server == "" {
					return usageError{errors.New("lmtp.listen is off in the configuration; name a server with --server")}
				}
			}
			if err := deliver(cmd.Context(), server, from, to, message); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Delivered to %s.\n", strings.Join(to, ", "))
			return nil
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&to, "to", nil, "recipient; may be given several times")
	f.StringVar(&from, "from", "", "return path (default: empty, as for bounces)")
	f.StringVar(&server, "server", "", "HOST:PORT or unix:/PATH (default: lmtp.listen of the configuration)")
	_ = cmd.MarkFlagRequired("to")
	return cmd
}

// deliver sends one message by LMTP. Lines may end with LF or CRLF. The error says which recipients did not get it.
func deliver(ctx context.Context, server, from string, to []string, message io.Reader) error {
	conn, err := dialServer(ctx, server)
	if err != nil {
		return err
	}
	c := smtp.NewClientLMTP(conn)
	defer func() { _ = c.Close() }()
	c.SubmissionTimeout = 10 * time.Minute // RFC 5321 section 4.5.3.2.6
	if err := c.Hello("localhost"); err != nil {
		return fmt.Errorf("%s: %w", server, err)
	}
	if err := c.Mail(from, nil); err != nil {
		return fmt.Errorf("sender <%s>: %w", from, err)
	}
	var failed []error
	for _, rcpt := range to {
		if err := c.Rcpt(rcpt, nil); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", rcpt, err))
		}
	}
	if len(failed) == len(to) {
		return errors.Join(failed...)
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, bufio.NewReader(message)); err != nil {
		return err // the connection closes without the final dot: nothing is delivered
	}
	if err := w.Close(); err != nil {
		failed = append(failed, err)
	}
	if len(failed) > 0 {
		return errors.Join(failed...)
	}
	return c.Quit()
}

// dialServer connects to HOST:PORT, or to unix:/PATH. No host, or the unspecified address, is this machine.
func dialServer(ctx context.Context, server string) (net.Conn, error) {
	d := net.Dialer{Timeout: 10 * time.Second}
	if path, ok := strings.CutPrefix(server, "unix:"); ok {
		return d.DialContext(ctx, "unix", path)
	}
	return d.DialContext(ctx, "tcp", reachable(server))
}

// reachable turns an address to listen on into one to connect to.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
