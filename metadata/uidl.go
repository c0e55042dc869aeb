package metadata

import "context"

// UIDL is a POP3 unique-id (RFC 1939 section 7) that a message had on another server.
type UIDL struct {
	Body   BodyID
	Unique string // see ValidUIDL
}

// MaxUIDL is the longest unique-id in bytes.
const MaxUIDL = 70

// ValidUIDL reports whether a text is what RFC 1939 section 7 lets be a unique-id: 1 to 70 characters from 0x21 to 0x7E.
func ValidUIDL(s string) bool {
	for i := range len(s) {
		if s[i] < 0x21 || s[i] > 0x7e {
			return false
		}
	}
	return len(s) > 0 && len(s) <= MaxUIDL
}

// UIDLStore is the unique-ids that were imported for an account's bodies. They go with the body wherever it is moved or
// copied within the account, and never change by themselves.
type UIDLStore interface {
	// UIDLs returns an account's, in any order.
	UIDLs(ctx context.Context, account AccountID) ([]UIDL, error)
	// ImportUIDLs stores unique-ids; it may be repeated. errs[i] is nil, also where it is there already, or an Error: Exists when the
	// body has another one or another body has this one, Invalid when it is none (ValidUIDL). The others are stored. NotFound when
	// the account is gone. A large slice is split into several transactions.
	ImportUIDLs(ctx context.Context, account AccountID, uidls []UIDL) (errs []error, err error)
	// ForgetUIDLs removes all of an account's.
	ForgetUIDLs(ctx context.Context, account AccountID) error
}
