// Package sqldb is the border between the SQL of package sqlstore and the three engines that run it: CockroachDB,
// PostgreSQL and SQLite. Above the border there is one SQL text for all of them; what an engine says in its own words is in
// its one file here (cockroach.go, postgres.go, sqlite.go), as Words.
//
// # Terms
//
//   - statement: one SQL text with its arguments and what to do with its rows. Texts use numbered parameters ($1).
//   - run: several statements sent together. One network round trip however many they are.
//   - many: a SELECT whose columns Words.Many goes round. Its rows come to Each as any others do, at a third of the cost on SQLite.
//   - class: what an error means for the caller (see Class). Errors of this package are *Error and carry one.
//
// # Invariants
//
//   - Write runs one transaction. When it returns nil, the transaction is durable. When it returns an Error of a class other
//     than Ambiguous, nothing of it has happened. Errors of the function itself pass through unchanged, with nothing done.
//   - A transaction's statements see what was committed before they began: READ COMMITTED on PostgreSQL, stricter elsewhere.
//     So a statement that comes after the one that took a lock sees everything earlier holders of the lock did.
//   - Snapshot's statements see one state of the database.
//   - Arguments are []byte, string or int64 (nil for NULL); results are scanned into *[]byte, *string, *int64, or types
//     that implement both sql.Scanner and ScanBytes.
package sqldb
