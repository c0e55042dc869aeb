package mailstore_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// annotators are the rights of which one lets somebody read annotations.
const annotators = metadata.RightRead | metadata.RightSeen | metadata.RightWrite | metadata.RightInsert | metadata.RightPost

// annotateAs sets entries to the user's account.
func annotateAs(ctx context.Context, u *mailstore.User, mailbox string, entries ...string) error {
	var changes []mailstore.Annotation
	for _, e := range entries {
		changes = append(changes, mailstore.Annotation{Entry: e, Value: []byte(u.Account().String())})
	}
	return u.SetAnnotations(ctx, mailbox, changes, mailstore.SetAnnotationsOptions{})
}

// annotationsOf is what a user finds, as text.
func annotationsOf(t *testing.T, u *mailstore.User, mailbox string, o mailstore.AnnotationOptions, entries ...string) string {
	t.Helper()
	found, err := u.Annotations(t.Context(), mailbox, entries, o)
	if err != nil {
		t.Fatal(err)
	}
	text := found.Mailbox + ":"
	for _, a := range found.List {
		value := "NIL"
		if a.Value != nil {
			value = string(a.Value)
		}
		text += " " + a.Entry + "=" + value
	}
	if found.Longest > 0 {
		text += fmt.Sprintf(" longest %d", found.Longest)
	}
	return text
}

func set(t *testing.T, u *mailstore.User, mailbox string, pairs ...string) {
	t.Helper()
	var changes []mailstore.Annotation
	for i := 0; i < len(pairs); i += 2 {
		changes = append(changes, mailstore.Annotation{Entry: pairs[i], Value: []byte(pairs[i+1])})
	}
	if err := u.SetAnnotations(t.Context(), mailbox, changes, mailstore.SetAnnotationsOptions{Administrator: true}); err != nil {
		t.Fatal(err)
	}
}

func TestAnnotations(t *testing.T) {
	n := newNeighbours(t)
	s := n.node(func(c *mailstore.Config) { c.Contact = "mailto:root@example.org" })
	owner, guest := s.User(n.owner), s.User(n.guest)
	want := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
	}
	set(t, owner, "Box", "/Shared/Comment", "for all", "/private/comment", "mine", "/private/vendor/x/a", "1", "/private/vendor/x/a/b", "2", "/private/vendor/x/c/d", "3")
	want(annotationsOf(t, owner, "Box", mailstore.AnnotationOptions{}, "/PRIVATE/comment", "/shared/comment", "/private/Comment", "/private/none"),
		"Box: /PRIVATE/comment=mine /shared/comment=for all /private/none=NIL")
	want(annotationsOf(t, owner, "Box", mailstore.AnnotationOptions{Depth: mailstore.DepthOne}, "/Private/Vendor/X"), "Box: /Private/Vendor/X/a=1")
	want(annotationsOf(t, owner, "Box", mailstore.AnnotationOptions{Depth: mailstore.DepthInfinity}, "/private/vendor/x/a", "/private/vendor", "/private/none"),
		"Box: /private/vendor/x/a=1 /private/vendor/x/a/b=2 /private/vendor/x/c/d=3")
	want(annotationsOf(t, owner, "Box", mailstore.AnnotationOptions{MaxSize: new(int64(4))}, "/private/comment", "/shared/comment"), "Box: /private/comment=mine longest 7")

	n.give(s, "Box", n.guest, metadata.RightLookup|metadata.RightRead)
	box := n.foreign("Box")
	set(t, guest, box, "/private/comment", "guest's")
	want(annotationsOf(t, guest, box, mailstore.AnnotationOptions{Depth: mailstore.DepthInfinity}, "/private", "/shared"), box+": /private/comment=guest's /shared/comment=for all")
	want(annotationsOf(t, owner, "Box", mailstore.AnnotationOptions{}, "/private/comment"), "Box: /private/comment=mine")
	if value, err := guest.Annotation(n.ctx, box, "/shared/comment"); err != nil || string(value) != "for all" {
		t.Errorf("%q, %v", value, err)
	}
	for _, where := range [][2]string{{n.foreign("Secret"), "/shared/comment"}, {"Nothing", "/shared/comment"}, {box, "comment"}, {box, "/shared/none"}, {"\x00", "/shared/x"}} {
		if value, err := guest.Annotation(n.ctx, where[0], where[1]); err != nil || value != nil {
			t.Errorf("%q: %q, %v", where, value, err)
		}
	}

	if err := owner.Rename(n.ctx, "Box", "Renamed"); err != nil {
		t.Fatal(err)
	}
	want(annotationsOf(t, guest, n.foreign("Renamed"), mailstore.AnnotationOptions{}, "/private/comment", "/shared/comment"),
		n.foreign("Renamed")+": /private/comment=guest's /shared/comment=for all")
	if err := owner.Delete(n.ctx, "Renamed"); err != nil {
		t.Fatal(err)
	}
	if _, err := owner.Create(n.ctx, "Renamed", ""); err != nil {
		t.Fatal(err)
	}
	want(annotationsOf(t, owner, "Renamed", mailstore.AnnotationOptions{}, "/shared/comment"), "Renamed: /shared/comment=NIL")

	set(t, owner, "inbox", "/shared/comment", "stays and goes")
	if err := owner.Rename(n.ctx, "INBOX", "Old"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"INBOX", "Old"} {
		want(annotationsOf(t, owner, name, mailstore.AnnotationOptions{}, "/shared/comment"), name+": /shared/comment=stays and goes")
	}

	set(t, guest, "", "/shared/comment", "of the server", "/private/x", "guest's")
	want(annotationsOf(t, owner, "", mailstore.AnnotationOptions{Depth: mailstore.DepthOne}, "/private", "/shared"),
		": /shared/admin=mailto:root@example.org /shared/comment=of the server")
	want(annotationsOf(t, guest, "", mailstore.AnnotationOptions{}, "/private/x", "/shared/admin"), ": /private/x=guest's /shared/admin=mailto:root@example.org")
	want(annotationsOf(t, guest, "", mailstore.AnnotationOptions{MaxSize: new(int64(5))}, "/shared/admin"), ": longest 23")
	none := n.node(nil)
	want(annotationsOf(t, none.User(n.guest), "", mailstore.AnnotationOptions{}, "/shared/admin"), ": /shared/admin=NIL")
}

func TestAnnotationsRefused(t *testing.T) {
	n := newNeighbours(t)
	s := n.node(nil)
	owner := s.User(n.owner)
	n.give(s, "Box", n.guest, metadata.RightLookup|metadata.RightRead)
	for _, c := range []struct {
		user    metadata.AccountID
		mailbox string
		entries string
		admin   bool
		want    mailerr.Kind
	}{
		{n.owner, "Nothing", "/shared/x", false, mailerr.NotFound},
		{n.guest, n.foreign("Box"), "/private/x /shared/x", true, mailerr.Permission},
		{n.third, n.foreign("Box"), "/private/x", false, mailerr.NotFound},
		{n.owner, "", "/private/x /shared/x", false, mailerr.Permission},
		{n.owner, "", "/private/x /shared/admin", true, mailerr.Permission},
		{n.owner, "Box", "/private/x /shared", false, mailerr.Invalid},
		{n.owner, "Box", "/private/x /shared/vendor", false, mailerr.Invalid},
		{n.owner, "Box", "/private/x /Shared/Vendor/x", false, mailerr.Invalid},
		{n.owner, "Box", "/private/x /private//x", false, mailerr.Invalid},
		{n.owner, "Box", "/private/x /private/x/", false, mailerr.Invalid},
		{n.owner, "Box", "/private/x /private/*", false, mailerr.Invalid},
		{n.owner, "Box", "/private/x /private/x%", false, mailerr.Invalid},
		{n.owner, "Box", "/private/x /private/\x19", false, mailerr.Invalid},
		{n.owner, "Box", "/private/x /private/\u00e9", false, mailerr.Invalid},
		{n.owner, "Box", "/private/x /other/x", false, mailerr.Invalid},
		{n.owner, "Box", "/private/x comment", false, mailerr.Invalid},
		{n.owner, "Box", "/private/x /private/" + strings.Repeat("x", metadata.MaxAnnotationName), false, mailerr.Invalid},
	} {
		var changes []mailstore.Annotation
		for e := range strings.SplitSeq(c.entries, " ") {
			changes = append(changes, mailstore.Annotation{Entry: e, Value: []byte("y")})
		}
		err := s.User(c.user).SetAnnotations(n.ctx, c.mailbox, changes, mailstore.SetAnnotationsOptions{Administrator: c.admin})
		if !mailerr.Is(err, c.want) {
			t.Errorf("%q %q: %v, want %q", c.mailbox, c.entries, err, c.want)
		}
	}
	for _, mailbox := range []string{"Box", ""} {
		if value, err := owner.Annotation(n.ctx, mailbox, "/private/x"); value != nil || err != nil {
			t.Errorf("%q was set: %q, %v", mailbox, value, err)
		}
	}
}

// TestRenameInboxWithoutRoom: what cannot be copied leaves everything as it was.
func TestRenameInboxWithoutRoom(t *testing.T) {
	n := newNeighbours(t)
	s := n.node(nil)
	owner := s.User(n.owner)
	n.append(owner, s, "INBOX", mail("stays"))
	var pairs []string
	for i := range metadata.MaxAnnotationBytes/metadata.MaxAnnotationValue/2 + 1 {
		pairs = append(pairs, fmt.Sprintf("/private/%d", i), strings.Repeat("x", metadata.MaxAnnotationValue))
	}
	set(t, owner, "INBOX", pairs...)
	if err := owner.Rename(n.ctx, "INBOX", "Old"); !mailerr.Is(err, mailerr.Limit) {
		t.Fatal(err)
	}
	if _, err := owner.Mailbox(n.ctx, "Old"); !mailerr.Is(err, mailerr.NotFound) {
		t.Errorf("the new mailbox: %v", err)
	}
	if m, err := owner.Mailbox(n.ctx, "INBOX"); err != nil || m.Messages != 1 {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestListAnnotations(t *testing.T) {
	n := newNeighbours(t)
	s := n.node(nil)
	owner, guest := s.User(n.owner), s.User(n.guest)
	set(t, owner, "Box", "/shared/color", "red")
	set(t, owner, "Secret", "/shared/color", "black")
	set(t, guest, "Mine", "/shared/color", "blue", "/private/color", "green")
	n.give(s, "Box", n.guest, metadata.RightLookup|metadata.RightPost)
	n.give(s, "Secret", n.guest, metadata.RightLookup|metadata.RightAdmin)
	infos, err := guest.List(n.ctx)
	if err != nil {
		t.Fatal(err)
	}
	lists, err := guest.ListAnnotations(n.ctx, infos, []string{"/shared/color", "/private/color"})
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for i := range infos {
		list, ok := lists[infos[i].ID]
		if !ok {
			continue
		}
		got += infos[i].Name[strings.LastIndexByte(infos[i].Name, '/')+1:]
		for _, a := range list {
			got += fmt.Sprintf(" %s=%q", a.Entry, a.Value)
		}
		got += "\n"
	}
	want := `INBOX /shared/color="" /private/color=""
Mine /shared/color="blue" /private/color="green"
Box /shared/color="red" /private/color=""
`
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}
