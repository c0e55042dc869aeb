// Package integration holds the end-to-end tests: the real binary as nodes of a cluster over real MinIO, PostgreSQL and Redis,
// with real clients and a real MTA, while servers die. See package servers for what is started and how to point the tests at
// servers that run already.
package integration
