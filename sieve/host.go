package sieve

import (
	"context"
	"time"

	"github.com/rookery-mail/rookery/mailerr"
)

// Host answers what a script asks while it runs. Its methods are called in the goroutine of Run, one after another; names of
// mailboxes are UTF-8. An error that a method returns ends the run and is returned by Run: it means trouble (a database that
// does not answer), never "no". NoHost answers everything with "no" and may be embedded.
type Host interface {
	// Now returns the time, in the zone that currentdate and date show when a script names none.
	Now() time.Time

	// MailboxExists reports whether the mailbox exists and the user may deliver into it (mailboxexists, RFC 5490 section 3.1).
	MailboxExists(ctx context.Context, mailbox string) (bool, error)

	// MailboxIDExists reports the same of the mailbox with a MAILBOXID (RFC 9042 section 3).
	MailboxIDExists(ctx context.Context, mailboxID string) (bool, error)

	// SpecialUseExists reports whether a mailbox has the special use and the user may deliver into it; use is as in `\Sent`.
	// With a mailbox that is not "", whether this one has it (specialuse_exists, RFC 8579 section 3).
	SpecialUseExists(ctx context.Context, mailbox, use string) (bool, error)

	// Metadata returns the value of an annotation of a mailbox (RFC 5490 section 3.3), of the server when mailbox is "" (section
	// 4), and whether there is one.
	Metadata(ctx context.Context, mailbox, annotation string) (value string, ok bool, err error)

	// List returns an external list that the user may use (RFC 6134 section 2.2), nil when there is none of this name, which is canonical (see
	// CanonicalList), and whether messages may be redirected to its members. A *ListError ends the script with a Failure.
	List(ctx context.Context, name string) (list *List, redirect bool, err error)

	// Duplicate reports whether id has been remembered for the user (RFC 7352) and the time of its memory is not over. It
	// remembers nothing itself: see Result.Duplicates.
	Duplicate(ctx context.Context, id DuplicateID) (bool, error)

	// Include returns the compiled script of a name (RFC 6609), nil when there is none. A script that does not compile is an
	// *CompileError: the run ends with a Failure that says so.
	Include(ctx context.Context, location IncludeLocation, name string) (*Script, error)

	// NotifyMethod reports whether a notification to a URI other than mailto can be sent (RFC 5435 section 4), and for
	// notify_method_capability the value of its capability "online": "yes", "no" or "maybe".
	NotifyMethod(ctx context.Context, uri string) (online string, ok bool, err error)
}

// IncludeLocation says whose scripts an include means (RFC 6609 section 3.2).
type IncludeLocation uint8

const (
	IncludePersonal IncludeLocation = iota // the user's own
	IncludeGlobal                          // the administrator's
)

// DuplicateID names what the duplicate test looks for (RFC 7352 section 3.1): two are the same only when both fields are.
type DuplicateID struct {
	Handle string // of the test, "" for none
	Value  string // at most 1,024 bytes; a longer one is replaced by its hash
}

// NoHost is a Host without mailboxes, lists, scripts or a memory. Its clock is the machine's.
type NoHost struct{}

var _ Host = NoHost{}

func (NoHost) Now() time.Time { return time.Now() }

// MailboxExists says that only INBOX exists.
func (NoHost) MailboxExists(_ context.Context, mailbox string) (bool, error) {
	return asciiEqualFold(mailbox, "INBOX"), nil
}

func (NoHost) MailboxIDExists(context.Context, string) (bool, error)          { return false, nil }
func (NoHost) SpecialUseExists(context.Context, string, string) (bool, error) { return false, nil }
func (NoHost) Metadata(context.Context, string, string) (string, bool, error) { return "", false, nil }
func (NoHost) List(context.Context, string) (*List, bool, error)              { return nil, false, nil }
func (NoHost) Duplicate(context.Context, DuplicateID) (bool, error)           { return false, nil }
func (NoHost) NotifyMethod(context.Context, string) (string, bool, error)     { return "", false, nil }

func (NoHost) Include(context.Context, IncludeLocation, string) (*Script, error) { return nil, nil }

// hostError wraps what a Host returned.
func hostError(what string, err error) error {
	if err == nil {
		return nil
	}
	return mailerr.Wrap("sieve."+what, mailerr.KindOf(err), err)
}
