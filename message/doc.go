// Package message reads RFC 5322 messages with MIME (RFC 2045 to 2049, 2183, 2231) as they are, not as they should be.
//
// Scanner takes a message in pieces of any size, never fails on any bytes, holds bounded memory, and yields a Structure:
// the tree of parts with the byte offset of every header and body, and the header fields worth keeping. From it come
// ENVELOPE and BODYSTRUCTURE without reading the message again. Offsets are into the raw bytes, so whatever a client is
// shown agrees with what BODY[] returns. Structure.Encode is the summary that is stored beside a body, Decode reads it.
//
// Bounds, and what happens beyond them (documented in limits.go): depth of parts, number of parts, bytes of one header,
// bytes of one kept field, parameters of one field. Beyond a bound a part becomes a leaf, a field is cut in the summary
// (never in the message). The time a scan takes is in proportion to the size of the message, whatever is in it.
//
// # What broken messages are taken for
//
//   - A line ends with LF; a CR before it belongs to the line end. A CR elsewhere and NUL are bytes like any other.
//   - A header ends with its first empty line, before a delimiter of an open multipart, or with the message. Lines that
//     are no field (without a colon, "From " of the mbox format, a name with white space in it) are passed over. Only in
//     a part other than the message itself does such a line, if it is the first, mean that there is no header: the message
//     itself may get fields put before it, and its structure must not depend on that.
//   - A delimiter is a whole line: "--", the boundary, perhaps "--", white space. So a boundary may begin another one. The
//     delimiter of an outer multipart ends all that is inside; of equal boundaries the innermost open one counts.
//   - Of a field that may occur once the first counts; address fields that occur more often are joined in the ENVELOPE.
//   - A part without or with an unreadable Content-Type is text/plain with the charset us-ascii.
//
// What the structure promises to those who write BODYSTRUCTURE from it stands at Part.
package message
