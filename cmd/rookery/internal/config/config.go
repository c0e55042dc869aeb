package config

import (
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rookery-mail/rookery/delivery"
)

// Config is a node's configuration, complete: defaults are filled in.
type Config struct {
	File string // the file it was read from, "" for none

	DataDir         string
	Hostname        string
	DefaultDomain   string
	Delimiter       string
	DetailMailbox   bool
	ShutdownTimeout time.Duration

	Metadata string // URL, see the key's doc
	Blobs    string
	Notify   string
	Lanes    int

	IMAP, IMAPS, POP3, POP3S, ManageSieve, LMTP, LMTPS, HTTP string        // addresses to listen on, "" for off
	POP3LoginDelay                                           time.Duration // between an account's logins; 0: none
	POP3ReadAhead                                            int64         // bytes, of all sessions

	LMTPTrusted        []netip.Prefix // may use XCLIENT and XFORWARD
	LMTPTrustedRate    int            // messages a minute from one of these; 0: no limit
	OverQuotaPermanent bool           // what LMTP answers for a full mailbox

	Administrators []string // addresses of accounts
	Contact        string   // a URI of the administrator's
	QuotaGrace     int      // percent
	QuotaWarnings  []int64  // percents

	SubmitUsers []string // accounts of message submission servers

	TLSCert, TLSKey string // files; both or none
	AllowPlaintext  bool

	Outbound Outbound
	Sieve    Sieve
	Spam     Spam

	Proxy    Proxy
	Limits   Limits
	Sessions IMAPSessions
	Cache    Cache
	Log      Log
}

// Outbound says how what scripts send leaves.
type Outbound struct {
	Submission string // URL, see the key's doc; "": nothing is sent
	Expire     time.Duration
}

// Sieve bounds an account's scripts.
type Sieve struct {
	Scripts                 int
	ScriptBytes, TotalBytes int64
	Redirects               int // of one message
	Events                  []delivery.Rule
	MailboxScripts          bool
	Lists                   []delivery.List // of RFC 6134
	RedirectLists           []delivery.List // the same, and messages may be redirected to them
	Verdicts                []delivery.Verdict
}

// Spam says how an upstream filter marks it.
type Spam struct {
	StandardScript bool
	Header         string
	Limit          int
	RspamdURL      string // "": nothing is learned
	RspamdPassword string
}

// Limits bound what clients may ask for.
type Limits struct {
	MessageSize           int64 // bytes
	Recipients            int   // of one LMTP transaction
	Command               int64 // bytes of an IMAP command without its literals
	MessagesPerCommand    int   // of one IMAP command; 0: no limit
	MessagesPerSave       int   // of one IMAP COPY or APPEND; 0: no limit
	Connections           int   // of each protocol
	ConnectionsPerAccount int
	ConnectionsPerAddress int
	ConnectionRate        int // a minute from one address; 0: no limit
	MessageRate           int // messages a minute by LMTP from one address; 0: no limit
	Mailboxes             int // of one account
	DatabaseConnections   int // of this node; not with SQLite
}

// IMAPSessions says what IMAP clients may do, and for how long.
type IMAPSessions struct {
	LiteralMinus  bool          // announce LITERAL- instead of LITERAL+
	LoginTimeout  time.Duration // for a command before login
	IdleTimeout   time.Duration // for a command after login
	StreamTimeout time.Duration // between two pieces of a message in APPEND
	WriteTimeout  time.Duration // for a piece of a response
	FailedLogins  int
	BadCommands   int // one after another
}

// Proxy says where connections begin with a PROXY header.
type Proxy struct {
	Listeners []string // protocols as in <protocol>.listen
	Networks  []netip.Prefix
}

// Cache says how much may be kept near. All of it may be lost.
type Cache struct {
	Memory    int64 // bytes of decompressed frames
	Views     int64 // bytes for views nobody has open
	Envelopes int64 // bytes of IMAP's ENVELOPE and BODYSTRUCTURE; 0: none
	Disk      int64 // bytes under data_dir, with an object store only
}

// Log says how events are written.
type Log struct {
	Level string // debug, info, warn, error
	JSON  bool
}

// derive fills in what depends on other keys.
func (c *Config) derive() {
	if c.Metadata == "" {
		c.Metadata = "sqlite:" + filepath.Join(c.DataDir, "metadata.sqlite")
	}
	if c.Blobs == "" {
		c.Blobs = "file:" + filepath.Join(c.DataDir, "blobs")
	}
}

// Embedded reports whether metadata or bodies live in files of this machine, so that no second server may use them.
func (c *Config) Embedded() bool { return c.SQLite() || strings.HasPrefix(c.Blobs, "file:") }

// SQLite reports whether the metadata is SQLite's: then the schema is brought up to date at start.
func (c *Config) SQLite() bool { return strings.HasPrefix(c.Metadata, "sqlite:") }

// Proxied reports whether connections to the listener of a key may come through a proxy.
func (c *Config) Proxied(key string) bool {
	return slices.Contains(c.Proxy.Listeners, strings.TrimSuffix(key, ".listen"))
}

// Listener is one address to listen on and the key that says so.
type Listener struct{ Key, Address string }

// Listeners returns all listeners, those switched off included.
func (c *Config) Listeners() []Listener {
	return []Listener{
		{"imap.listen", c.IMAP}, {"imaps.listen", c.IMAPS}, {"pop3.listen", c.POP3}, {"pop3s.listen", c.POP3S}, {"managesieve.listen", c.ManageSieve},
		{"lmtp.listen", c.LMTP}, {"lmtps.listen", c.LMTPS}, {"http.listen", c.HTTP},
	}
}
