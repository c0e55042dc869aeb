package wire

import (
	"time"

	"github.com/emersion/go-imap/v2"
)

// Parser walks over the bytes of one command, literals included. Methods that fail return an error fit for a BAD response.
type Parser struct{}

// EOF reports whether all was read.
func (p *Parser) EOF() bool { panic("stub") }

// End fails unless all was read.
func (p *Parser) End() error { panic("stub") }

// SP reads one space (or several: real clients send them) or fails.
func (p *Parser) SP() error { panic("stub") }

// Try reads c if it is next, and reports whether it was.
func (p *Parser) Try(c byte) bool { panic("stub") }

// Expect reads c or fails.
func (p *Parser) Expect(c byte) error { panic("stub") }

// Peek returns the next byte, 0 at the end or before a literal's bytes.
func (p *Parser) Peek() byte { panic("stub") }

// Atom reads an atom, in upper case.
func (p *Parser) Atom() (string, error) { panic("stub") }

// TryKeyword reads an atom if it is kw (upper case; compared without case) and reports whether it was.
func (p *Parser) TryKeyword(kw string) bool { panic("stub") }

// AString reads an astring; String a string (quoted or literal); NString a string or NIL (ok false).
func (p *Parser) AString() (string, error) { panic("stub") }

// String reads a quoted string or a literal.
func (p *Parser) String() (string, error) { panic("stub") }

// NString reads a string or NIL.
func (p *Parser) NString() (s string, ok bool, err error) { panic("stub") }

// Number reads a number of at most 32 bits.
func (p *Parser) Number() (uint32, error) { panic("stub") }

// Number64 reads a number of at most 63 bits.
func (p *Parser) Number64() (uint64, error) { panic("stub") }

// Mailbox reads a mailbox name and returns it in UTF-8: modified UTF-7 decoded (or UTF-8 as it is), INBOX in upper case.
func (p *Parser) Mailbox() (string, error) { panic("stub") }

// ListMailbox reads a LIST pattern and returns it in UTF-8.
func (p *Parser) ListMailbox() (string, error) { panic("stub") }

// NumRange is First to Last as written, 0 for "*".
type NumRange struct{ First, Last uint32 }

// SequenceSet reads a sequence set, of a bounded number of ranges; "$" gives saved true (SEARCHRES).
func (p *Parser) SequenceSet() (set []NumRange, saved bool, err error) { panic("stub") }

// Flag reads one flag or keyword.
func (p *Parser) Flag() (imap.Flag, error) { panic("stub") }

// FlagList reads a parenthesised list of flags.
func (p *Parser) FlagList() ([]imap.Flag, error) { panic("stub") }

// List reads "(" item *(SP item) ")", calling item at each; an empty list is allowed.
func (p *Parser) List(item func() error) error { panic("stub") }

// DateTime reads a date-time (INTERNALDATE in APPEND), with or without the leading space in the day.
func (p *Parser) DateTime() (time.Time, error) { panic("stub") }

// Date reads a date (SEARCH), quoted or not: midnight UTC of that day.
func (p *Parser) Date() (time.Time, error) { panic("stub") }

// Section reads what is between "[" and "]" of BODY[...], brackets included, and an optional <partial>.
func (p *Parser) Section() (*imap.FetchItemBodySection, error) { panic("stub") }
