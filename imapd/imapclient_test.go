package imapd

import (
	"bytes"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// A client that nobody here wrote understands what is said.
func TestForeignClient(t *testing.T) {
	e := newEnv(t)
	e.account(t, user)
	for _, m := range []string{
		nested,
		"From: \"\xe4\xf6\" <a@b.example>\r\nTo: undisclosed-recipients:;\r\nSubject: 8-bit \xfc \"quoted\\\"\r\nContent-Type: text/html\r\n\r\n<p>",
		"",
		"\r\n\r\n",
		raw("Content-Type: multipart/mixed; boundary=x", "", "--x--"),
		raw("Content-Type: message/rfc822", "", "Content-Type: message/rfc822", "", "Subject: deep", "", "text"),
		raw("Content-Type: message/global", "", "Subject: g", "", "text"),
	} {
		e.deliver(t, "INBOX", m)
	}
	e.start(t, nil)
	c := imapclient.New(e.dial(t), nil)
	defer c.Close()
	if err := c.Login(user, password).Wait(); err != nil {
		t.Fatal(err)
	}
	box, err := c.Select("INBOX", nil).Wait()
	if err != nil || box.NumMessages != 7 {
		t.Fatalf("%+v, %v", box, err)
	}
	whole := &imap.FetchItemBodySection{Peek: true}
	header := &imap.FetchItemBodySection{Specifier: imap.PartSpecifierHeader, Peek: true}
	text := &imap.FetchItemBodySection{Specifier: imap.PartSpecifierText}
	got, err := c.Fetch(imap.SeqSet{{Start: 1, Stop: 0}}, &imap.FetchOptions{
		BodyStructure: &imap.FetchItemBodyStructure{Extended: true},
		Envelope:      true, Flags: true, InternalDate: true, RFC822Size: true, UID: true, ModSeq: true,
		BodySection: []*imap.FetchItemBodySection{whole, header, text},
	}).Collect()
	if err != nil || len(got) != 7 {
		t.Fatalf("%d messages, %v", len(got), err)
	}
	for _, m := range got {
		body := m.FindBodySection(whole)
		if int64(len(body)) != m.RFC822Size {
			t.Errorf("message %d: %d bytes, RFC822.SIZE %d", m.SeqNum, len(body), m.RFC822Size)
		}
		if both := append(bytes.Clone(m.FindBodySection(header)), m.FindBodySection(text)...); !bytes.Equal(both, body) {
			t.Errorf("message %d: header and text are not the message", m.SeqNum)
		}
		if m.BodyStructure == nil || m.Envelope == nil || m.ModSeq == 0 || !m.InternalDate.Equal(testTime) {
			t.Errorf("message %d: %+v", m.SeqNum, m)
		}
	}
	if p, ok := got[0].BodyStructure.(*imap.BodyStructureMultiPart); !ok || len(p.Children) != 2 {
		t.Errorf("structure %+v", got[0].BodyStructure)
	}

	found, err := c.Search(&imap.SearchCriteria{
		Or: [][2]imap.SearchCriteria{{{Body: []string{"PART 2.2"}}, {Header: []imap.SearchCriteriaHeaderField{{Key: "Subject", Value: "8-bit"}}}}},
	}, &imap.SearchOptions{ReturnAll: true, ReturnCount: true}).Wait()
	if err != nil || found.Count != 2 || found.All.String() != "1:2" {
		t.Errorf("%+v, %v", found, err)
	}
	copied, err := c.Copy(imap.UIDSetNum(1, 3), "Trash").Wait()
	if err != nil || copied.SourceUIDs.String() != "1,3" || copied.DestUIDs.String() != "1:2" {
		t.Errorf("%+v, %v", copied, err)
	}
	if _, err := c.Move(imap.UIDSetNum(2), "Trash").Wait(); err != nil {
		t.Error(err)
	}
	if err := c.Store(imap.SeqSetNum(1, 2), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close(); err != nil {
		t.Error(err)
	}
	if seqs, err := c.UIDExpunge(imap.UIDSetNum(3)).Collect(); err != nil || len(seqs) != 1 || seqs[0] != 2 {
		t.Errorf("expunged %v, %v", seqs, err)
	}
	if err := c.Logout().Wait(); err != nil {
		t.Error(err)
	}
}
