// Package imapurl reads IMAP URLs (RFC 5092) that refer to messages or parts of messages, with the authorization of RFC 4467.
//
// An URL comes from the network and may be anything: Parse never panics, holds no more than a few copies of what it was given, and
// refuses what the grammar does not allow rather than guess. The rump of an authorized URL is the text up to and with the access
// identifier, byte for byte as it was written: that is what a token vouches for.
package imapurl
