package imapd

import (
	"context"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

var listCommand = command{
	name:   "LIST",
	order:  beside(mailboxes|annotations, 0),
	states: loggedIn,
	parse:  parseList,
}

// list is LIST (RFC 3501 section 6.3.8), with LIST-EXTENDED (RFC 5258), SPECIAL-USE (RFC 6154), LIST-STATUS (RFC 5819),
// LIST-MYRIGHTS (RFC 8440), LIST-METADATA (RFC 9590) and CHILDREN (RFC 3348). Attributes for children and special use are always told.
type list struct {
	patterns []*pattern
	root     bool // LIST "" "": asks for the delimiter
	extended bool // any of RFC 5258's syntax is used

	selectSubscribed, selectSpecialUse, recursive bool

	returnSubscribed bool
	returnMyRights   bool
	statusItems      []string
	entries          []string // METADATA (RFC 9590)
	oldName          string   // of OLDNAME (RFC 9051 section 6.3.9.7); "" for none
}

func (cmd *list) run(ctx context.Context, s *session) error {
	if cmd.root {
		s.w.Raw(`* LIST (\Noselect) "/" ""` + "\r\n")
		return nil
	}
	cmd.extended = cmd.extended || s.rev2
	infos, err := s.user.List(ctx)
	if err != nil {
		return err
	}
	metadataOf, err := cmd.annotations(ctx, s, infos)
	if err != nil {
		return err
	}
	var below map[string]bool
	if cmd.recursive {
		infos, below = withParents(infos, cmd.selects)
	}
	for i := range infos {
		info := &infos[i]
		childInfo := below[info.Name]
		if !(cmd.selects(info) || childInfo) || !matchAny(cmd.patterns, info.Name) {
			continue
		}
		cmd.write(s.w, info, childInfo)
		if cmd.returnMyRights && !info.NonExistent && cmd.selects(info) { // RFC 8440 section 4, second example
			s.writeMyRights(info.Name, info.Rights)
		}
		if cmd.statusItems != nil && info.Rights.Has(metadata.RightRead) && cmd.selects(info) { // RFC 5819 section 3, second example
			deleted, err := deletedStorage(ctx, s.user, &info.Mailbox, cmd.statusItems)
			if err != nil {
				return err
			}
			s.writeStatus(&info.Mailbox, cmd.statusItems, deleted)
		}
		if cmd.selects(info) { // not those that are listed only for what is below them
			s.writeMetadata(info.Name, metadataOf[info.ID])
		}
	}
	return nil
}

// annotations returns those that are asked for of the mailboxes that are listed, in one look-up.
func (cmd *list) annotations(ctx context.Context, s *session, infos []mailstore.MailboxInfo) (map[metadata.MailboxID][]mailstore.Annotation, error) {
	if cmd.entries == nil {
		return nil, nil
	}
	var listed []mailstore.MailboxInfo
	for i := range infos {
		if cmd.selects(&infos[i]) && matchAny(cmd.patterns, infos[i].Name) {
			listed = append(listed, infos[i])
		}
	}
	return s.user.ListAnnotations(ctx, listed, cmd.entries)
}

// selects applies the selection options. Without any, mailboxes and the names above them are meant, not names that are only
// subscribed to.
func (cmd *list) selects(info *mailstore.MailboxInfo) bool {
	if cmd.selectSubscribed && !info.Subscribed || cmd.selectSpecialUse && info.SpecialUse == "" {
		return false
	}
	return cmd.selectSubscribed || cmd.selectSpecialUse || !info.NonExistent || info.HasChildren
}

// write writes the LIST response.
func (cmd *list) write(w *wire.Writer, info *mailstore.MailboxInfo, childInfo bool) {
	w.Raw("* LIST (")
	switch {
	case info.NonExistent && cmd.extended:
		w.Raw(`\NonExistent `)
	case info.NonExistent, cmd.statusItems != nil && !info.Rights.Has(metadata.RightRead): // RFC 5819 section 2
		w.Raw(`\Noselect `)
	}
	if info.HasChildren {
		w.Raw(`\HasChildren`)
	} else {
		w.Raw(`\HasNoChildren`)
	}
	if info.Subscribed && (cmd.returnSubscribed || cmd.selectSubscribed) {
		w.Raw(` \Subscribed`)
	}
	if info.SpecialUse != "" {
		w.SP().Raw(info.SpecialUse)
	}
	w.Raw(`) "/" `).Mailbox(info.Name)
	if cmd.oldName != "" {
		w.Raw(` ("OLDNAME" (`).Mailbox(cmd.oldName).Raw("))")
	}
	if childInfo {
		w.Raw(` ("CHILDINFO" (`)
		if cmd.selectSubscribed {
			w.Raw(`"SUBSCRIBED"`)
			if cmd.selectSpecialUse {
				w.SP()
			}
		}
		if cmd.selectSpecialUse {
			w.Raw(`"SPECIAL-USE"`)
		}
		w.Raw(`))`)
	}
	w.CRLF()
}

func matchAny(patterns []*pattern, name string) bool {
	for _, p := range patterns {
		if p.match(name) {
			return true
		}
	}
	return false
}
