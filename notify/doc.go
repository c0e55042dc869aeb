// Package notify carries hints between nodes: "mailbox M of account A reached MODSEQ n". A hint makes a view look into the
// database sooner than it would have; it is never truth. Losing every hint delays IDLE by seconds and loses nothing.
//
// Implementations: in-process (one node, embedded) and Redis (sharded pub/sub, one channel a account).
package notify
