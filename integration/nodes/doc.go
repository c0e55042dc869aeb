// Package nodes runs the real binary as nodes of a cluster over real servers (package servers), for end-to-end tests.
package nodes
