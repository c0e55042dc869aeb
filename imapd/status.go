package imapd

// statusError is a tagged response other than plain OK, in the protocol's words.
type statusError struct {
	typ  string // "OK", "NO", "BAD"
	code string // response code without brackets, "" for none
	text string
}

func (e *statusError) Error() string { return e.typ + " [" + e.code + "] " + e.text }
