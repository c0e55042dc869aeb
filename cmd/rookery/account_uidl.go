package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/rookery-mail/rookery/cmd/rookery/internal/config"
	"github.com/rookery-mail/rookery/cmd/rookery/internal/uidl"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/message"
	"github.com/rookery-mail/rookery/metadata"
)

const (
	maxUnmatchedLines = 20  // named in the report
	uidlWindow        = 256 // body rows read at once
)

// uidlImport is what "account import-uidl" was asked for.
type uidlImport struct {
	uidl.Options
	dryRun, forget bool
}

func newAccountImportUIDLCommand() *cobra.Command {
	var o uidlImport
	cmd := &cobra.Command{
		Use: "import-uidl ADDRESS FILE|MAILDIR", Short: "Give messages the POP3 unique-ids they had on another server", Args: cobra.ExactArgs(2),
		Long: "Gives the messages in an account's INBOX the unique-ids they had on another server, so that POP3 clients which leave mail on\n" +
			"the server fetch nothing twice. To be run when the messages were migrated and before the first POP3 login. It may be\n" +
			"repeated; a unique-id that a message has already stays.\n\n" +
			"The unique-ids come from a Maildir's dovecot-uidlist or courierpop3dsizelist, whose messages are found by what is in their\n" +
			"files, or from lines of a unique-id, a tab, and a <Message-ID>, the SHA-256 of the message with CRLF in hexadecimal, or a\n" +
			"UID in INBOX.",
		Example: "  rookery account import-uidl --dry-run anna@example.org /var/mail/anna/Maildir\n" +
			"  rookery account import-uidl anna@example.org uidl.txt",
		RunE: func(cmd *cobra.Command, args []string) error { return importUIDLs(cmd, args[0], args[1], o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.Format, "uidl-format", uidl.DefaultFormat, "pop3_uidl_format of the Dovecot: %u, %v, %f with a width and X")
	f.BoolVar(&o.ByUID, "by-uid", false, "find the messages of a dovecot-uidlist by their UIDs, if the migration kept these")
	f.BoolVar(&o.dryRun, "dry-run", false, "only say what would be done")
	f.BoolVar(&o.forget, "forget", false, "forget the unique-ids that were imported for the account before")
	return cmd
}

func importUIDLs(cmd *cobra.Command, address, path string, o uidlImport) error {
	cfg, err := loadConfig(cmd)
	if err != nil {
		return err
	}
	bar := progress(cmd, -1, "files")
	o.Progress = func(done, all int) {
		bar.ChangeMax(all)
		_ = bar.Set(done)
	}
	entries, err := uidl.Read(path, o.Options)
	_ = bar.Finish()
	if err != nil {
		return usageError{err}
	}
	return withMetadata(cmd, func(ctx context.Context, meta metadata.Store) error {
		d, err := newDirectory(cfg, meta, newLog(cmd.ErrOrStderr(), config.Log{Level: "warn"}))
		if err != nil {
			return err
		}
		account, err := d.Account(ctx, address)
		if err != nil {
			return err
		}
		begin := time.Now()
		messages, err := inboxMessages(ctx, cmd, meta, account.ID)
		if err != nil {
			return err
		}
		found, not := uidl.Match(entries, messages)
		given, clashes, err := storeUIDLs(ctx, meta, account.ID, found, o)
		if err != nil {
			return errors.Join(errors.New("the import ended early; running it again does the rest"), err)
		}
		reportUIDLs(cmd, path, not, clashes)
		verb := "have"
		if o.dryRun {
			verb = "would have"
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%d of %d messages %s their unique-ids from %s; %d of its %d lines were of no use; %.1f s.\n",
			given, len(messages), verb, path, len(not)+len(clashes), len(entries), time.Since(begin).Seconds())
		return nil
	})
}

// inboxMessages returns what is known of the messages in an account's INBOX.
func inboxMessages(ctx context.Context, cmd *cobra.Command, meta metadata.Store, account metadata.AccountID) ([]uidl.Message, error) {
	box, err := meta.Mailbox(ctx, account, "INBOX")
	if err != nil {
		return nil, err
	}
	_, rows, err := meta.LoadMailbox(ctx, box.ID)
	if err != nil {
		return nil, err
	}
	bar := progress(cmd, len(rows), "messages")
	defer bar.Finish() //nolint:errcheck // a bar
	messages := make([]uidl.Message, 0, len(rows))
	for len(rows) > 0 {
		window := rows[:min(uidlWindow, len(rows))]
		rows = rows[len(window):]
		ids := make([]metadata.BodyID, len(window))
		for i := range window {
			ids[i] = window[i].Body
		}
		bodies, err := meta.Bodies(ctx, account, ids)
		if err != nil {
			return nil, err
		}
		byID := make(map[metadata.BodyID]*metadata.Body, len(bodies))
		for i := range bodies {
			byID[bodies[i].ID] = &bodies[i]
		}
		for i := range window {
			m := uidl.Message{UID: window[i].UID, Body: window[i].Body}
			if b := byID[m.Body]; b != nil {
				copy(m.Hash[:], b.Hash)
				if s, err := message.Decode(b.Summary, nil); err == nil { // else it is found by its hash
					m.MessageID = uidl.MessageID(s)
				}
			}
			messages = append(messages, m)
		}
		_ = bar.Add(len(window))
	}
	return messages, nil
}

// storeUIDLs stores unique-ids, or looks what would come of it, and returns how many messages have theirs then, and those that could not be
// given.
func storeUIDLs(ctx context.Context, meta metadata.Store, account metadata.AccountID, found []metadata.UIDL, o uidlImport) (given int, clashes []metadata.UIDL, err error) {
	if o.dryRun {
		var have []metadata.UIDL
		if !o.forget {
			if have, err = meta.UIDLs(ctx, account); err != nil {
				return 0, nil, err
			}
		}
		given, clashes = compareUIDLs(found, have)
		return given, clashes, nil
	}
	if o.forget {
		if err := meta.ForgetUIDLs(ctx, account); err != nil {
			return 0, nil, err
		}
	}
	errs, err := meta.ImportUIDLs(ctx, account, found)
	if err != nil {
		return 0, nil, err
	}
	for i, err := range errs {
		switch {
		case err == nil:
			given++
		case mailerr.Is(err, mailerr.Exists):
			clashes = append(clashes, found[i])
		default:
			return given, nil, err
		}
	}
	return given, clashes, nil
}

// compareUIDLs says what ImportUIDLs would do.
func compareUIDLs(found, have []metadata.UIDL) (given int, clashes []metadata.UIDL) {
	byBody, byUnique := make(map[metadata.BodyID]string), make(map[string]metadata.BodyID)
	for _, u := range have {
		byBody[u.Body], byUnique[u.Unique] = u.Unique, u.Body
	}
	for _, u := range found {
		unique, has := byBody[u.Body]
		body, taken := byUnique[u.Unique]
		if has && unique != u.Unique || taken && body != u.Body {
			clashes = append(clashes, u)
		} else {
			given++
		}
	}
	return given, clashes
}

// reportUIDLs names the lines that were of no use.
func reportUIDLs(cmd *cobra.Command, path string, not []uidl.Unmatched, clashes []metadata.UIDL) {
	stderr := cmd.ErrOrStderr()
	for _, u := range not[:min(len(not), maxUnmatchedLines)] {
		fmt.Fprintf(stderr, "%s:%d: %s: %s\n", path, u.Line, u.Unique, u.Why)
	}
	for _, u := range clashes[:min(len(clashes), maxUnmatchedLines)] {
		fmt.Fprintf(stderr, "%s: %s: the message has another unique-id, or another message has this one\n", path, u.Unique)
	}
	if more := max(0, len(not)-maxUnmatchedLines) + max(0, len(clashes)-maxUnmatchedLines); more > 0 {
		fmt.Fprintf(stderr, "%s: %d more lines were of no use\n", path, more)
	}
}
