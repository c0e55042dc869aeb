// Package uidl reads the POP3 unique-ids that another server gave to an account's messages, and finds those messages among the
// ones that were migrated, so that clients which leave mail on the server fetch nothing twice.
//
// # Forms
//
//   - Dovecot: a Maildir's dovecot-uidlist. The unique-id is a line's P field or follows from pop3_uidl_format.
//   - Courier: a Maildir's courierpop3dsizelist.
//   - plain: lines of a unique-id, a tab, and what names the message: a Message-ID in angle brackets, the SHA-256 of the
//     message with CRLF in 64 hexadecimal digits, or a UID. Empty lines and those that begin with # are passed over.
//
// The lists of Dovecot and Courier name files: these are read, and found again by their content.
package uidl
