// Package blobstorefault injects faults into a blobstore.Store by rule, for tests: the nth call fails, succeeds without saying
// so, waits, or loses bytes.
package blobstorefault
