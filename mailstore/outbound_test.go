package mailstore_test

import (
	"io"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// TestOutboundSharesThePack proves that a message that is both sent on and delivered is stored once, and read back whole.
func TestOutboundSharesThePack(t *testing.T) {
	for _, size := range []int{100, 300 << 10, 5 << 20} {
		c := newCluster(t)
		s := c.node(nil)
		a := c.account("Copies")
		text := mail("out") + incompressible(size)
		st := c.stage(s, text)
		if got, err := io.ReadAll(io.NewSectionReader(st.Open(c.ctx, a), 0, st.Size())); err != nil || string(got) != text {
			t.Fatalf("%d bytes: the staged message reads %d bytes, %v", size, len(got), err)
		}
		if !strings.HasPrefix(text, string(st.Head())) || !strings.Contains(string(st.Head()), "Subject: out\r\n\r\n") {
			t.Fatalf("head is %q", st.Head()[:min(100, len(st.Head()))])
		}
		body, pack, err := st.Outbound(c.ctx, a)
		if err != nil {
			t.Fatal(err)
		}
		if body.InPack() != (size > 64<<10) || (pack != nil) != body.InPack() {
			t.Fatalf("%d bytes: in a pack is %v", size, body.InPack())
		}
		body.Prefix = []byte("X-Prefix: 1\r\n")
		prefix := []byte("Delivered-To: a\r\n")
		for _, d := range s.Deliver(c.ctx, st, []mailstore.Recipient{{Account: a, Prefix: prefix}, {Account: a, Mailbox: "Copies", Prefix: prefix}}) {
			if d.Err != nil {
				t.Fatal(d.Err)
			}
		}
		if keys := packKeys(c); len(keys) != 1 {
			t.Fatalf("%d bytes: %d packs", size, len(keys))
		}
		got, err := io.ReadAll(s.OpenOutbound(c.ctx, &body))
		if err != nil || string(got) != "X-Prefix: 1\r\n"+text {
			t.Fatalf("%d bytes: %d came back, %v", size, len(got), err)
		}
		u := s.User(a)
		var ids []metadata.BodyID
		for _, box := range []string{"INBOX", "Copies"} {
			sel := c.open(u, box)
			if got := c.text(sel, 1); got != string(prefix)+text {
				t.Fatalf("%s has another message", box)
			}
			_, msgs, err := c.meta.LoadMailbox(c.ctx, sel.Mailbox().ID)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, msgs[0].Body)
		}
		if ids[0] != ids[1] {
			t.Fatal("one message in two mailboxes has two bodies")
		}
	}
}

func incompressible(n int) string {
	var b strings.Builder
	x := uint32(1)
	for b.Len() < n {
		x = x*1664525 + 1013904223
		b.WriteByte("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/"[x>>26])
		if b.Len()%76 == 75 {
			b.WriteString("\r\n")
		}
	}
	return b.String()
}
