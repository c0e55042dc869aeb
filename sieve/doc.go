// Package sieve is the Sieve mail filtering language (RFC 5228) with its extensions: no protocol and no storage in it.
//
// Compile reads a script and tells everything that is wrong with it, each fault with its line and column. A Script is
// immutable and may run in many goroutines at once. Run gives it a message (Input) and the answers of a Host, and yields a
// Result: the actions in order, with the implicit keep among them. Nothing has happened by then; carrying the actions out
// is the caller's work. RunAll runs several scripts one after another.
//
// # Terms
//
//   - An action that stores or sends a message carries the Message as it was when the action ran: the bytes that arrived
//     with the edits made until then. A Message is a list of ranges and inserted bytes; nothing large is held in memory.
//   - A Failure is the script's own fault at run time: a limit, a forbidden combination of actions, the "error" command.
//     The message is kept, and the script's owner should be told. An error that Run returns is the trouble of the host or of
//     whoever reads the message: nothing is known about the message's fate, try again later.
//   - The implicit keep (RFC 5228 section 2.10.2) is in effect until an action cancels it.
//
// # Bounds
//
// Limits bounds a script at compile time and at run time. No script and no message makes Run panic, hold more memory than
// the limits say, or take longer than its budget of steps; patterns match in linear time and regular expressions are RE2.
package sieve
