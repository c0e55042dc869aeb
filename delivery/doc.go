// Package delivery stands between lmtpd and mailstore: it runs Sieve scripts for the recipients of a message and carries out
// what they decide.
//
// # Terms
//
//   - chain: the scripts that run for one recipient, in order: the administrator's "before" for all and for the account's
//     domain, the account's active script, the administrator's "after" for the domain and for all.
//   - standard script: what stands in the place of "before" for all while the administrator has none active: it files spam into
//     the mailbox with the special use \Junk.
//   - plan: what one recipient's chain came to: copies to store, items for the outbound queue, or a refusal.
//   - claimant: what makes a delivery the same when it is tried again: the message's bytes and its envelope, for messages that
//     came by way of an MTA, which gives every one a Received field of its own; a random value for others.
//
// # Invariants
//
//   - Order: scripts run, items for the outbound queue are durable, the message is stored, what was claimed is settled, the
//     answer is given. A crash between them makes the MTA try again, and what is in the queue by then is recognised by its id.
//   - A script takes no delivery down. One that does not compile or fails leaves the message in INBOX (or where mail for the
//     address goes); the error is stored with the script, and its owner finds a message about the first one.
//   - An account without scripts costs nothing but a look at the header for the standard script.
//   - What a node remembers of scripts is used only for the version that came with the look-up of the address. The
//     administrator's scripts are looked after every few seconds.
package delivery
