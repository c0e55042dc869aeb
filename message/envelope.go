package message

// strings hands out pointers to strings with few allocations.
type stringArena struct{ free []string }

func (a *stringArena) pointer(s string) *string {
	if len(a.free) == 0 {
		a.free = make([]string, 24)
	}
	p := &a.free[0]
	*p = s
	a.free = a.free[1:]
	return p
}

// envelope fills in the ENVELOPE of a message with this header. Of Date, Subject, In-Reply-To and Message-ID the first
// counts; address fields that occur more than once are joined, so that no second From can hide behind the first.
func (h header) envelope(env *Envelope) {
	p := addressParser{strings: new(stringArena)}
	text := func(id fieldID) *string {
		if value, ok := h.first(id); ok {
			return p.strings.pointer(unfold(value))
		}
		return nil
	}
	env.Date = text(fieldDate)
	env.Subject = text(fieldSubject)
	env.InReplyTo = text(fieldInReplyTo)
	env.MessageID = text(fieldMessageID)

	// All addresses of an envelope share one array.
	var ends [6]int
	for i, id := range [...]fieldID{fieldFrom, fieldSender, fieldReplyTo, fieldTo, fieldCc, fieldBcc} {
		for _, f := range h {
			if f.id == id {
				p.parse(unfold(f.value))
			}
		}
		ends[i] = len(p.out)
	}
	start := 0
	for i, list := range [...]*[]Address{&env.From, &env.Sender, &env.ReplyTo, &env.To, &env.Cc, &env.Bcc} {
		*list = nil
		if ends[i] > start {
			*list = p.out[start:ends[i]:ends[i]]
		}
		start = ends[i]
	}
	env.setDefaults()
}

// setDefaults makes Sender and Reply-To those of From when they are absent or empty (RFC 9051 section 7.5.2).
func (env *Envelope) setDefaults() {
	if len(env.Sender) == 0 {
		env.Sender = env.From
	}
	if len(env.ReplyTo) == 0 {
		env.ReplyTo = env.From
	}
}
