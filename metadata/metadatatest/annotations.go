package metadatatest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// annotate returns changes from pairs of an entry and a value; "-" removes.
func annotate(pairs ...string) (changes []metadata.AnnotationChange) {
	for i := 0; i < len(pairs); i += 2 {
		c := metadata.AnnotationChange{Entry: pairs[i], Value: []byte(pairs[i+1])}
		if pairs[i+1] == "-" {
			c.Value = nil
		}
		changes = append(changes, c)
	}
	return changes
}

// annotations is what an account finds below /private and /shared.
func (f *fixture) annotations(u user, boxes ...metadata.MailboxID) string {
	f.Helper()
	return f.annotationsOf(metadata.AnnotationQuery{Account: u.id, Mailboxes: boxes, Below: []string{"/private", "/shared"}, MaxSize: 1 << 20})
}

func (f *fixture) annotationsOf(q metadata.AnnotationQuery) string {
	f.Helper()
	found, err := f.s.Annotations(f.ctx(), q)
	f.must(err)
	var parts []string
	for _, a := range found {
		if a.Value == nil {
			parts = append(parts, fmt.Sprintf("%s of %d", a.Entry, a.Size))
		} else {
			parts = append(parts, a.Entry+" "+string(a.Value))
		}
	}
	return strings.Join(parts, ", ")
}

func (f *fixture) wantAnnotations(got, want string) {
	f.Helper()
	if got != want {
		f.Errorf("there is %q, want %q", got, want)
	}
}

func testAnnotations(f *fixture) {
	u, other := f.user(), f.user()
	set := func(by user, box metadata.MailboxID, pairs ...string) {
		f.Helper()
		f.must(f.s.SetAnnotations(f.ctx(), metadata.SetAnnotations{Account: by.id, Mailbox: box, Owner: u.id, Changes: annotate(pairs...)}))
	}
	f.wantAnnotations(f.annotations(u, u.inbox), "")
	for range 2 { // doing it twice is doing it once
		set(u, u.inbox, "/shared/comment", "old", "/private/comment", "a\x00b\xff", "/shared/comment", "ours", "/private/none", "-", "/private/a/b/c", "")
		set(other, u.inbox, "/private/comment", "theirs", "/shared/color", "red", "/shared/gone", "x")
		set(other, u.inbox, "/shared/gone", "-")
	}
	set(u, u.trash, "/shared/comment", "trash")
	f.wantAnnotations(f.annotations(u, u.inbox), "/private/a/b/c , /private/comment a\x00b\xff, /shared/color red, /shared/comment ours")
	f.wantAnnotations(f.annotations(other, u.inbox), "/private/comment theirs, /shared/color red, /shared/comment ours")
	f.wantAnnotations(f.annotations(other, u.trash), "/shared/comment trash")

	q := metadata.AnnotationQuery{Account: u.id, Mailboxes: []metadata.MailboxID{u.inbox, u.trash}, MaxSize: 3,
		Entries: []string{"/shared/comment", "/private/comment", "/private/comm", "/private/a"}}
	got := f.annotationsOf(q)
	if n := strings.Count(got, "/shared/comment of"); n != 2 || !strings.Contains(got, "/private/comment of 4") || strings.Contains(got, "color") {
		f.Errorf("with a bound there is %q", got)
	}
	q = metadata.AnnotationQuery{Account: u.id, Mailboxes: []metadata.MailboxID{u.inbox}, MaxSize: 10, Entries: []string{"/private/a/b/c"}, Below: []string{"/private/a", "/private/comment"}}
	f.wantAnnotations(f.annotationsOf(q), "/private/a/b/c ")

	// They go where the mailbox goes, and with it.
	f.must(f.s.RenameMailboxes(f.ctx(), u.id, []metadata.Rename{{ID: u.trash, From: "Trash", To: "Bin"}}))
	f.wantAnnotations(f.annotations(u, u.trash), "/shared/comment trash")
	f.must(f.s.DeleteMailbox(f.ctx(), u.id, u.trash))
	f.wantAnnotations(f.annotations(u, u.trash), "")
	f.wantKind(f.s.SetAnnotations(f.ctx(), metadata.SetAnnotations{Account: u.id, Mailbox: u.trash, Owner: u.id, Changes: annotate("/shared/x", "y")}), mailerr.NotFound)

	f.must(f.s.RemoveAccount(f.ctx(), other.id))
	f.wantAnnotations(f.annotations(other, u.inbox), "/shared/color red, /shared/comment ours")
	f.wantKind(f.s.SetAnnotations(f.ctx(), metadata.SetAnnotations{Account: other.id, Mailbox: u.inbox, Owner: u.id, Changes: annotate("/private/x", "y")}), mailerr.NotFound)
	third := f.user()
	set(third, u.inbox, "/private/x", "y")
	f.must(f.s.RemoveAccount(f.ctx(), u.id))
	f.wantAnnotations(f.annotations(u, u.inbox), "")
	f.wantAnnotations(f.annotations(third, u.inbox), "")
}

func testServerAnnotations(f *fixture) {
	u, other := f.user(), f.user()
	// The server's are those of all tests on this database.
	mine := "/shared/vendor/test/" + u.id.String()
	set := func(by user, pairs ...string) {
		f.Helper()
		f.must(f.s.SetAnnotations(f.ctx(), metadata.SetAnnotations{Account: by.id, Changes: annotate(pairs...)}))
	}
	set(u, mine+"/a", "1", "/private/x", "u")
	set(other, "/private/x", "other", mine+"/a", "2")
	q := metadata.AnnotationQuery{Account: u.id, Mailboxes: []metadata.MailboxID{metadata.ServerAnnotations}, MaxSize: 10, Below: []string{"/private", mine}}
	f.wantAnnotations(f.annotationsOf(q), "/private/x u, "+mine+"/a 2")
	f.must(f.s.RemoveAccount(f.ctx(), u.id))
	f.wantAnnotations(f.annotationsOf(q), mine+"/a 2")
	set(other, mine+"/a", "-")
	q.Account = other.id
	f.wantAnnotations(f.annotationsOf(q), "/private/x other")
	found, err := f.s.Annotations(f.ctx(), metadata.AnnotationQuery{Account: u.id, Mailboxes: q.Mailboxes, Below: []string{"/shared"}})
	f.must(err)
	for _, a := range found {
		if !strings.HasPrefix(a.Entry, "/shared/") {
			f.Errorf("there is an entry %q", a.Entry)
		}
	}
}

func testAnnotationsRefused(f *fixture) {
	u, other := f.user(), f.user()
	try := func(by, owner user, box metadata.MailboxID, pairs ...string) error {
		return f.s.SetAnnotations(f.ctx(), metadata.SetAnnotations{Account: by.id, Mailbox: box, Owner: owner.id, Changes: annotate(pairs...)})
	}
	large := strings.Repeat("x", metadata.MaxAnnotationValue)
	f.must(try(u, u, u.inbox, "/private/large", large))
	f.wantKind(try(u, u, u.inbox, "/private/a", "b", "/private/larger", large+"x"), mailerr.TooBig)
	for _, name := range []string{"", "comment", "/comment", "/shared", "/sharedx/y", "/privatex", "/private/\x00", "/private/\xff", "/private/" + strings.Repeat("x", metadata.MaxAnnotationName)} {
		f.wantKind(try(u, u, u.inbox, "/private/a", "b", name, "c"), mailerr.Invalid)
	}
	f.wantKind(try(u, other, u.inbox, "/private/a", "b"), mailerr.NotFound)
	f.wantKind(try(u, u, metadata.NewMailboxID(), "/private/a", "b"), mailerr.NotFound)
	f.wantAnnotations(f.annotationsOf(metadata.AnnotationQuery{Account: u.id, Mailboxes: []metadata.MailboxID{u.inbox}, Below: []string{"/private"}}),
		fmt.Sprintf("/private/large of %d", len(large)))

	// As many as there may be, and as many bytes.
	var pairs []string
	for i := range metadata.MaxAnnotations {
		pairs = append(pairs, fmt.Sprintf("/shared/%d", i), "x")
	}
	f.must(try(u, u, u.inbox, pairs...))
	f.wantKind(try(other, u, u.inbox, "/shared/0", "y", "/shared/more", "x"), mailerr.Limit)
	f.must(try(other, u, u.inbox, "/shared/0", "-", "/shared/1", "y", "/shared/more", "x", "/private/more", "x"))
	f.wantKind(try(u, u, u.inbox, "/shared/0", "y"), mailerr.Limit)
	pairs = nil
	for i := range metadata.MaxAnnotationBytes / metadata.MaxAnnotationValue {
		pairs = append(pairs, fmt.Sprintf("/private/%d", i), large)
	}
	f.wantKind(try(other, other, other.inbox, pairs...), mailerr.Limit)
	f.must(try(other, other, other.inbox, pairs[:len(pairs)-2]...))
	f.wantKind(try(other, other, other.trash, "/private/large", large), mailerr.Limit)
	f.wantKind(try(other, u, u.inbox, "/private/large", large), mailerr.Limit) // whose mailbox it is does not matter
	f.must(try(other, u, u.inbox, "/shared/1", large))                         // u pays
	f.must(try(other, other, other.inbox, pairs[0], "-"))
	f.must(try(other, other, other.trash, "/private/large", large))

	found, err := f.s.Annotations(f.ctx(), metadata.AnnotationQuery{Account: other.id, Mailboxes: []metadata.MailboxID{other.inbox}, MaxSize: 1, Below: []string{"/private"}})
	f.must(err)
	if len(found) != len(pairs)/2-2 {
		f.Errorf("there are %d", len(found))
	}
}

func testCopyAnnotations(f *fixture) {
	u, other := f.user(), f.user()
	set := func(by user, box metadata.MailboxID, pairs ...string) {
		f.Helper()
		f.must(f.s.SetAnnotations(f.ctx(), metadata.SetAnnotations{Account: by.id, Mailbox: box, Owner: u.id, Changes: annotate(pairs...)}))
	}
	f.must(f.s.CopyAnnotations(f.ctx(), u.id, u.inbox, u.trash))
	set(u, u.inbox, "/shared/a", "1", "/private/b", "2")
	set(other, u.inbox, "/private/b", "3")
	for range 2 {
		f.must(f.s.CopyAnnotations(f.ctx(), u.id, u.inbox, u.trash))
		f.wantAnnotations(f.annotations(u, u.trash), "/private/b 2, /shared/a 1")
		f.wantAnnotations(f.annotations(u, u.inbox), "/private/b 2, /shared/a 1")
		f.wantAnnotations(f.annotations(other, u.trash), "/shared/a 1")
	}
	f.wantKind(f.s.CopyAnnotations(f.ctx(), u.id, u.inbox, metadata.NewMailboxID()), mailerr.NotFound)
	f.wantKind(f.s.CopyAnnotations(f.ctx(), other.id, u.inbox, u.trash), mailerr.NotFound)

	var pairs []string
	for i := range metadata.MaxAnnotationBytes/metadata.MaxAnnotationValue/2 + 1 {
		pairs = append(pairs, fmt.Sprintf("/private/%d", i), strings.Repeat("x", metadata.MaxAnnotationValue))
	}
	set(u, u.inbox, pairs...)
	m, err := f.s.CreateMailbox(f.ctx(), u.id, metadata.NewMailbox{ID: metadata.NewMailboxID(), Name: "new"}, 0)
	f.must(err)
	f.wantKind(f.s.CopyAnnotations(f.ctx(), u.id, u.inbox, m.ID), mailerr.Limit)
	f.wantAnnotations(f.annotations(u, m.ID), "")
}

// digests is which annotations an account learns the digests of, as text; those of the server but for entry are of other tests.
func (f *fixture) digests(u user, serverEntry string, others ...metadata.MailboxID) (map[string]metadata.AnnotationDigest, string) {
	f.Helper()
	found, err := f.s.AnnotationDigests(f.ctx(), u.id, others)
	f.must(err)
	of := map[string]metadata.AnnotationDigest{}
	var names []string
	last := metadata.AnnotationState{}
	for _, a := range found {
		if c := strings.Compare(string(last.Mailbox[:]), string(a.Mailbox[:])); c > 0 || c == 0 && last.Entry >= a.Entry {
			f.Errorf("%q comes after %q", a.Entry, last.Entry)
		}
		last = a
		if a.Mailbox == metadata.ServerAnnotations && strings.HasPrefix(a.Entry, "/shared/") && a.Entry != serverEntry {
			continue
		}
		name := map[metadata.MailboxID]string{u.inbox: "INBOX", u.trash: "Trash", metadata.ServerAnnotations: "server"}[a.Mailbox]
		if name == "" {
			name = "other"
		}
		name += strings.ReplaceAll(a.Entry, serverEntry, "/mine")
		names = append(names, name)
		of[name] = a.Digest
	}
	slices.Sort(names)
	return of, strings.Join(names, " ")
}

func testAnnotationDigests(f *fixture) {
	u, other := f.user(), f.user()
	mine := "/shared/vendor/test/" + u.id.String()
	set := func(by, owner user, box metadata.MailboxID, pairs ...string) {
		f.Helper()
		f.must(f.s.SetAnnotations(f.ctx(), metadata.SetAnnotations{Account: by.id, Mailbox: box, Owner: owner.id, Changes: annotate(pairs...)}))
	}
	set(u, u, u.inbox, "/private/a", "1", "/shared/a", "1", "/shared/b", "")
	set(u, u, u.trash, "/shared/c", "1")
	set(u, other, other.inbox, "/private/d", "1")
	set(other, u, u.inbox, "/private/a", "theirs", "/private/e", "1")
	set(other, other, other.inbox, "/shared/f", "1", "/private/g", "1")
	set(other, other, other.trash, "/shared/h", "1")
	set(u, u, metadata.ServerAnnotations, "/private/i", "1", mine, "1")

	_, names := f.digests(u, mine)
	f.wantAnnotations(names, "INBOX/private/a INBOX/shared/a INBOX/shared/b Trash/shared/c other/private/d server/private/i")
	all := []metadata.MailboxID{other.inbox, u.inbox, metadata.ServerAnnotations}
	of, names := f.digests(u, mine, all...)
	f.wantAnnotations(names, "INBOX/private/a INBOX/shared/a INBOX/shared/b Trash/shared/c other/private/d other/shared/f server/mine server/private/i")
	for name, digest := range of {
		value := []byte("1")
		if name == "INBOX/shared/b" {
			value = []byte{}
		}
		if digest != metadata.DigestAnnotation(value) || digest == 0 {
			f.Errorf("the digest of %s is %d", name, digest)
		}
	}
	set(u, u, u.inbox, "/private/a", "-", "/shared/a", "2", "/shared/b", "")
	set(u, u, metadata.ServerAnnotations, mine, "-", "/private/i", "1")
	f.must(f.s.CopyAnnotations(f.ctx(), u.id, u.inbox, u.trash))
	now, names := f.digests(u, mine, all...)
	f.wantAnnotations(names, "INBOX/shared/a INBOX/shared/b Trash/shared/a Trash/shared/b Trash/shared/c other/private/d other/shared/f server/private/i")
	for name, digest := range now {
		if changed := digest != of[name]; changed != (name == "INBOX/shared/a" || of[name] == 0) {
			f.Errorf("the digest of %s was %d, and is %d", name, of[name], digest)
		}
	}
	if now["Trash/shared/a"] != metadata.DigestAnnotation([]byte("2")) {
		f.Errorf("a copy's digest is %d", now["Trash/shared/a"])
	}
}
