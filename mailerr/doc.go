// Package mailerr is the closed list of error kinds that every border in Rookery speaks.
//
// Storage packages return *Error at their borders; inside a package errors are wrapped with %w. Each protocol speaker has
// exactly one function that turns a Kind into its protocol's words, and a test that covers Kinds().
//
// The rule that matters at 3 a.m.: our own trouble is Unavailable or Internal, and no speaker may answer either of them
// with a permanent failure.
package mailerr
