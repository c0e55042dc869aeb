package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/rookery-mail/rookery/cmd/rookery/internal/config"
)

// loadConfig reads the configuration the command line names.
func loadConfig(cmd *cobra.Command) (*config.Config, error) {
	path, _ := cmd.Flags().GetString("config")
	cfg, err := config.Load(path, os.Environ())
	if err != nil {
		return nil, usageError{err}
	}
	return cfg, nil
}

func newConfigCommand() *cobra.Command {
	check := &cobra.Command{
		Use: "check", Short: "Read the configuration and say what is wrong with it", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			if _, _, err := loadCertificate(cfg, certificateRead); err != nil {
				return usageError{err}
			}
			source := cfg.File
			if source == "" {
				source = "no file; environment and defaults"
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: the configuration is good\n", source)
			return nil
		},
	}
	example := &cobra.Command{
		Use: "example", Short: "Print a configuration file with all keys, their defaults and what they are for", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprint(cmd.OutOrStdout(), config.Example())
			return err
		},
	}
	return group("config", "Check the configuration, print an example", check, example)
}
