// Package wire is IMAP's syntax (RFC 9051 section 9, RFC 3501 section 9): it reads commands and writes responses, and knows
// nothing of mailboxes.
//
//   - Reader takes one whole command at a time off a connection: lines and literals up to a limit, asking for synchronizing
//     literals, refusing over-long ones in a way that can never be read as commands.
//   - Parser walks over one command's bytes.
//   - Writer builds responses into a bounded buffer.
package wire
