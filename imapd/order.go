package imapd

// Which commands of one session run at the same time (RFC 9051 section 5.5).
//
// Commands are begun in the order they come in. One with command.own set may take long: it runs in a goroutine of its own, and the
// connection's goroutine reads on as soon as the command waits for storage (away). Any other command runs to its end before the
// next is read. Before a command begins, it waits for those running that it must not overtake:
//
//   - A command without an order (the zero value) is alone: it waits for all that run. That is what changes the session itself
//     (LOGIN, SELECT, CLOSE, ENABLE, COMPRESS, LOGOUT, ...), what takes input of its own (IDLE, AUTHENTICATE), what removes messages
//     (EXPUNGE, MOVE), since its EXPUNGE responses may not be sent while sequence numbers are in use, and whatever nobody has
//     thought about yet.
//   - Otherwise the two are ambiguous when one changes what the other reads or changes, by the things below. FETCH FLAGS and STORE
//     are, FETCH BODY[] (which sets \Seen) and SEARCH UNSEEN are; FETCH BODY.PEEK[] and STORE are not.
//
// What a sequence set means is settled when the command begins, in the snapshot of that moment. No EXPUNGE is sent while a command
// with sequence numbers (command.seqs) is running, be it with another command's completion (session.sync). So a command by sequence
// number that comes while a UID FETCH is running need not wait: the numbers are still those that the client had when it sent it.
// EXISTS and flags may be told any time between two responses.

// things are what commands of a session read and change.
type things uint8

const (
	// flags and keywords of the selected mailbox's messages, and their MODSEQs.
	flags things = 1 << iota
	// messages: which there are in the selected mailbox. Nothing that runs beside others removes any. Those that arrive are no
	// matter: sets are resolved before.
	messages
	// mailboxes: names, subscriptions, and counts of messages, as LIST and STATUS tell them.
	mailboxes
	// searchResult is "$" (RFC 5182).
	searchResult
	// annotations of mailboxes and of the server, filters among them.
	annotations
)

// order says beside which commands a command may run.
type order struct {
	free           bool // false: beside none
	reads, changes things
}

// beside returns the order of a command that reads and changes the things said.
func beside(reads, changes things) order { return order{free: true, reads: reads, changes: changes} }

// before reports whether a command that runs with o must end before one with next begins.
func (o order) before(next order) bool {
	return !o.free || !next.free || o.changes&(next.reads|next.changes) != 0 || o.reads&next.changes != 0
}

// orderer is a runner whose order depends on its arguments.
type orderer interface {
	order() order
}

func (c *command) orderOf(run runner) order {
	if o, ok := run.(orderer); ok {
		return o.order()
	}
	return c.order
}
