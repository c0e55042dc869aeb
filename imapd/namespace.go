package imapd

import (
	"context"

	"github.com/rookery-mail/rookery/mailstore"
)

var namespaceCommand = command{
	name:   "NAMESPACE",
	order:  beside(0, 0),
	states: loggedIn,
	parse:  noArguments(namespace{}),
}

// namespace is NAMESPACE (RFC 2342): personal mailboxes, those of other users, and those that a domain shares.
type namespace struct{}

func (namespace) run(_ context.Context, s *session) error {
	s.w.Raw(`* NAMESPACE (("" "/")) (("` + mailstore.OtherUsers + `/" "/")) (("` + mailstore.SharedMailbox + `/" "/"))` + "\r\n")
	return nil
}
