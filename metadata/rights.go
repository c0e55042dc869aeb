package metadata

import (
	"errors"
	"strings"
)

// Rights are what somebody may do with a mailbox (RFC 4314 section 2.1), as bits. Their values are stored: never change one.
type Rights uint16

// The rights of RFC 4314 section 2.1.
const (
	RightLookup  Rights = 1 << iota // l: the mailbox is seen in LIST
	RightRead                       // r: SELECT, STATUS
	RightSeen                       // s: change \Seen
	RightWrite                      // w: change flags other than \Seen and \Deleted
	RightInsert                     // i: APPEND, COPY into
	RightPost                       // p: mail may be sent to the mailbox's own address
	RightCreate                     // k: CREATE below it, RENAME to below it
	RightDelete                     // x: DELETE and RENAME it
	RightTrash                      // t: change \Deleted
	RightExpunge                    // e: EXPUNGE
	RightAdmin                      // a: see and change the ACL
	endOfRights

	AllRights = endOfRights - 1
)

// rightLetters are the rights' letters in the order of their bits.
const rightLetters = "lrswipkxtea"

// String returns the letters, among them the virtual "c" and "d" where one of their members is there (RFC 4314 section
// 2.1.1), in the order that older servers use; "" for none.
func (r Rights) String() string {
	var b strings.Builder
	for i := range len(rightLetters) - 1 {
		if r&(1<<i) != 0 {
			b.WriteByte(rightLetters[i])
		}
	}
	if r&(RightCreate|RightDelete) != 0 {
		b.WriteByte('c')
	}
	if r&(RightTrash|RightExpunge) != 0 {
		b.WriteByte('d')
	}
	if r&RightAdmin != 0 {
		b.WriteByte('a')
	}
	return b.String()
}

var errRights = errors.New("no such right")

// ParseRights reads letters in any order. "c" stands for k and x, "d" for e and t (RFC 4314 section 2.1.1). Every other
// character is an error.
func ParseRights(s string) (Rights, error) {
	var r Rights
	for _, c := range []byte(s) {
		i := strings.IndexByte(rightLetters, c)
		switch {
		case i >= 0:
			r |= 1 << i
		case c == 'c':
			r |= RightCreate | RightDelete
		case c == 'd':
			r |= RightExpunge | RightTrash
		default:
			return 0, errRights
		}
	}
	return r, nil
}

// Has reports whether all of want are there.
func (r Rights) Has(want Rights) bool { return r&want == want }
