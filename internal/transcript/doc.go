// Package transcript runs protocol tests that are written as transcripts: files that a person reads as a dialogue.
//
//	# a comment
//	C: LHLO client.example
//	S: 250-Hello client.example
//	S: 250 SIZE 1000
//	! stored user@example.org
//	= From: somebody
//
// "C:" is sent with CRLF, "S:" is a line that the server must say next, "S: (closed)" the end of the connection. "C bob:" and "S bob:"
// are another connection, named bob; a connection is made when a line first names it. "!" runs one of the test's own directives, and
// what it returns must be the "=" lines behind it. Built in: "! starttls" and "! starttls bob", "! compress bob"
// (DEFLATE, from here on and in both directions), and "! close bob".
//
// In C and S lines \r, \n, \t, \\ and \xHH stand for bytes; \+ at the end of a C line leaves the CRLF out.
//
// With the flag -rewrite the S and = lines are replaced by what the server says now; the difference is for a person to read.
package transcript
