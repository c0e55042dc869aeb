package mailstore

import (
	"context"
	"strings"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/notify"
)

// SetAnnotationsOptions says who sets annotations.
type SetAnnotationsOptions struct {
	Administrator bool // may set what the server shares
}

// SetAnnotations changes annotations of a mailbox, or with "" of the server: all or none; a nil value removes one. Private ones
// need the rights that User.Annotations needs, shared ones RightLookup and RightWrite: who may only read changes nothing for others.
// What the server shares is set by administrators; AdminEntry by nobody. NotFound, Permission, Invalid (an entry's name), TooBig,
// Limit.
func (u *User) SetAnnotations(ctx context.Context, mailbox string, changes []Annotation, o SetAnnotationsOptions) error {
	const op = "mailstore.SetAnnotations"
	req := metadata.SetAnnotations{Account: u.account, Mailbox: metadata.ServerAnnotations}
	shared, private, admin := false, false, false
	for _, c := range changes {
		name, err := canonicalEntry(c.Entry)
		if err == nil && !IsAnnotation(name) {
			err = errEntry("the entry's name is not complete")
		}
		if err != nil {
			return wrap(op, err)
		}
		own := metadata.IsPrivateAnnotation(name)
		shared, private = shared || !own, private || own
		admin = admin || name == AdminEntry
		req.Changes = append(req.Changes, metadata.AnnotationChange{Entry: name, Value: c.Value})
	}
	if mailbox == "" {
		switch {
		case admin:
			return mailerr.New(op, mailerr.Permission, "the entry cannot be changed")
		case shared && !o.Administrator:
			return mailerr.New(op, mailerr.Permission, "shared entries of the server are set by administrators")
		}
		if err := u.store.meta.SetAnnotations(ctx, req); err != nil {
			return wrap(op, err)
		}
		u.annotated(shared, private, everybody)
		return nil
	}
	m, err := u.locate(ctx, mailbox, 0)
	if err == nil {
		err = m.mayAnnotate(op)
	}
	if err == nil && shared {
		err = m.check(op, metadata.RightWrite)
	}
	if err != nil {
		return wrap(op, err)
	}
	req.Mailbox, req.Owner = m.ID, m.Account
	if err := u.store.meta.SetAnnotations(ctx, req); err != nil {
		return wrap(op, err)
	}
	u.annotated(shared, private, m.Account)
	return nil
}

// annotated tells those who may see annotations that have changed: the user, and for shared ones whoever listens to hints of an
// account.
func (u *User) annotated(shared, private bool, account metadata.AccountID) {
	var hints []notify.Hint
	if shared {
		hints = append(hints, listHint(account))
	}
	if private && !(shared && account == u.account) {
		hints = append(hints, listHint(u.account))
	}
	if len(hints) > 0 {
		u.store.publish(hints...)
	}
}

// CheckEntry returns an error of kind Invalid for what is no entry's name by RFC 5464 section 3.2, nor the beginning of one.
func CheckEntry(entry string) error {
	_, err := canonicalEntry(entry)
	return err
}

// IsAnnotation reports whether a valid entry's name has the levels that one with a value has: "/shared/vendor/token" has no value,
// but others below it.
func IsAnnotation(entry string) bool {
	levels := strings.Split(strings.ToLower(entry), "/")[1:]
	if len(levels) >= 2 && levels[1] == "vendor" {
		return len(levels) >= 4
	}
	return len(levels) >= 2
}

// canonicalEntry returns an entry's name in lower case: case does not matter.
func canonicalEntry(entry string) (string, error) {
	if len(entry) > metadata.MaxAnnotationName {
		return "", errEntry("the entry's name is too long")
	}
	for i := range len(entry) {
		if c := entry[i]; c < ' ' || c > '~' || c == '*' || c == '%' {
			return "", errEntry("the entry's name has a character that is not allowed")
		}
	}
	name := strings.ToLower(entry)
	switch {
	case name != metadata.PrivateAnnotations && !strings.HasPrefix(name, metadata.PrivateAnnotations+"/") &&
		name != metadata.SharedAnnotations && !strings.HasPrefix(name, metadata.SharedAnnotations+"/"):
		return "", errEntry("the entry's name begins with neither /private nor /shared")
	case strings.HasSuffix(name, "/"), strings.Contains(name, "//"):
		return "", errEntry("the entry's name has an empty level")
	}
	return name, nil
}

func errEntry(text string) error { return mailerr.New("mailstore.entry", mailerr.Invalid, text) }
