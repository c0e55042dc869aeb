package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"github.com/rookery-mail/rookery/directory"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// demoPassword is the file under data_dir with the demonstration account's password, so that later starts can say it again.
const demoPassword = "demo-password"

// demo makes the demonstration account at the first start, sends it a welcome through LMTP like any mail, and says how to
// connect. Every step is done only if it was not done before.
func (n *node) demo(ctx context.Context, out io.Writer) error {
	password, err := n.demoAccount(ctx)
	if err != nil {
		return err
	}
	address := "demo@" + n.cfg.DefaultDomain
	if err := n.demoWelcome(ctx, address); err != nil {
		return err
	}
	return n.printDemo(out, address, password)
}

// demoAccount returns the account's password, "" when somebody set another.
func (n *node) demoAccount(ctx context.Context) (string, error) {
	path := filepath.Join(n.cfg.DataDir, demoPassword)
	content, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	password := strings.TrimSpace(string(content))
	switch _, err = n.dir.Account(ctx, "demo"); {
	case err == nil:
		if _, err := n.dir.Authenticate(ctx, "demo", password); mailerr.Is(err, mailerr.Permission) {
			return "", nil
		} else if err != nil {
			return "", err
		}
		return password, nil
	case !mailerr.Is(err, mailerr.NotFound):
		return "", err
	}
	if password == "" {
		password = directory.GeneratePassword()
		if err := makeDataDir(n.cfg.DataDir); err != nil {
			return "", err
		}
		// Before the account: a password that is lost is worse than one for an account that is not there yet.
		if err := writeFile(path, []byte(password+"\n")); err != nil {
			return "", err
		}
	}
	_, err = n.dir.AddAccount(ctx, "demo", password)
	return password, err
}

// demoWelcome delivers the welcome if INBOX never had a message.
func (n *node) demoWelcome(ctx context.Context, address string) error {
	account, err := n.dir.Account(ctx, address)
	if err != nil {
		return err
	}
	inbox, err := n.meta.Mailbox(ctx, account.ID, "INBOX")
	if err != nil {
		return err
	}
	if inbox.UIDNext > metadata.UID(1) {
		return nil
	}
	var message bytes.Buffer
	now := time.Now()
	err = welcome.Execute(&message, map[string]string{
		"To": address, "Domain": n.cfg.DefaultDomain, "Date": now.Format(time.RFC1123Z), "ID": fmt.Sprintf("welcome.%d", now.UnixNano()),
	})
	if err != nil {
		return err
	}
	return deliver(ctx, n.address("lmtp.listen"), "", []string{address}, &message)
}

var welcome = template.Must(template.New("welcome").Parse(`From: Rookery <postmaster@{{.Domain}}>
To: {{.To}}
Subject: Welcome to Rookery
Date: {{.Date}}
Message-ID: <{{.ID}}@{{.Domain}}>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

This message came by LMTP, was written to the store, committed to the
database, and only then acknowledged. Now you read it by IMAP or POP3.

What to try next:

  rookery account add alice@{{.Domain}}
  rookery alias add info demo
  rookery config example

Mail for demo+anything@{{.Domain}} arrives here, too.
`))

func (n *node) printDemo(out io.Writer, address, password string) error {
	exe, err := os.Executable()
	if err != nil {
		exe = "rookery"
	}
	shown := password
	if password == "" {
		shown = "(changed; `rookery account passwd demo` sets a new one)"
		password = "PASSWORD"
	}
	imap, lmtp := n.address("imap.listen"), n.address("lmtp.listen")
	secure := ""
	if !isLoopback(imap) {
		secure = " --ssl-reqd --insecure"
	}
	_, err = fmt.Fprintf(out, `
Rookery is running. Stop it with Ctrl-C.

  account     %s
  password    %s
  IMAP        %s (STARTTLS), %s (TLS, self-signed certificate)
  POP3        %s (STLS), %s (TLS)
  ManageSieve %s (STARTTLS)
  LMTP        %s
  HTTP        %s (/healthz, /readyz, /metrics)

Read the welcome message:

  curl%s --user '%s:%s' 'imap://%s/INBOX;UID=1'

Deliver a message by LMTP:

  printf 'Subject: Hello\n\nIt works.\n' | %s deliver --server %s --to %s

`, address, shown, imap, orOff(n.address("imaps.listen")), orOff(n.address("pop3.listen")), orOff(n.address("pop3s.listen")), orOff(n.address("managesieve.listen")), lmtp,
		orOff(n.address("http.listen")),
		secure, address, password, imap, shellQuote(exe), lmtp, address)
	return err
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func orOff(address string) string {
	if address == "" {
		return "off"
	}
	return address
}

// shellQuote returns s as one word for a shell.
func shellQuote(s string) string {
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:@") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
