// Package outbound sends what Sieve wants sent: redirected messages, vacation responses, notifications, rejections. They wait
// in the durable queue of the metadata store and leave through the configured SMTP submission server; Rookery speaks to no
// other MTA.
//
// # Terms
//
//   - item: one message to one recipient, so that every recipient has a result of its own.
//   - attempt: one transaction with the submission server for one item. An attempt is made under a lease, which is renewed
//     while it goes on.
//   - ended: sent, failed or dropped. An ended item has no body; it is remembered for a time, so that it is recognised when a
//     delivery that is tried again enqueues it again.
//
// # Invariants
//
//   - What Enqueue returned nil for is sent, or fails with a trace in the log and, for a redirected message, with a delivery
//     status notification to its sender (RFC 3464), which is put into the queue in the transaction that ends the item.
//   - An item is sent by one node at a time. A node that dies while it sends leaves an item whose lease runs out; another node
//     then sends it. Only when the node died, or the connection broke, between the end of the message and the server's answer
//     is it sent again although it may have been taken: SMTP cannot tell (RFC 5321 section 4.5.4.1).
//   - Only an answer of class 5 to MAIL, RCPT or the message makes an item fail before its time; trouble with the server
//     itself (connection, TLS, login) is always tried again.
package outbound
