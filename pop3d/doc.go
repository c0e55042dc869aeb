// Package pop3d serves an account's INBOX by POP3 (RFC 1939) with CAPA, LOGIN-DELAY and response codes (RFC 2449, RFC 3206), STLS
// (RFC 2595), AUTH PLAIN (RFC 5034), UTF8 and LANG (RFC 6856).
//
// # Terms
//
//   - maildrop: the INBOX as it was at login. Message numbers are those of that moment for the whole session.
//   - session: one connection, in the AUTHORIZATION or TRANSACTION state. QUIT in the latter is the UPDATE state.
//   - lease: the exclusive use of an account's maildrop among the sessions of all nodes, kept in the metadata.
//
// # Invariants
//
//   - At most one session in the installation holds an account's maildrop. A session that loses its lease (it could not renew
//     it in time) ends and deletes nothing. A node that dies holds its leases until their time is over.
//   - Only QUIT deletes: in one call (which the metadata may split where it is about thousands of messages), after the lease
//     was renewed once more. Whatever else ends a session deletes nothing.
//   - Message numbers never shift. A message that IMAP expunged meanwhile is answered -ERR, or from what is left of it.
//   - A password is not accepted in clear from another machine unless the configuration says so.
//   - Input is bounded to 4 KiB a line, output to what the client takes.
//
// # Unique ids
//
// UIDL's unique-id is the body id in hexadecimal: the EMAILID of RFC 8474. It belongs to the message and not to its place, so
// it survives a rename of INBOX, a move away and back, a new UIDVALIDITY and a restore; a client that leaves mail on the server
// never fetches a message twice. A unique-id that was imported from another server stands in its place and goes with the body
// in the same way, through MOVE and COPY within the account. It counts for nothing where it would not be unique in the maildrop.
//
// Of several IMAP copies of one message in INBOX the one with the lowest UID has that unique-id, the others have "-" and their UID behind the
// body id. When the first is expunged the next takes over its unique-id, which a client knows, of a message it has.
//
// # Reading ahead
//
// A client that fetches in order gets its messages at the speed of the network: while it takes those of one stretch of the
// maildrop, the next stretch is read, bodies that lie side by side in one range. Stretches grow to 512 messages or 1 MiB; a
// session holds two, and all sessions together Config.ReadAhead. They do not pass through the cache of the node, which is for what
// is read more than once.
//
// # Octets
//
// Messages are sent as they are stored, but a line end is always CRLF on the wire: a bare LF becomes CRLF and an unfinished
// last line is finished, because clients take either for the end of a line and would misread dots otherwise. STAT and LIST
// give the stored octets. For mail that came with CRLF, all that an MTA delivers, that is exactly what RETR sends (RFC 1939
// section 11); for a message with bare LF, as APPEND and careless LMTP clients bring them, RETR sends one octet more for each.
// Counting them would mean to read every body at login.
//
// Messages with UTF-8 in their headers are the same octets for every client, as in imapd: neither refused nor replaced by a
// surrogate where the client has not given UTF8 (RFC 6856 section 2.1 asks for either). Old mail has 8-bit headers in all charsets,
// clients have always been given it so, and one that is refused a message fetches nothing behind it.
//
// INBOX is opened read-only, and for writing only where QUIT has something to delete: \Recent and \Seen are left to IMAP.
package pop3d
