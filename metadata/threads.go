package metadata

import (
	"context"
	"encoding/hex"
)

// ThreadID names a conversation within an account. It is the id of the body that began it; its hexadecimal form is the
// THREADID of RFC 8474.
type ThreadID [16]byte

// String returns the id in hexadecimal.
func (id ThreadID) String() string { return hex.EncodeToString(id[:]) }

// ThreadLink is a hash of what ties messages together, such as a Message-ID with a subject: short, but two of one account are
// hardly ever the same by chance (once in a million accounts of six million messages each). Opaque here: messages of one
// account with a link in common are of one thread, unless they were of different ones before.
type ThreadLink [8]byte

// ThreadStore is which messages belong together. Append decides for each new body, under the account's clock: it joins the
// thread of the first of its links that is known, or begins one. A body's thread never changes; COPY and MOVE keep it, to
// other accounts too.
type ThreadStore interface {
	// Threads returns the threads of bodies, also of those that are not there. A body stored without links is a thread of its own.
	Threads(ctx context.Context, account AccountID, bodies []BodyID) (map[BodyID]ThreadID, error)
	// ThreadBodies returns the bodies of a thread, in any order; none if there is no such thread. The body it is named after is
	// among them, whether it is there or not.
	ThreadBodies(ctx context.Context, account AccountID, thread ThreadID) ([]BodyID, error)
}
