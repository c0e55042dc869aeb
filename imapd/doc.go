// Package imapd speaks IMAP (RFC 3501, and the extensions listed in capability.go).
//
// One goroutine a connection reads a command (internal/wire), finds it in the command table (command.go), parses it with the
// command's own parse function, runs it, and writes its responses. One file a command. Responses are flushed when no
// further command is waiting in the input, or the buffer is full. Sequence numbers are those of the session's
// mailstore.Selected, which moves only in sync.go. A session's state is guarded by one lock, which is given up only while input or
// storage is waited for (lock.go). Commands that may take long run in goroutines of their own, beside others where that is not
// ambiguous (order.go, running.go).
package imapd
