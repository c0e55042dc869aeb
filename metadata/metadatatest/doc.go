// Package metadatatest is what every metadata.Store must do: Run runs it on SQLite, PostgreSQL and CockroachDB, and on each
// decorator.
//
// Check proves the invariants of stored rows for any test that has a Store: counters equal the sums of their rows, the
// account's use equals the sum over its mailboxes, UIDs and MODSEQs are within their bounds.
package metadatatest
