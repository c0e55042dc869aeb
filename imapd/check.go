package imapd

var checkCommand = command{
	name:   "CHECK",
	order:  beside(0, 0),
	states: selected,
	sync:   syncFresh,
	parse:  noArguments(noop{}), // RFC 3501 section 6.4.1: a checkpoint, of which there are none here
}
