// Package blobstoretest is the conformance suite of blobstore.Store: every implementation and every decorator passes it.
package blobstoretest
