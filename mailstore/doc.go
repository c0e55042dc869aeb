// Package mailstore is what a mailbox does, written once for every protocol: delivery, append, views with sequence
// numbers, flags, copy, move, expunge, status, quota.
//
// # Terms
//
//   - Store: this node's access to metadata, blobs and hints; owner of lanes, views and caches.
//   - Staged: a message that has been read to its end, scanned and compressed, but does not exist yet.
//   - lanes: group commit without timers. A packer that becomes free takes every body that waits and writes one pack; a
//     committer that becomes free takes every item that waits, but for accounts another committer has in hand, commits one
//     transaction, publishes hints, answers all. So two transactions of a node never want one clock row
//     (docs/decisions/0003-lanes.md).
//   - item: one message that is to become visible in one mailbox; a delivery is one body and its items.
//   - view: what this node knows of a mailbox that is open here, shared by its sessions. A cache: it may be dropped and read
//     again at any time.
//   - state: what a view knows at one MODSEQ, immutable; sessions read it without locks.
//   - flight: one reading of the database for a view, shared by all who asked before it began.
//   - ghost: the row of an expunged message that some session was not told of.
//   - watcher: moves views on after hints, and compares all open views with the database every few seconds.
//   - Watch: one session's look at all its user's mailboxes; a Listing is what it sees. What a node knows of an account's mailboxes
//     is shared by the account's sessions, and is read while there are any; annotations while one of them asks for those.
//   - Selected: one session's use of one mailbox: its own snapshot of UIDs (hence sequence numbers), which changes only in
//     Sync, when the session is about to tell its client.
//
// # Invariants
//
//   - Write order: body durable, metadata committed, hint published, caller answered.
//   - A sequence number resolves in the session's snapshot, whatever other sessions did. A message expunged elsewhere and not
//     announced yet is answered from what is still known or with Expunged; it never shifts another into its place.
//   - A message is announced once, in the order of UIDs; a change of flags is announced to every session but the one that made
//     it, and to that one too if its client could not know the outcome.
//   - What one node acknowledged, Sync with Fresh on any node shows.
package mailstore
