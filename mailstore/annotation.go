package mailstore

import (
	"context"
	"slices"
	"strings"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// AdminEntry says how to reach the administrator of the server (RFC 5464 section 3.2.1.1). Nobody sets it but Config.Contact.
const AdminEntry = metadata.SharedAnnotations + "/admin"

// Annotation is an entry and its value (RFC 5464).
type Annotation struct {
	Entry string // as it was asked for; the levels below that in lower case
	Value []byte // nil: there is no such entry
}

// Annotations is what User.Annotations found.
type Annotations struct {
	Mailbox string // its name in the one form; "" for the server
	List    []Annotation
	Longest int64 // the size of the largest value above AnnotationOptions.MaxSize; 0: none was
}

// Depth says how far below an entry others are returned with it (RFC 5464 section 4.2.2).
type Depth uint8

const (
	DepthZero     Depth = iota // the entry itself, whether it is there or not
	DepthOne                   // the entry, if it is there, and those directly below it
	DepthInfinity              // the entry, if it is there, and all below it
)

// AnnotationOptions says which annotations are returned.
type AnnotationOptions struct {
	Depth   Depth
	MaxSize *int64 // of values, in bytes; nil: any
}

// annotatable are the rights of which one is needed, beside RightLookup, for a mailbox's annotations (RFC 5464 section 3.3).
const annotatable = metadata.RightRead | metadata.RightSeen | metadata.RightWrite | metadata.RightInsert | metadata.RightPost

// mayAnnotate returns nil if the user may read a mailbox's annotations and have private ones there.
func (m *located) mayAnnotate(op string) error {
	if err := m.check(op, metadata.RightLookup); err != nil {
		return err
	}
	if m.rights&annotatable == 0 {
		return errRights(op)
	}
	return nil
}

// annotatable is mayAnnotate of a mailbox in a list.
func (m *MailboxInfo) annotatable() bool {
	return !m.NonExistent && m.Rights.Has(metadata.RightLookup) && m.Rights&annotatable != 0
}

// Annotations returns annotations of a mailbox, or with "" of the server: its shared ones, and the user's private ones. For a
// mailbox it needs RightLookup and one of RightRead, RightSeen, RightWrite, RightInsert, RightPost. NotFound, Permission, Invalid
// (an entry's name), Limit.
func (u *User) Annotations(ctx context.Context, mailbox string, entries []string, o AnnotationOptions) (*Annotations, error) {
	const op = "mailstore.Annotations"
	q := metadata.AnnotationQuery{Account: u.account, MaxSize: metadata.MaxAnnotationValue, Mailboxes: []metadata.MailboxID{metadata.ServerAnnotations}}
	if o.MaxSize != nil {
		q.MaxSize = *o.MaxSize
	}
	found := &Annotations{}
	if mailbox != "" {
		m, err := u.locate(ctx, mailbox, 0)
		if err == nil {
			err = m.mayAnnotate(op)
		}
		if err != nil {
			return nil, wrap(op, err)
		}
		found.Mailbox, q.Mailboxes[0] = m.Name, m.ID
	}
	for _, e := range entries {
		name, err := canonicalEntry(e)
		if err != nil {
			return nil, wrap(op, err)
		}
		q.Entries = append(q.Entries, name)
		if o.Depth != DepthZero {
			q.Below = append(q.Below, name)
		}
	}
	there, err := u.store.meta.Annotations(ctx, q)
	if err != nil {
		return nil, wrap(op, err)
	}
	if mailbox == "" {
		there = u.store.withContact(there, q.MaxSize)
	}
	found.pick(there, entries, o.Depth)
	return found, nil
}

// withContact adds the annotation that is not in the database.
func (s *Store) withContact(there []metadata.Annotation, maxSize int64) []metadata.Annotation {
	if s.cfg.Contact == "" {
		return there
	}
	a := metadata.Annotation{Entry: AdminEntry, Size: int64(len(s.cfg.Contact))}
	if a.Size <= maxSize {
		a.Value = []byte(s.cfg.Contact)
	}
	i, _ := slices.BinarySearchFunc(there, AdminEntry, func(a metadata.Annotation, name string) int { return strings.Compare(a.Entry, name) })
	return slices.Insert(there, i, a)
}

// pick lists what was asked for, in that order, each once.
func (found *Annotations) pick(there []metadata.Annotation, entries []string, depth Depth) {
	listed := make(map[string]bool)
	add := func(entry string, a *metadata.Annotation) {
		name := strings.ToLower(entry)
		switch {
		case listed[name]:
		case a == nil:
			found.List = append(found.List, Annotation{Entry: entry})
		case a.Value == nil:
			found.Longest = max(found.Longest, a.Size)
		default:
			found.List = append(found.List, Annotation{entry, a.Value})
		}
		listed[name] = true
	}
	for _, entry := range entries {
		name := strings.ToLower(entry)
		i, ok := slices.BinarySearchFunc(there, name, func(a metadata.Annotation, name string) int { return strings.Compare(a.Entry, name) })
		switch {
		case ok:
			add(entry, &there[i])
		case depth == DepthZero:
			add(entry, nil)
		}
		if depth == DepthZero {
			continue
		}
		for i := range there {
			below, ok := strings.CutPrefix(there[i].Entry, name+"/")
			if ok && (depth == DepthInfinity || !strings.Contains(below, "/")) {
				add(entry+"/"+below, &there[i])
			}
		}
	}
}

// Annotation returns one annotation of a mailbox, or with "" of the server, as User.Annotations does. What the user may not read, or
// cannot be there, is not there: nil.
func (u *User) Annotation(ctx context.Context, mailbox, entry string) (value []byte, err error) {
	found, err := u.Annotations(ctx, mailbox, []string{entry}, AnnotationOptions{})
	switch mailerr.KindOf(err) {
	case mailerr.NotFound, mailerr.Permission, mailerr.Invalid:
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return found.List[0].Value, nil
}

// ListAnnotations returns entries of many mailboxes of User.List in one look-up: each with a value or nil, for all mailboxes
// whose annotations the user may read. Invalid (an entry's name), Limit.
func (u *User) ListAnnotations(ctx context.Context, mailboxes []MailboxInfo, entries []string) (map[metadata.MailboxID][]Annotation, error) {
	const op = "mailstore.ListAnnotations"
	q := metadata.AnnotationQuery{Account: u.account, MaxSize: metadata.MaxAnnotationValue}
	for i := range mailboxes {
		m := &mailboxes[i]
		if m.annotatable() {
			q.Mailboxes = append(q.Mailboxes, m.ID)
		}
	}
	for _, e := range entries {
		name, err := canonicalEntry(e)
		if err != nil {
			return nil, wrap(op, err)
		}
		q.Entries = append(q.Entries, name)
	}
	there, err := u.store.meta.Annotations(ctx, q)
	if err != nil {
		return nil, wrap(op, err)
	}
	of := make(map[metadata.MailboxID][]metadata.Annotation)
	for _, a := range there {
		of[a.Mailbox] = append(of[a.Mailbox], a)
	}
	lists := make(map[metadata.MailboxID][]Annotation, len(q.Mailboxes))
	for _, id := range q.Mailboxes {
		var found Annotations
		found.pick(of[id], entries, DepthZero)
		lists[id] = found.List
	}
	return lists, nil
}
