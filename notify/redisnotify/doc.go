// Package redisnotify carries hints between nodes over Redis sharded pub/sub (SSUBSCRIBE, SPUBLISH; SUBSCRIBE and PUBLISH on
// servers before Redis 7).
//
// # Terms
//
//   - channel: "rookery:{<account in hex>}", one for each account.
//   - session: the life of one connection that carries all subscriptions of this node.
//   - fence: a PING behind commands; its PONG says that the server has carried them out.
//   - node tag: random bytes of this process in every message, by which it knows its own.
//
// # Invariants
//
//   - Hints for this node's own subscriptions are delivered at once and without Redis, and not a second time through it.
//   - When Subscribe returns while Healthy, hints published from then on arrive. When that could not be had in time, the
//     OnRecover callbacks run as soon as it is so.
//   - Healthy turns true only when the server has confirmed every channel; then the OnRecover callbacks run.
//   - Publish never waits. What cannot be sent is dropped and counted.
package redisnotify
