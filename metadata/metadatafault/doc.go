// Package metadatafault injects faults by rule at the border between package sqlstore and its database: serialization
// failures, connections lost before COMMIT, connections lost at COMMIT after it happened, delays.
//
// A Rule names a fault and when it strikes. What a fault does to the database is what it does in life: after Conflict and
// LostBefore nothing has happened, after LostAfter everything has happened and nobody was told.
package metadatafault
