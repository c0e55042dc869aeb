package metadata

import (
	"context"
	"time"

	"github.com/rookery-mail/rookery/mailerr"
)

// ScriptOwner names whose scripts some are: an account's, or the administrator's for all accounts or for those of a domain.
type ScriptOwner string

// adminOwner begins the owners that are no accounts: longer than an account's id, so that the two cannot meet.
const adminOwner = "administrator/"

// AccountScripts returns the owner of an account's own scripts.
func AccountScripts(id AccountID) ScriptOwner { return ScriptOwner(id[:]) }

// ScriptPlace is when an administrator's active script runs, relative to the account's.
type ScriptPlace string

// The places.
const (
	ScriptsBefore ScriptPlace = "before"
	ScriptsAfter  ScriptPlace = "after"
	// ScriptsShared run for nobody: they are what "include :global" finds (RFC 6609 section 3.2).
	ScriptsShared ScriptPlace = "shared"
)

// AdminScripts returns the owner of the administrator's scripts at a place, for one domain or ("") for all. The domain is as
// package directory normalises it.
func AdminScripts(place ScriptPlace, domain string) ScriptOwner {
	return ScriptOwner(adminOwner + string(place) + "/" + domain)
}

// Account returns the account whose scripts these are; false for the administrator's.
func (o ScriptOwner) Account() (id AccountID, ok bool) {
	if len(o) != len(id) {
		return id, false
	}
	return AccountID([]byte(o)), true
}

// SieveScript is one stored script.
type SieveScript struct {
	Name    string // at most MaxScriptName bytes
	Source  string // "" where a list was asked for
	Size    int64  // bytes of Source
	Active  bool   // at most one of an owner's
	Updated time.Time
	Error   ScriptError
}

// ScriptError is what went wrong when a script ran last, since it was stored. Errors == 0: nothing.
type ScriptError struct {
	Errors int64  // how often
	Text   string // of the last one
	At     time.Time
}

// MaxScriptName is the longest name of a script, in bytes (RFC 5804 section 1.6 asks for 128 characters at least).
const MaxScriptName = 512

// ScriptState is what a delivery must know to tell whether what it remembers of an owner's scripts still holds.
type ScriptState struct {
	Active  string // the name of the active script, "" for none
	Version int64  // rises with every change to any of the owner's scripts; 0: there never was one
}

// ScriptLimits bound an owner's scripts; 0 is no limit.
type ScriptLimits struct {
	Scripts     int   // how many
	ScriptBytes int64 // of one
	TotalBytes  int64 // of all together
}

// Check reports whether a script of this name and size may be stored beside those there, in place of one of the same name.
// TooBig for the size of one, Limit for their number, OverQuota for all together.
func (l ScriptLimits) Check(have []SieveScript, name string, size int64) error {
	const op = "metadata.PutScript"
	count, total := 1, size
	for i := range have {
		if have[i].Name != name {
			count++
			total += have[i].Size
		}
	}
	switch {
	case l.ScriptBytes > 0 && size > l.ScriptBytes:
		return mailerr.New(op, mailerr.TooBig, "the script is too big")
	case l.Scripts > 0 && count > l.Scripts:
		return mailerr.New(op, mailerr.Limit, "too many scripts")
	case l.TotalBytes > 0 && total > l.TotalBytes:
		return mailerr.New(op, mailerr.OverQuota, "the scripts are too big together")
	}
	return nil
}

// SieveStore is Sieve scripts and what they remember. Every change to an owner's scripts raises its ScriptState.Version.
type SieveStore interface {
	// PutScript stores a script under a name, in place of one that is there, which stays active if it was; its ScriptError is
	// forgotten. NotFound (no such account), Invalid (a name RFC 5804 section 1.6 does not allow, a source that is not UTF-8
	// or has NUL), TooBig, Limit, OverQuota as ScriptLimits.Check has them.
	PutScript(ctx context.Context, owner ScriptOwner, name, source string, limits ScriptLimits) error
	// Scripts returns an owner's scripts by name, without Source, and their state, from one snapshot.
	Scripts(ctx context.Context, owner ScriptOwner) ([]SieveScript, ScriptState, error)
	// Script returns one with its source. NotFound.
	Script(ctx context.Context, owner ScriptOwner, name string) (*SieveScript, error)
	// ActiveScript returns the active script with its source, nil when there is none, and the state it belongs to.
	ActiveScript(ctx context.Context, owner ScriptOwner) (*SieveScript, ScriptState, error)
	// DeleteScript removes one. NotFound, InUse when it is active (RFC 5804 section 2.10).
	DeleteScript(ctx context.Context, owner ScriptOwner, name string) error
	// RenameScript gives a script another name; it stays active if it was. NotFound, Exists, Invalid.
	RenameScript(ctx context.Context, owner ScriptOwner, from, to string) error
	// ActivateScript makes a script the active one, "" none. NotFound.
	ActivateScript(ctx context.Context, owner ScriptOwner, name string) error
	// AdminScriptStates returns the state of every owner that is no account.
	AdminScriptStates(ctx context.Context) (map[ScriptOwner]ScriptState, error)
	// RecordScriptError keeps what went wrong with a script where its owner sees it, and returns how often something did
	// since it was stored (a commit whose answer was lost may count twice); 0 when the script is not there any more.
	RecordScriptError(ctx context.Context, owner ScriptOwner, name, text string) (errors int64, err error)

	// ClaimHandle asks whether claimant is the first with a handle of the account, in the whole installation, within ttl
	// (RFC 7352). It is for the one who asked first, until SettleHandles or ttl: so a delivery that failed and is tried again
	// under the same claimant is first again. claimant is not empty. NotFound is not answered: handles of an account that is
	// gone go with time.
	ClaimHandle(ctx context.Context, account AccountID, handle Handle, claimant string, ttl time.Duration) (first bool, err error)
	// SettleHandles ends claims: what was claimed is now taken for everybody, for ttl from now.
	SettleHandles(ctx context.Context, account AccountID, handles []HandleUse) error
	// ExpireHandles removes up to limit handles whose time is over and returns how many it did.
	ExpireHandles(ctx context.Context, limit int) (int, error)
}

// Handle is the hash of something an account does once: a vacation response to an address, a delivery of a Message-ID.
type Handle [16]byte

// HandleUse is a handle and for how long it is to be remembered.
type HandleUse struct {
	Handle Handle
	TTL    time.Duration
}
