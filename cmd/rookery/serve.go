package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func newServeCommand() *cobra.Command {
	var demo bool
	cmd := &cobra.Command{
		Use: "serve", Short: "Run the server", Args: cobra.NoArgs,
		Long: "Runs a node: IMAP, POP3, ManageSieve, LMTP, and HTTP for health and metrics. Without any configuration it keeps everything under\n" +
			"./rookery-data.\n\n" +
			"SIGTERM or SIGINT ends it in good order within shutdown_timeout, a second one at once. SIGHUP reads the certificate again.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			if demo && (cfg.IMAP == "" || cfg.LMTP == "") {
				return usageError{errors.New("--demo needs imap.listen and lmtp.listen")}
			}
			log := newLog(os.Stderr, cfg.Log)
			slog.SetDefault(log)

			signals := make(chan os.Signal, 4)
			signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
			defer signal.Stop(signals)

			ctx, started := untilSignal(cmd.Context(), signals)
			n, err := newNode(ctx, cfg, log)
			interrupted := started()
			if interrupted && err == nil {
				n.stop(ctx)
			}
			if interrupted {
				log.Info("stopped while starting")
				return nil
			}
			if err != nil {
				return err
			}
			failed := n.start()
			if demo {
				if err := n.demo(cmd.Context(), cmd.OutOrStdout()); err != nil {
					log.Error("the demonstration account is not ready", "error", explain(err))
				}
			}
			return n.wait(signals, failed)
		},
	}
	cmd.Flags().BoolVar(&demo, "demo", false, "make the account demo@<default_domain> and say how to connect")
	return cmd
}

// untilSignal returns a context that a signal to stop ends, for a start that may have to wait for a database. started ends
// the watching and reports whether there was one.
func untilSignal(ctx context.Context, signals <-chan os.Signal) (_ context.Context, started func() bool) {
	ctx, cancel := context.WithCancel(ctx)
	stop, stopped := make(chan struct{}), make(chan bool)
	go func() {
		for {
			select {
			case sig := <-signals:
				if sig != syscall.SIGHUP { // there is no certificate to reload yet
					cancel()
					stopped <- true
					return
				}
			case <-stop:
				stopped <- false
				return
			}
		}
	}()
	return ctx, func() bool {
		close(stop)
		return <-stopped
	}
}

// wait runs until a signal to stop, or a listener that fails, and then ends the node.
func (n *node) wait(signals <-chan os.Signal, failed <-chan error) error {
	var cause error
	for running := true; running; {
		select {
		case sig := <-signals:
			if sig == syscall.SIGHUP {
				n.reload()
				continue
			}
			n.log.Info("stopping", "signal", sig.String(), "timeout", n.cfg.ShutdownTimeout)
			running = false
		case cause = <-failed:
			n.log.Error("stopping, a listener failed", "error", cause)
			running = false
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), n.cfg.ShutdownTimeout)
	defer cancel()
	done := make(chan struct{})
	go func() { // ends the process without ceremony when asked twice
		for {
			select {
			case sig := <-signals:
				if sig != syscall.SIGHUP {
					n.log.Warn("stopped at once, asked twice", "signal", sig.String())
					os.Exit(exitFailed)
				}
			case <-done:
				return
			}
		}
	}()
	n.stop(ctx)
	close(done)
	n.log.Info("stopped")
	return cause
}

func (n *node) reload() {
	if err := n.certs.reload(); err != nil {
		n.log.Error("the certificate in use stays, the new one cannot be read", "error", err)
		return
	}
	n.log.Info("certificate reloaded")
}

// closeLogged closes something at the end, where an error can only be told.
func closeLogged(log *slog.Logger, what string, c interface{ Close() error }) {
	if err := c.Close(); err != nil {
		log.Warn("closing failed", "what", what, "error", fmt.Sprint(err))
	}
}
