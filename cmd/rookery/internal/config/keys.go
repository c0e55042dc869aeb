package config

import (
	"net/netip"
	"strings"
	"time"

	"github.com/rookery-mail/rookery/delivery"
)

// key is all there is to know about one key.
type key struct {
	name   string
	def    string // as in TOML
	doc    string
	secret bool // the value may hold credentials: never shown
	read   reader
}

// reader takes a value into c, or says what was expected instead.
type reader func(c *Config, v value) (expected string)

// Env returns the name of the key's environment variable.
func (k key) env() string {
	return "ROOKERY_" + strings.ToUpper(strings.ReplaceAll(k.name, ".", "_"))
}

// The URLs have two keys each.
var (
	readMetadata = text(func(c *Config) *string { return &c.Metadata }, metadataURL)
	readBlobs    = text(func(c *Config) *string { return &c.Blobs }, blobsURL)
	readNotify   = text(func(c *Config) *string { return &c.Notify }, notifyURL)
	readSubmit   = text(func(c *Config) *string { return &c.Outbound.Submission }, submissionURL)
)

// keys is the table, in the order of the example: keys without a section first.
var keys = []key{
	{name: "data_dir", def: `"./rookery-data"`, read: text(func(c *Config) *string { return &c.DataDir }, nonEmpty),
		doc: "Where this machine's files are: SQLite, bodies, the disk cache, the self-signed certificate. Relative paths are\nrelative to the directory the server is started in."},
	{name: "hostname", def: `""`, read: text(func(c *Config) *string { return &c.Hostname }, hostname),
		doc: "The name in greetings and in the self-signed certificate. Empty: the machine's own."},
	{name: "default_domain", def: `"localhost"`, read: text(func(c *Config) *string { return &c.DefaultDomain }, domain),
		doc: "The domain of a login or recipient that has none: \"user1\" is user1@<default_domain>."},
	{name: "delimiter", def: `"+"`, read: text(func(c *Config) *string { return &c.Delimiter }, delimiter),
		doc: "What separates user and detail: mail for user+detail@ goes to user@. Empty switches this off."},
	{name: "detail_mailbox", def: `false`, read: boolean(func(c *Config) *bool { return &c.DetailMailbox }),
		doc: "Whether mail for user+detail@ goes to the user's mailbox called \"detail\", if there is one, and not to INBOX. Domains and\naccounts may say otherwise."},
	{name: "shutdown_timeout", def: `"30s"`, read: duration(func(c *Config) *time.Duration { return &c.ShutdownTimeout }),
		doc: "How long running commands may take to end after SIGTERM."},

	{name: "metadata", def: `""`, secret: true, read: readMetadata,
		doc: "Accounts, mailboxes, flags: sqlite:PATH, postgresql://USER:PASSWORD@HOST:PORT/DATABASE or cockroachdb://... (the same\nform). Empty: sqlite:<data_dir>/metadata.sqlite."},
	{name: "metadata_file", def: `""`, read: secretFile(readMetadata),
		doc: "A file that holds the URL, instead of metadata."},
	{name: "blobs", def: `""`, secret: true, read: readBlobs,
		doc: "Message bodies: file:PATH or s3://KEY:SECRET@HOST:PORT/BUCKET?tls=false&region=us-east-1. The bucket is made if it is\nmissing and may be. Empty: file:<data_dir>/blobs."},
	{name: "blobs_file", def: `""`, read: secretFile(readBlobs),
		doc: "A file that holds the URL, instead of blobs."},
	{name: "notify", def: `"local:"`, secret: true, read: readNotify,
		doc: "Hints between nodes: local: for a single node, redis://HOST:PORT/DB (rediss:// with TLS) for several."},
	{name: "notify_file", def: `""`, read: secretFile(readNotify),
		doc: "A file that holds the URL, instead of notify."},
	{name: "lanes", def: `4`, read: number(func(c *Config) *int { return &c.Lanes }, 1, 64),
		doc: "Group commits that may be under way at once."},

	{name: "imap.listen", def: `":1143"`, read: text(func(c *Config) *string { return &c.IMAP }, listenTCP),
		doc: "host:port; without a host all interfaces; empty switches the listener off. Plain-text passwords need STARTTLS, unless\nthe client is on loopback (see auth.allow_plaintext)."},
	{name: "imap.literal_minus", def: `false`, read: boolean(func(c *Config) *bool { return &c.Sessions.LiteralMinus }),
		doc: "Announce LITERAL- and not LITERAL+: clients ask before they send more than 4096 bytes at once."},
	{name: "imap.login_timeout", def: `"1m"`, read: duration(func(c *Config) *time.Duration { return &c.Sessions.LoginTimeout }),
		doc: "How long an IMAP client may take for a command before login; for the login as a whole, five times as long."},
	{name: "imap.idle_timeout", def: `"30m"`, read: duration(func(c *Config) *time.Duration { return &c.Sessions.IdleTimeout }),
		doc: "How long an IMAP client may take for a command after login, IDLE excepted. Standards ask for 30 minutes."},
	{name: "imap.stream_timeout", def: `"5m"`, read: duration(func(c *Config) *time.Duration { return &c.Sessions.StreamTimeout }),
		doc: "How long an IMAP client may pause within a message it appends."},
	{name: "imap.write_timeout", def: `"2m"`, read: duration(func(c *Config) *time.Duration { return &c.Sessions.WriteTimeout }),
		doc: "How long an IMAP client may take to read 16 KiB; then it is disconnected."},
	{name: "imap.failed_logins", def: `5`, read: number(func(c *Config) *int { return &c.Sessions.FailedLogins }, 1, 1000),
		doc: "Failed logins of an IMAP connection before it is closed."},
	{name: "imap.bad_commands", def: `20`, read: number(func(c *Config) *int { return &c.Sessions.BadCommands }, 1, 100_000),
		doc: "Invalid commands of an IMAP connection, one after another, before it is closed."},
	{name: "imap.administrators", def: `[]`, read: list(func(c *Config) *[]string { return &c.Administrators }, anAddress),
		doc: "Accounts that may see and set the quota of others by IMAP, and set annotations and filters that all share,\nsuch as [\"postmaster@example.org\"]."},
	{name: "imap.contact", def: `""`, read: text(func(c *Config) *string { return &c.Contact }, aURI),
		doc: "A URI by which users reach the administrator, such as \"mailto:postmaster@example.org\": the annotation /shared/admin\n(METADATA)."},
	{name: "imap.submit_users", def: `[]`, read: list(func(c *Config) *[]string { return &c.SubmitUsers }, accountName),
		doc: "The accounts that message submission servers log in with, to fetch URLs that their users vouch for\n(BURL: RFC 4468, RFC 4467), such as [\"submit@example.org\"]."},
	{name: "imaps.listen", def: `":1993"`, read: text(func(c *Config) *string { return &c.IMAPS }, listenTCP),
		doc: "IMAP with TLS from the first byte."},
	{name: "pop3.listen", def: `":1110"`, read: text(func(c *Config) *string { return &c.POP3 }, listenTCP),
		doc: "POP3 with STLS."},
	{name: "pop3.login_delay", def: `"0s"`, read: duration(func(c *Config) *time.Duration { return &c.POP3LoginDelay }),
		doc: "How long after a POP3 login an account's next one is refused, on all nodes (LOGIN-DELAY). 0s: not at all."},
	{name: "pop3.read_ahead", def: `"64MiB"`, read: size(func(c *Config) *int64 { return &c.POP3ReadAhead }, 1<<20),
		doc: "Messages read before POP3 clients ask for them, of all sessions together."},
	{name: "pop3s.listen", def: `":1995"`, read: text(func(c *Config) *string { return &c.POP3S }, listenTCP),
		doc: "POP3 with TLS from the first byte."},
	{name: "managesieve.listen", def: `":4190"`, read: text(func(c *Config) *string { return &c.ManageSieve }, listenTCP),
		doc: "ManageSieve (Sieve scripts) with STARTTLS."},
	{name: "lmtp.listen", def: `"127.0.0.1:2424"`, read: text(func(c *Config) *string { return &c.LMTP }, listenAny),
		doc: "Mail from the MTA: host:port or unix:/PATH. Whoever can connect can deliver; there is no login. Keep it on loopback or a\nprivate network."},
	{name: "lmtp.over_quota", def: `"temporary"`, read: choice(func(c *Config, s string) { c.OverQuotaPermanent = s == "permanent" }, "temporary", "permanent"),
		doc: "The answer for a full mailbox: temporary (452, the MTA tries again) or permanent (552, the mail bounces)."},
	{name: "lmtp.trusted_networks", def: `[]`, read: list(func(c *Config) *[]netip.Prefix { return &c.LMTPTrusted }, network),
		doc: "The networks whose clients may use XCLIENT and XFORWARD (Postfix's lmtp_send_xforward_command), such as\n[\"127.0.0.1\"], which means unix sockets too."},
	{name: "lmtp.trusted_message_rate", def: `0`, read: number(func(c *Config) *int { return &c.LMTPTrustedRate }, 0, 10_000_000),
		doc: "Messages a minute from one client of lmtp.trusted_networks, in place of limits.message_rate. 0 is no limit."},
	{name: "lmtps.listen", def: `""`, read: text(func(c *Config) *string { return &c.LMTPS }, listenTCP),
		doc: "LMTP with TLS from the first byte, off by default. lmtp.listen has STARTTLS."},
	{name: "quota.grace", def: `10`, read: number(func(c *Config) *int { return &c.QuotaGrace }, 0, 1000),
		doc: "Percent of an account's limits by which a delivery may exceed them, so that the last message is not the one that is\nrefused. IMAP has no grace."},
	{name: "quota.warnings", def: `["80%", "95%"]`, read: list(func(c *Config) *[]int64 { return &c.QuotaWarnings }, percent),
		doc: "Where a message in INBOX tells users that their mailbox fills up, each time it is crossed. Empty: nobody is told."},
	{name: "http.listen", def: `"127.0.0.1:8080"`, read: text(func(c *Config) *string { return &c.HTTP }, listenTCP),
		doc: "/healthz, /readyz and /metrics. There is no login."},

	{name: "outbound.submission", def: `""`, secret: true, read: readSubmit,
		doc: "The server that takes what Sieve scripts send (redirects, vacation responses, notifications, rejections):\nsmtp://USER:PASSWORD@HOST:587?tls=starttls (or tls=implicit, tls=none; verify=false takes any certificate; special\ncharacters as %XX). Empty: scripts that send have an error, the mail is kept."},
	{name: "outbound.submission_file", def: `""`, read: secretFile(readSubmit),
		doc: "A file that holds the URL, instead of outbound.submission."},
	{name: "outbound.expire", def: `"120h"`, read: duration(func(c *Config) *time.Duration { return &c.Outbound.Expire }),
		doc: "How long sending is tried before the sender of a redirected message is told that it failed."},

	{name: "sieve.scripts", def: `64`, read: number(func(c *Config) *int { return &c.Sieve.Scripts }, 1, 10_000),
		doc: "Scripts of one account."},
	{name: "sieve.script_size", def: `"256KiB"`, read: size(func(c *Config) *int64 { return &c.Sieve.ScriptBytes }, 1<<10),
		doc: "The largest script."},
	{name: "sieve.total_size", def: `"2MiB"`, read: size(func(c *Config) *int64 { return &c.Sieve.TotalBytes }, 1<<10),
		doc: "All scripts of one account together."},
	{name: "sieve.redirects", def: `8`, read: number(func(c *Config) *int { return &c.Sieve.Redirects }, 1, 1000),
		doc: "Redirects of one message by one account's scripts."},
	{name: "sieve.imap_events", def: `[]`, read: list(func(c *Config) *[]delivery.Rule { return &c.Sieve.Events }, eventRule),
		doc: "The administrator's shared scripts (rookery sieve put --scope shared) that run when IMAP clients append, copy or move\nmessages or change flags: \"MAILBOX=SCRIPT\", or \"FROM>MAILBOX=SCRIPT\" for copies and moves only. A mailbox is a name,\nthe beginning of one (\"Work/*\"), any (\"*\"), or a special use (\"\\\\Junk\")."},

	{name: "sieve.mailbox_scripts", def: `true`, read: boolean(func(c *Config) *bool { return &c.Sieve.MailboxScripts }),
		doc: "Whether mailboxes may have scripts of their owner's for the same events: the annotation /shared/imapsieve/script names\none (RFC 6785). IMAP says so (IMAPSIEVE) if hostname and managesieve.listen are set."},

	{name: "sieve.lists", def: `[]`, read: spaced(list(func(c *Config) *[]delivery.List { return &c.Sieve.Lists }, aList)),
		doc: "Lists that everyone's scripts may ask (extlists, RFC 6134): \"NAME=/PATH\", a file with one member a line, read again\nwhen it changes, or \"NAME=ADDRESS\", the accounts that an alias leads to. A name is a URI, tag:DOMAIN,YEAR:NAME most\nlikely. The variable separates them by spaces."},
	{name: "sieve.redirect_lists", def: `[]`, read: spaced(list(func(c *Config) *[]delivery.List { return &c.Sieve.RedirectLists }, aList)),
		doc: "More such lists, to whose members scripts may redirect as well. Each member counts for sieve.redirects."},
	{name: "sieve.virus_verdicts", def: defaultVerdicts(), read: spaced(list(func(c *Config) *[]delivery.Verdict { return &c.Sieve.Verdicts }, verdict)),
		doc: "What virustest makes of the header fields of an upstream virus scanner: \"FIELD: PATTERN=VALUE\". * in a pattern stands\nfor anything; values are 0 (not tested), 1 (clean), 2 (replaced), 3 (cured), 4 (perhaps infected) and 5 (infected).\nOf a field's verdicts the first that fits counts, of several fields the worst. The scanner must remove such fields of\nthe sender's, or put its own above them. The variable separates verdicts by spaces, with none inside."},

	{name: "spam.standard_script", def: `true`, read: boolean(func(c *Config) *bool { return &c.Spam.StandardScript }),
		doc: "Whether mail with X-Spam: Yes, X-Spam-Flag: YES or a score at the limit goes to the mailbox with the special use\n\\Junk, unless the administrator has a script of his own active (rookery sieve put --scope before)."},
	{name: "spam.header", def: `"X-Spam-Score"`, read: text(func(c *Config) *string { return &c.Spam.Header }, fieldName),
		doc: "The header field with the score that an upstream filter gave; also for Sieve's spamtest."},
	{name: "spam.limit", def: `6`, read: number(func(c *Config) *int { return &c.Spam.Limit }, 1, 1000),
		doc: "The score that makes spam: 100 % of spamtest."},
	{name: "spam.rspamd_url", def: `""`, read: text(func(c *Config) *string { return &c.Spam.RspamdURL }, httpURL),
		doc: "The controller of an rspamd, such as http://127.0.0.1:11334, that learns from what users do: a message moved or copied\ninto the mailbox with the special use \\Junk is spam, one moved out of it, not to \\Trash, is none. Empty: off."},
	{name: "spam.rspamd_password", def: `""`, secret: true, read: readRspamdPassword,
		doc: "Its password; none is needed from addresses in its secure_ip."},
	{name: "spam.rspamd_password_file", def: `""`, read: secretFile(readRspamdPassword),
		doc: "A file that holds the password, instead of spam.rspamd_password."},

	{name: "tls.cert", def: `""`, read: text(func(c *Config) *string { return &c.TLSCert }, readable),
		doc: "Certificate chain in PEM. Empty: a self-signed one is made in data_dir. Read again at SIGHUP."},
	{name: "tls.key", def: `""`, read: text(func(c *Config) *string { return &c.TLSKey }, readable),
		doc: "Its private key in PEM."},
	{name: "auth.allow_plaintext", def: `false`, read: boolean(func(c *Config) *bool { return &c.AllowPlaintext }),
		doc: "Whether passwords may cross a network without TLS."},

	{name: "proxy.listeners", def: `[]`, read: list(func(c *Config) *[]string { return &c.Proxy.Listeners }, proxied),
		doc: "Listeners behind a proxy that speaks the PROXY protocol, such as [\"imap\", \"imaps\"]."},
	{name: "proxy.networks", def: `[]`, read: list(func(c *Config) *[]netip.Prefix { return &c.Proxy.Networks }, network),
		doc: "The networks of those proxies, such as [\"10.0.0.0/24\"]. Connections from there to these\nlisteners must begin with a PROXY header, version 1 or 2; others are the clients' own."},

	{name: "limits.message_size", def: `"100MiB"`, read: size(func(c *Config) *int64 { return &c.Limits.MessageSize }, 1<<10),
		doc: "The largest message taken, by LMTP or APPEND."},
	{name: "limits.recipients", def: `1000`, read: number(func(c *Config) *int { return &c.Limits.Recipients }, 1, 100_000),
		doc: "Recipients of one LMTP transaction. RFC 5321 asks for 100 at least."},
	{name: "limits.command", def: `"64KiB"`, read: size(func(c *Config) *int64 { return &c.Limits.Command }, 8<<10),
		doc: "The longest IMAP command, without message literals."},
	{name: "limits.messages_per_command", def: `0`, read: numberOrNone(func(c *Config) *int { return &c.Limits.MessagesPerCommand }, 1000, 10_000_000),
		doc: "Messages that one IMAP FETCH, SEARCH, STORE, COPY, MOVE, APPEND or UID EXPUNGE may process (RFC 9738); 0 is no limit.\nClients that do not know this limit do not work in larger mailboxes."},
	{name: "limits.messages_per_save", def: `0`, read: numberOrNone(func(c *Config) *int { return &c.Limits.MessagesPerSave }, 1000, 10_000_000),
		doc: "The same for COPY and APPEND only. limits.messages_per_command goes before it."},
	{name: "limits.connections", def: `20000`, read: number(func(c *Config) *int { return &c.Limits.Connections }, 1, 10_000_000),
		doc: "Connections of each protocol at once."},
	{name: "limits.connections_per_account", def: `100`, read: number(func(c *Config) *int { return &c.Limits.ConnectionsPerAccount }, 1, 1_000_000),
		doc: "Logged-in IMAP connections of one account, on this node. POP3 lets an account have one session at a time anywhere."},
	{name: "limits.connections_per_address", def: `1000`, read: number(func(c *Config) *int { return &c.Limits.ConnectionsPerAddress }, 1, 10_000_000),
		doc: "Connections to one protocol from one address (IPv6: one /64), loopback excepted; more are refused. A webmail is one\naddress; a proxy too, unless it tells who its clients are (see proxy.networks)."},
	{name: "limits.connection_rate", def: `0`, read: number(func(c *Config) *int { return &c.Limits.ConnectionRate }, 0, 10_000_000),
		doc: "New connections a minute to one protocol from one address, loopback excepted; more are refused. 0 is no limit."},
	{name: "limits.message_rate", def: `0`, read: number(func(c *Config) *int { return &c.Limits.MessageRate }, 0, 10_000_000),
		doc: "Messages a minute by LMTP from one address (IPv6: one /64), loopback and lmtp.trusted_networks excepted; more are\nanswered 451, the MTA tries again. 0 is no limit."},
	{name: "limits.mailboxes", def: `10000`, read: number(func(c *Config) *int { return &c.Limits.Mailboxes }, 1, 1_000_000),
		doc: "Mailboxes of one account."},
	{name: "limits.database_connections", def: `16`, read: number(func(c *Config) *int { return &c.Limits.DatabaseConnections }, 2, 10_000),
		doc: "Connections of this node to PostgreSQL or CockroachDB. SQLite has no use for it."},

	{name: "cache.memory", def: `"64MiB"`, read: size(func(c *Config) *int64 { return &c.Cache.Memory }, 1<<20),
		doc: "Message frames kept in memory."},
	{name: "cache.views", def: `"64MiB"`, read: size(func(c *Config) *int64 { return &c.Cache.Views }, 1<<20),
		doc: "Rows of mailbox views kept in memory; beyond it those used longest ago are read again when needed."},
	{name: "cache.envelopes", def: `"64MiB"`, read: size(func(c *Config) *int64 { return &c.Cache.Envelopes }, 0),
		doc: "Answers to FETCH ENVELOPE and BODYSTRUCTURE kept in memory, some 300 bytes a message; 0 switches this off."},
	{name: "cache.disk", def: `"1GiB"`, read: size(func(c *Config) *int64 { return &c.Cache.Disk }, 0),
		doc: "Message frames kept under data_dir when blobs is an object store; 0 switches this off."},

	{name: "log.level", def: `"info"`, read: choice(func(c *Config, s string) { c.Log.Level = s }, "debug", "info", "warn", "error"),
		doc: "debug, info, warn or error."},
	{name: "log.format", def: `"text"`, read: choice(func(c *Config, s string) { c.Log.JSON = s == "json" }, "text", "json"),
		doc: "text or json, on standard error."},
}
