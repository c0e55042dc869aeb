// Package sqlstore is the implementation of metadata.Store in SQL: one text for CockroachDB, PostgreSQL and SQLite.
//
// # Terms
//
//   - text: a SQL statement for all engines, with places for lists, rows and the engine's own words (sqltext.go).
//   - ledger: the clocks a transaction has locked and the mailboxes it may change under those locks (clock.go).
//   - picker: reads the messages of a UID set in steps, by points or by spans (pick.go).
//   - deletion: a mailbox whose row is gone and whose messages still have to go to expunged (deletions.go).
//
// # Shape of a change
//
// A change is one transaction of two runs: the first locks the clocks, in id order, and reads what is needed; the second
// writes everything, with absolute values computed under the locks. On PostgreSQL BEGIN travels with the first run, so a
// change is three round trips however many messages it is about.
//
// # Invariants
//
//   - The clock is locked by the first statement of every change of an account's mailboxes; what that change reads comes
//     after it. What no clock covers takes its own row lock (ClaimRecent, deletions, leases) or relies on a unique key
//     (addresses).
//   - Counters in mailboxes and accounts equal the sums over their rows after every transaction.
//   - After a commit whose answer was lost, a method looks for its own rows, under the same locks, before it answers or
//     tries again: Append by body id, Copy and Move by the first new or expunged row, StoreFlags by the rows it wrote,
//     Expunge by its first row, the others by what they create or remove.
//   - StoreFlags, Expunge and deletions go on in a new transaction after MaxChanges rows; each leaves a correct state.
//
// # Tests on a real CockroachDB
//
// With a cockroach binary on PATH the tests start a node by themselves. With a running one:
//
//	cockroach start-single-node --insecure --store=type=mem,size=1GiB --listen-addr=127.0.0.1:26257 --http-addr=127.0.0.1:18080
//	ROOKERY_TEST_COCKROACH_URL='postgresql://root@127.0.0.1:26257/defaultdb?sslmode=disable' go test ./metadata/...
package sqlstore
