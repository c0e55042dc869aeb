// Package rspamd speaks to the controller of an rspamd (https://docs.rspamd.com/developers/protocol/): it teaches.
package rspamd
