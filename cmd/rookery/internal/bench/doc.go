// Package bench measures LMTP and IMAP servers, Rookery or any other, over their protocols alone, so that figures can be
// compared. What it needs besides (memory of a process, a counter) is read from /proc and from a Prometheus page if asked.
package bench
