package directory

import (
	"errors"
	"log/slog"
	"time"
	"unicode/utf8"

	"github.com/rookery-mail/rookery/metadata"
)

// Options are what a Local is made of.
type Options struct {
	Metadata      metadata.Store
	DefaultDomain string // of a login or recipient without a domain; "" means "localhost"
	Delimiter     string // between local part and detail, one character, where a domain says nothing; "" switches details off
	DetailMailbox bool   // mail for a detail goes to the mailbox of that name, where account and domain say nothing
	Log           *slog.Logger
	Now           func() time.Time // nil: time.Now
}

// Local is the directory of accounts and aliases that the installation keeps in its own metadata.
type Local struct {
	meta      metadata.Store
	domain    string
	delimiter string
	details   bool // go to mailboxes
	rules     *rules
	gather    *gatherer
	log       *slog.Logger
	hashes    *hasher
	logins    *loginCache
}

var _ Directory = (*Local)(nil)

// New returns a Local.
func New(o Options) (*Local, error) {
	if o.Metadata == nil {
		return nil, errors.New("directory: no metadata store")
	}
	if o.DefaultDomain == "" {
		o.DefaultDomain = "localhost"
	}
	domain, err := ParseDomain(o.DefaultDomain)
	if err != nil {
		return nil, err
	}
	if utf8.RuneCountInString(o.Delimiter) > 1 {
		return nil, errors.New("directory: the delimiter is more than one character")
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Local{
		meta:      o.Metadata,
		domain:    domain,
		delimiter: o.Delimiter,
		details:   o.DetailMailbox,
		rules:     newRules(o.Metadata, o.Now),
		gather:    newGatherer(o.Metadata.LookupAddresses),
		log:       o.Log,
		hashes:    newHasher(),
		logins:    newLoginCache(o.Now),
	}, nil
}
