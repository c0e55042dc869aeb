// Package metadata is the contract for accounts, mailboxes, messages, UIDs and MODSEQs, and its one SQL implementation for
// CockroachDB, PostgreSQL and SQLite (package metadata/sqlstore).
//
// # Terms
//
//   - clock: the account's row. It holds the account's last MODSEQ and quota use. Every change to any of the account's
//     mailboxes locks it first, so all changes of one account have one order. Two accounts are locked in id order.
//   - mailbox row: UIDNEXT, HIGHESTMODSEQ, counts and sizes; changed in the same transaction as its messages.
//   - message row: hot and narrow, (mailbox, UID) -> flags, MODSEQ, dates, size, body id.
//   - body row: cold and immutable, (account, body id) -> where the bytes are, and the summary clients ask for.
//   - expunged row: what is left of a message after EXPUNGE, for QRESYNC and undelete.
//
// # Invariants
//
//   - Every method of Store is one transaction, or says into which correct steps it splits.
//   - UIDs of a mailbox rise strictly, are never reused, and become visible in order.
//   - MODSEQs of an account rise strictly; one transaction gives all rows it changes the same new MODSEQ.
//   - Ids are chosen by the caller before the transaction, so an ambiguous commit is resolved by reading back: a method
//     that returned nil has happened, one that returned an Unavailable error may have happened and may be repeated with
//     the same ids without happening twice (Append) or is idempotent by nature (StoreFlags, Expunge).
//   - Retries of serialization failures and deadlocks are inside.
//   - Readers that return several things (a mailbox and its messages) return them from one snapshot.
package metadata
