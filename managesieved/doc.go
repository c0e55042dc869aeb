// Package managesieved speaks ManageSieve (RFC 5804): a user's Sieve scripts are put, checked, listed, activated, renamed and
// removed.
//
// One goroutine a connection reads a whole command (scan.go), finds it in the command table (command.go), runs it and writes the
// response (response.go). One file a command. A script is stored only if it compiles; what is wrong is said with line and column.
//
// # Terms
//
//   - command: a word and its arguments, which are strings (quoted or literal), numbers and words.
//   - literal: a string with its length before it, "{17+}". What a client sends is never asked for first, so one that is too long
//     is read past.
//   - limits: how many scripts an account may have and how large they may be; HAVESPACE and PUTSCRIPT check the same ones.
//
// # Invariants
//
//   - Bytes of a literal are never taken for commands, whatever is wrong with the command before them.
//   - An old script stays as it was if PUTSCRIPT fails in any way.
//   - A connection costs bounded memory: one command of strings no longer than a script may be.
package managesieved
