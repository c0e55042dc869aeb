package imapd

import (
	"context"
	"hash/maphash"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/message"
	"github.com/rookery-mail/rookery/metadata"
)

var threadCommand = command{
	name:   "THREAD",
	own:    true,
	states: selected,
	seqs:   true,
	parse:  func(p *wire.Parser) (runner, error) { return parseThread(p, false) },
}

var uidThreadCommand = command{
	name:   "UID THREAD",
	own:    true,
	states: selected,
	parse:  func(p *wire.Parser) (runner, error) { return parseThread(p, true) },
}

// thread is THREAD and UID THREAD (RFC 5256) with the algorithms ORDEREDSUBJECT and REFERENCES, and REFS of
// draft-ietf-morg-inthread.
type thread struct {
	search
	algorithm string
}

func parseThread(p *wire.Parser, uid bool) (runner, error) {
	c := &thread{search: search{name: "THREAD", uid: uid}}
	if err := p.SP(); err != nil {
		return nil, err
	}
	var err error
	if c.algorithm, err = p.Atom(); err != nil {
		return nil, err
	}
	switch c.algorithm {
	case "ORDEREDSUBJECT", "REFERENCES", "REFS":
	default:
		return nil, &wire.SyntaxError{Text: "Unknown threading algorithm"}
	}
	if err := p.SP(); err != nil {
		return nil, err
	}
	return c, c.parseKeys(p, true)
}

func (c *thread) run(ctx context.Context, s *session) error {
	r, err := c.find(ctx, s)
	if err != nil {
		return err
	}
	b := newThreadBuilder(c.algorithm)
	err = r.summaries(true, func(h searchHit, m *metadata.Message, st *message.Structure) error {
		number := uint32(h.seq)
		if c.uid {
			number = uint32(h.uid)
		}
		return b.add(number, m, st)
	})
	if err != nil {
		return err
	}
	s.w.Raw("* THREAD")
	if forest := b.build(); len(forest.tops) > 0 {
		s.w.SP()
		forest.write(s.w)
	}
	s.w.CRLF()
	return r.goneError()
}

// threadMessage is what threading knows of a message.
type threadMessage struct {
	number  uint32   // its sequence number or UID
	sent    int64    // its sent date, seconds
	arrived int64    // its internal date, microseconds
	subject textHash // of its base subject
	reply   bool     // a reply or forward, by its subject
}

// textHash stands for a text: 16 bytes, however long it is. The zero value is that of the empty text.
type textHash [2]uint64

// textHasher makes hashes that nobody outside can make collide.
type textHasher [2]maphash.Seed

func newTextHasher() textHasher { return textHasher{maphash.MakeSeed(), maphash.MakeSeed()} }

func (h textHasher) hash(text []byte) textHash {
	if len(text) == 0 {
		return textHash{}
	}
	return textHash{maphash.Bytes(h[0], text) | 1, maphash.Bytes(h[1], text)}
}

// threadBuilder takes messages in the order of the mailbox and makes threads of them.
type threadBuilder struct {
	algorithm string
	hasher    textHasher
	messages  []threadMessage
	refs      *referenceGraph // nil for ORDEREDSUBJECT
}

func newThreadBuilder(algorithm string) *threadBuilder {
	b := &threadBuilder{algorithm: algorithm, hasher: newTextHasher()}
	if algorithm != "ORDEREDSUBJECT" {
		b.refs = newReferenceGraph()
	}
	return b
}

func (b *threadBuilder) add(number uint32, m *metadata.Message, st *message.Structure) error {
	t := threadMessage{number: number, sent: sentDate(m, st), arrived: m.InternalDate.UnixMicro()}
	if subject := st.Envelope.Subject; subject != nil && b.algorithm != "REFS" {
		var base string
		base, t.reply = message.BaseSubject(*subject)
		t.subject = b.hasher.hash(casemap(base))
	}
	b.messages = append(b.messages, t)
	if b.refs == nil {
		return nil
	}
	return b.refs.add(b.hasher, st)
}

func (b *threadBuilder) build() *threadForest {
	switch b.algorithm {
	case "ORDEREDSUBJECT":
		return orderedSubject(b.messages)
	case "REFS":
		f := b.refs.forest(b.messages)
		f.sortByNews()
		return f
	default:
		f := b.refs.forest(b.messages)
		f.mergeSubjects()
		f.sortBySent()
		return f
	}
}
