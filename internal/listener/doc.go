// Package listener accepts connections for the protocol speakers: what is the same for all of them before the first byte of the
// protocol, and at the end.
//
// # Terms
//
//   - session: what a speaker makes of one connection; it has a goroutine of its own.
//   - peer: whoever opened the socket. client: whoever speaks the protocol; behind a proxy that tells, another machine.
//   - proxied listener: one whose connections from the networks of proxies begin with a header of the PROXY
//     protocol, version 1 or 2; see Proxied.
//
// # Invariants
//
//   - Nothing a peer does holds up the accepting of other connections: headers and handshakes are the session's goroutine's.
//   - A PROXY header is read from trusted networks only, and there it is demanded: what a client sends is never taken for one.
//   - A connection counts against the limits from Accept to its end, one that is refused not at all.
//   - A panic ends its connection and no other.
//   - When Shutdown returns, no session runs any more, unless it ignored a closed socket for lastWords.
package listener
