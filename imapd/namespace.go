package imapd

import "context"

var namespaceCommand = command{
	name:   "NAMESPACE",
	order:  beside(0, 0),
	states: loggedIn,
	parse:  noArguments(namespace{}),
}

// namespace is NAMESPACE (RFC 2342): personal mailboxes, and no others.
type namespace struct{}

func (namespace) run(_ context.Context, s *session) error {
	s.w.Raw(`* NAMESPACE (("" "/")) NIL NIL` + "\r\n")
	return nil
}
