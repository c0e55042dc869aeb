// Package lmtpd takes mail by LMTP (RFC 2033) and delivers it into the mail store.
//
// # Terms
//
//   - transaction: MAIL, one or more RCPT, then the message by DATA or BDAT (RFC 5321, RFC 3030).
//   - recipient: one accepted RCPT. It gets exactly one answer after the message. It may lead to several accounts.
//   - copy: the message in one account's INBOX for one address. All copies of a transaction share one stored body and
//     differ in their prefix (Return-Path, Delivered-To, Received).
//   - prefix: the header lines put before the message for one copy.
//
// # Invariants
//
//   - 250 for a recipient means that the message is durable and visible in every account the recipient leads to.
//   - Trouble of ours is answered with 4xx, whatever the error was; its text never reaches the client.
//   - Stored bytes are the bytes the client meant: only <CRLF>.<CRLF> ends DATA, only a dot at the start of a line that
//     follows <CRLF> is removed, chunks are taken as they are. A connection that ends early delivers nothing.
//   - Every accepted recipient gets its own answer, also when a message is too big or storage fails, and the session goes on.
//   - Nothing a client sends is buffered without bound: command lines are at most 8 KiB, messages are streamed.
//
// # A recipient that leads to several accounts
//
// It is answered 250 when every account has its copy, 5xx when every account refused for good, and 4xx otherwise: the client
// then tries again. The accounts that have their copy do not get another one, whichever node the retry reaches: copyid.go.
//
// # go-smtp
//
// github.com/emersion/go-smtp parses commands and their parameters, keeps the order of commands, and writes replies. It runs
// on a conn (conn.go) that stands between it and the network, because its version 0.25.1, used directly,
//
//   - closes the connection after a line longer than its limit, and has no bound in bytes for commands otherwise;
//   - drops the CR of a line that begins with ".<CR>", and does not see the end of a message after <CR><CRLF>;
//   - refuses a message of exactly the advertised size, and answers a BDAT that is too big once for all recipients;
//   - takes the end of a connection in the middle of a chunk for the end of the message;
//   - lets the result of a transaction that RSET ended become the result of the next one (BDAT);
//   - reads on after a malformed BDAT, taking the chunk for commands;
//   - sets one deadline for a whole message;
//   - keeps what was pipelined behind STARTTLS in a layer that a wrapper cannot reach, so a wrapper must do STARTTLS itself;
//   - goes on with pipelined commands after it has closed a connection, and panics on the first of them;
//   - refuses paths without a domain, also <postmaster>;
//   - writes every reply line in a packet of its own;
//   - waits at Shutdown for idle connections for ever.
//
// So conn reads command lines (command.go) and messages (dot.go, chunk.go) itself and hands go-smtp one command at a time and,
// for each message, an empty one. BDAT reaches go-smtp as DATA.
package lmtpd
