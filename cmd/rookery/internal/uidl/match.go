package uidl

import (
	"cmp"
	"slices"

	"github.com/rookery-mail/rookery/metadata"
)

// Message is one of the account's messages.
type Message struct {
	UID       metadata.UID
	Body      metadata.BodyID
	Hash      Hash
	MessageID string // "" for none
}

// Unmatched is an entry for which no message was found.
type Unmatched struct {
	Entry
	Why string
}

// Match finds the messages of entries: by UID, else by content, else by Message-ID. Several with the same content or Message-ID go together in
// their order, if there are as many of them on both sides. No message and no unique-id is used twice.
func Match(entries []Entry, messages []Message) (found []metadata.UIDL, not []Unmatched) {
	m := newMatcher(messages)
	var rest []Entry
	uniques := make(map[string]bool, len(entries))
	for _, e := range entries {
		switch {
		case uniques[e.Unique]:
			not = append(not, Unmatched{e, "another line has the same unique-id"})
			continue
		case e.UID != 0:
			if id, ok := m.byUID[e.UID]; ok && !m.used[id] {
				m.take(e, id)
			} else {
				not = append(not, Unmatched{e, "no message has that UID"})
			}
		case e.Hash == nil && e.MessageID == "":
			not = append(not, Unmatched{e, "its file is not in the Maildir"})
		default:
			rest = append(rest, e)
		}
		uniques[e.Unique] = true
	}
	rest, _ = m.together(rest, m.byHash, func(e *Entry) (string, bool) {
		if e.Hash == nil {
			return "", false
		}
		return string(e.Hash[:]), true
	})
	rest, ambiguous := m.together(rest, m.byMessageID, func(e *Entry) (string, bool) { return e.MessageID, e.MessageID != "" })
	for _, e := range rest {
		why := "no such message"
		if ambiguous[e.MessageID] {
			why = "several messages have its Message-ID"
		}
		not = append(not, Unmatched{e, why})
	}
	slices.SortFunc(not, func(a, b Unmatched) int { return cmp.Compare(a.Line, b.Line) })
	return m.found, not
}

type matcher struct {
	byUID       map[metadata.UID]metadata.BodyID
	byHash      map[string][]metadata.BodyID
	byMessageID map[string][]metadata.BodyID
	used        map[metadata.BodyID]bool
	found       []metadata.UIDL
}

func newMatcher(messages []Message) *matcher {
	m := &matcher{
		byUID: make(map[metadata.UID]metadata.BodyID), byHash: make(map[string][]metadata.BodyID),
		byMessageID: make(map[string][]metadata.BodyID), used: make(map[metadata.BodyID]bool),
	}
	seen := make(map[metadata.BodyID]bool, len(messages))
	for i := range messages {
		x := &messages[i]
		m.byUID[x.UID] = x.Body
		if seen[x.Body] { // a copy
			continue
		}
		seen[x.Body] = true
		m.byHash[string(x.Hash[:])] = append(m.byHash[string(x.Hash[:])], x.Body)
		if x.MessageID != "" {
			m.byMessageID[x.MessageID] = append(m.byMessageID[x.MessageID], x.Body)
		}
	}
	return m
}

func (m *matcher) take(e Entry, id metadata.BodyID) {
	m.used[id] = true
	m.found = append(m.found, metadata.UIDL{Body: id, Unique: e.Unique})
}

// together matches entries that have a key with the unused messages that have it, where there are as many of both, and returns the other
// entries, and the keys of which there were not.
func (m *matcher) together(entries []Entry, index map[string][]metadata.BodyID, key func(*Entry) (string, bool)) (rest []Entry, ambiguous map[string]bool) {
	groups := make(map[string]int)
	for i := range entries {
		if k, ok := key(&entries[i]); ok {
			groups[k]++
		}
	}
	free := make(map[string][]metadata.BodyID, len(groups))
	for k := range groups {
		for _, id := range index[k] {
			if !m.used[id] {
				free[k] = append(free[k], id)
			}
		}
	}
	ambiguous = make(map[string]bool)
	for i := range entries {
		k, ok := key(&entries[i])
		if !ok || len(free[k]) != groups[k] {
			if ok && len(free[k]) > 0 {
				ambiguous[k] = true
			}
			rest = append(rest, entries[i])
			continue
		}
		m.take(entries[i], free[k][0])
		free[k] = free[k][1:]
		groups[k]--
	}
	return rest, ambiguous
}
