package imapd

import (
	linked "container/list"
	"sync"

	"github.com/rookery-mail/rookery/metadata"
)

// textCache keeps what FETCH has written of messages and would write again, byte for byte: ENVELOPE, BODY and BODYSTRUCTURE. What
// a UID means in a mailbox never changes, so nothing in it is ever wrong; beyond its budget what was used longest ago goes.
// Whether a session may read the mailbox, and whether the message is there, the caller has found out.
//
// Texts are in chunks of neighbouring UIDs, so that a message costs four bytes more than its text, and an answer for many messages
// one look-up for a chunk.
type textCache struct {
	budget int64 // bytes; negative: nothing is kept

	mu     sync.Mutex
	bytes  int64                           // guarded by mu: of all chunks
	chunks map[textChunkID]*linked.Element // guarded by mu: of *textChunk
	order  linked.List                     // guarded by mu: the front was used last
}

// textForm is what the words of a text depend on beside the message.
type textForm struct {
	kind       fetchItemKind
	utf8Accept bool
	rev2       bool
}

// textChunkID names a chunk: the UIDs of a mailbox that agree in all but the lowest bits.
type textChunkID struct {
	mailbox metadata.MailboxID
	chunk   metadata.UID
	form    textForm
}

const (
	textChunkUIDs = 256
	// textChunkBytes is about what a chunk takes beside its texts.
	textChunkBytes = textChunkUIDs*4 + 256
	// maxKeptText is the longest text that is kept.
	maxKeptText = 16 << 10
)

// textChunk is immutable: readers need no lock.
type textChunk struct {
	id   textChunkID
	ends [textChunkUIDs]uint32 // where in text that of each UID ends; where the one before it ends when there is none
	text []byte
}

func newTextCache(budget int64) *textCache {
	return &textCache{budget: budget, chunks: make(map[textChunkID]*linked.Element)}
}

// text returns the text of a UID of the chunk, nil when it is not there; so does a chunk that is nil. It is not to be changed.
func (c *textChunk) of(uid metadata.UID) []byte {
	if c == nil {
		return nil
	}
	i := uid % textChunkUIDs
	from := uint32(0)
	if i > 0 {
		from = c.ends[i-1]
	}
	if from == c.ends[i] {
		return nil
	}
	return c.text[from:c.ends[i]]
}

func (c *textChunk) size() int64 { return int64(cap(c.text)) + textChunkBytes }

// keptText is a text to be kept.
type keptText struct {
	uid  metadata.UID
	text []byte
}

// get returns a chunk, nil when there is none.
func (t *textCache) get(id textChunkID) *textChunk {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.chunks[id]
	if e == nil {
		return nil
	}
	t.order.MoveToFront(e)
	return e.Value.(*textChunk)
}

// put adds copies of texts of a mailbox, ascending by UID.
func (t *textCache) put(mailbox metadata.MailboxID, form textForm, texts []keptText) {
	for len(texts) > 0 {
		id := textChunkID{mailbox, texts[0].uid / textChunkUIDs, form}
		n := 1
		for n < len(texts) && texts[n].uid/textChunkUIDs == id.chunk {
			n++
		}
		t.add(id, texts[:n])
		texts = texts[n:]
	}
}

// add puts texts of one chunk to those that are there.
func (t *textCache) add(id textChunkID, texts []keptText) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var old *textChunk
	e := t.chunks[id]
	if e != nil {
		old = e.Value.(*textChunk)
	}
	chunk := mergeTexts(id, old, texts)
	if e == nil {
		e = t.order.PushFront(chunk)
		t.chunks[id] = e
	} else {
		t.bytes -= old.size()
		e.Value = chunk
		t.order.MoveToFront(e)
	}
	t.bytes += chunk.size()
	for t.bytes > t.budget {
		last := t.order.Remove(t.order.Back()).(*textChunk)
		delete(t.chunks, last.id)
		t.bytes -= last.size()
	}
}

// mergeTexts returns a chunk with the texts of old, which may be nil, and others of the same chunk.
func mergeTexts(id textChunkID, old *textChunk, texts []keptText) *textChunk {
	size := 0
	if old != nil {
		size = len(old.text)
	}
	for i := range texts {
		size += len(texts[i].text)
	}
	c := &textChunk{id: id, text: make([]byte, 0, size)}
	first := id.chunk * textChunkUIDs
	for i := range metadata.UID(textChunkUIDs) {
		text := old.of(first + i)
		if len(texts) > 0 && texts[0].uid == first+i {
			text = texts[0].text
			texts = texts[1:]
		}
		c.text = append(c.text, text...)
		c.ends[i] = uint32(len(c.text))
	}
	return c
}

// size returns the bytes of all chunks.
func (t *textCache) size() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.bytes
}
