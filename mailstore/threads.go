package mailstore

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"

	"golang.org/x/text/cases"

	"github.com/rookery-mail/rookery/message"
	"github.com/rookery-mail/rookery/metadata"
)

// maxThreadLinks is how many links a message has: its own Message-ID and the references nearest to it.
const maxThreadLinks = 16

// threadLinks returns what ties a message to others (docs/decisions/0006-threads.md): for its own Message-ID, those of
// In-Reply-To and those of References, the nearest first, a hash of it with the base subject. So a message is of the thread
// of another that one of them refers to, or both refer to, as long as the subject stays.
func threadLinks(st *message.Structure) []metadata.ThreadLink {
	subject := ""
	if s := st.Envelope.Subject; s != nil {
		base, _ := message.BaseSubject(*s)
		subject = cases.Fold().String(base)
	}
	var links []metadata.ThreadLink
	hash := newLinkHash(subject)
	add := func(id []byte) {
		if len(links) == maxThreadLinks {
			return
		}
		if l := hash.link(id); !slices.Contains(links, l) {
			links = append(links, l)
		}
	}
	if id := st.Envelope.MessageID; id != nil {
		for own := range message.MessageIDs(*id) {
			add(own)
			break
		}
	}
	if ids := st.Envelope.InReplyTo; ids != nil {
		for id := range message.MessageIDs(*ids) {
			add(id)
		}
	}
	for i := range st.Fields {
		if !strings.EqualFold(st.Fields[i].Name, "References") {
			continue
		}
		var ids [][]byte
		for id := range message.MessageIDs(st.Fields[i].Value()) {
			ids = append(ids, append([]byte(nil), id...))
		}
		for j := len(ids) - 1; j >= 0; j-- {
			add(ids[j])
		}
	}
	return links
}

// linkHash makes links of Message-IDs and one subject. Links are stored: never change it.
type linkHash struct {
	text   []byte // the length of the subject, the subject, a Message-ID
	before int    // where the Message-ID begins
}

func newLinkHash(subject string) *linkHash {
	h := &linkHash{text: make([]byte, 0, binary.MaxVarintLen64+len(subject)+128)}
	h.text = append(binary.AppendUvarint(h.text, uint64(len(subject))), subject...)
	h.before = len(h.text)
	return h
}

func (h *linkHash) link(id []byte) metadata.ThreadLink {
	h.text = append(h.text[:h.before], id...)
	sum := sha256.Sum256(h.text)
	return metadata.ThreadLink(sum[:8])
}

// Threads returns the threads of messages, by body id.
func (sel *Selected) Threads(ctx context.Context, bodies []metadata.BodyID) (map[metadata.BodyID]metadata.ThreadID, error) {
	threads, err := sel.view.store.meta.Threads(ctx, sel.view.account, bodies)
	return threads, wrap("mailstore.Threads", err)
}

// ThreadBodies returns the bodies of a thread, whatever mailboxes they are in.
func (sel *Selected) ThreadBodies(ctx context.Context, thread metadata.ThreadID) ([]metadata.BodyID, error) {
	bodies, err := sel.view.store.meta.ThreadBodies(ctx, sel.view.account, thread)
	return bodies, wrap("mailstore.ThreadBodies", err)
}
