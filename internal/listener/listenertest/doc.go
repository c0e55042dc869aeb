// Package listenertest is what the tests of all speakers need around a server: a certificate, clients that seem to be on another
// machine, and a log that counts panics.
package listenertest
