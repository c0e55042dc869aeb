package mailerr

// Kind says what went wrong in words every protocol can translate. The zero Kind is Internal, so that an error somebody
// forgot to classify is answered as temporary trouble of ours.
type Kind uint8

// The closed list of kinds. A new kind needs a row in every speaker's translation.
const (
	Internal    Kind = iota // a fault in Rookery itself
	NotFound                // no such mailbox, account, message, script
	Exists                  // the name is taken
	Permission              // not allowed, or wrong credentials
	OverQuota               // the account's storage or message limit is reached
	InUse                   // locked by another session, e.g. a POP3 maildrop
	Expunged                // the message was there when the session last looked
	Limit                   // a configured limit other than quota
	TooBig                  // one message or argument over its size limit
	Invalid                 // the request cannot be carried out by anybody, ever
	Unavailable             // database, object store or network is not answering: try again later
)

var kindNames = [...]string{
	Internal:    "internal error",
	NotFound:    "not found",
	Exists:      "already exists",
	Permission:  "permission denied",
	OverQuota:   "over quota",
	InUse:       "in use",
	Expunged:    "message expunged",
	Limit:       "limit reached",
	TooBig:      "too big",
	Invalid:     "invalid",
	Unavailable: "temporarily unavailable",
}

// String returns the kind in a person's words; it is also the text a client sees when an Error carries no ClientText.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return kindNames[Internal]
}

// Kinds lists every kind, for the tests that prove a speaker's translation complete.
func Kinds() []Kind {
	ks := make([]Kind, len(kindNames))
	for i := range ks {
		ks[i] = Kind(i)
	}
	return ks
}
