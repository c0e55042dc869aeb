// Package notifytest is the conformance suite of notify.Notifier.
package notifytest
