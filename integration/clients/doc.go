// Package clients runs the mail programs people use against two nodes: each does a full round of what its users do, and goes to
// the other node with every run. What it left behind is looked at through both nodes.
package clients
