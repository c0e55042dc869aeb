// Package mailstore is what a mailbox does, written once for every protocol: delivery, append, views with sequence
// numbers, flags, copy, move, expunge, status, quota.
//
// # Terms
//
//   - Store: this node's access to metadata, blobs and hints; owner of lanes, views and caches.
//   - Staged: a message that has been read to its end, scanned and compressed, but does not exist yet.
//   - lane: a goroutine that takes every staged message that waits for it, writes one pack, commits one transaction,
//     publishes hints, answers all. Accounts are spread over lanes by id, so two lanes never want one clock row.
//   - view: what this node knows of a mailbox that is open here, shared by its sessions. A cache: it may be dropped and read
//     again at any time.
//   - Selected: one session's use of one mailbox: its own snapshot of UIDs (hence sequence numbers), which changes only in
//     Sync, when the session is about to tell its client.
//
// # Invariants
//
//   - Write order: body durable, metadata committed, hint published, caller answered.
//   - A sequence number resolves in the session's snapshot, whatever other sessions did. A message expunged elsewhere and not
//     announced yet is answered from what is still known or with Expunged; it never shifts another into its place.
//   - What one node acknowledged, Sync with Fresh on any node shows.
package mailstore
