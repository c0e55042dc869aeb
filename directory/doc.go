// Package directory knows who may log in and where mail for an address goes.
//
// # Terms
//
//   - address: local-part@domain, normalised: domain in lower case and A-label form mapped to U-labels, local part in lower case.
//   - domain rules: what metadata.Domain says; a domain without a row has none. Nodes may take some seconds to notice a change.
//   - login name: an address, or a local part alone, which means the default domain.
//   - alias: an address that stands for one or more local addresses; aliases may lead to aliases, a bounded number of steps.
//   - detail: what follows the delimiter in a local part ("user+detail@example.org"); the address without it is looked up
//     when the whole one is not there.
package directory
