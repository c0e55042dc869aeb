// Package message reads RFC 5322 messages with MIME (RFC 2045 to 2049, 2183, 2231) as they are, not as they should be.
//
// Scanner takes a message in pieces of any size, never fails on any bytes, holds bounded memory, and yields a Structure:
// the tree of parts with the byte offset of every header and body, and the header fields worth keeping. From it come
// ENVELOPE and BODYSTRUCTURE without reading the message again. Offsets are into the raw bytes, so whatever a client is
// shown agrees with what BODY[] returns.
//
// Bounds, and what happens beyond them (documented in limits.go): depth of parts, number of parts, bytes of one header,
// bytes of one kept field, parameters of one field. Beyond a bound a part becomes a leaf, a field is cut in the summary
// (never in the message).
package message
