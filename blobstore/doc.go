// Package blobstore keeps message bodies: immutable bytes in packs, in an object store.
//
// # Terms
//
//   - object: a key and its bytes in S3 or in a directory. Store is the contract for objects; implementations are S3 and
//     files; retry, caches, counting are decorators of the same interface.
//   - pack: one object holding one or more bodies and a footer that describes them. Written once, never edited.
//   - body: a message as it was received, stored as frames.
//   - frame: at most FrameSize raw bytes, compressed with zstd and checksummed, decodable alone. Any byte range of a body
//     costs the frames that cover it.
//   - location: pack, offset, length and frame table of a body; kept in the metadata, so reading needs no look-up here.
//
// # Layers
//
// A node stacks them so, from the reader down to the server:
//
//	Reader                frames in memory, one load for all who want a frame
//	DiskCache             ranges as files
//	Retry                 Unavailable is tried again, with backoff
//	Count                 what reaches the store: calls, bytes, time
//	Limit                 calls at a time, where the server needs it
//	s3store, filestore    the server or the directory
//
// Package blobstorefault breaks a layer on purpose, package blobstoretest says what each must do.
//
// # Invariants
//
//   - When Put or Upload.Commit has returned nil, the object survives the death of this process and machine.
//   - A reader gets exactly the bytes that were written or an error: torn, truncated or flipped bytes are Internal errors,
//     never content.
//   - A pack without metadata rows is garbage and harmless; nothing here decides that (see the design, garbage collection).
//   - Memory per body read or written is a few frames, however large the body is.
package blobstore
