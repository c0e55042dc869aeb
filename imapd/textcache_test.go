package imapd

import (
	"bytes"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/metadata"
)

// The cache returns what was put in, or nothing, and keeps to its budget.
func TestTextCache(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	const budget = 40 << 10
	cache := newTextCache(budget)
	textOf := func(box byte, uid metadata.UID) []byte {
		return fmt.Appendf(nil, "(%d %d %s)", box, uid, strings.Repeat("x", int(uid%97)))
	}
	found := 0
	for range 3000 {
		box := byte(rnd.IntN(3))
		mailbox := metadata.MailboxID{box}
		form := textForm{kind: fetchEnvelope, rev2: rnd.IntN(2) == 0}
		var texts []keptText
		for uid := metadata.UID(rnd.IntN(2000)); uid < 2500 && len(texts) < 400; uid += metadata.UID(1 + rnd.IntN(9)) {
			texts = append(texts, keptText{uid, textOf(box, uid)})
		}
		cache.put(mailbox, form, texts)
		if cache.size() > budget {
			t.Fatalf("%d bytes are kept", cache.size())
		}
		for _, text := range texts {
			got := cache.get(textChunkID{mailbox, text.uid / textChunkUIDs, form}).of(text.uid)
			if got != nil {
				found++
			}
			if got != nil && !bytes.Equal(got, text.text) {
				t.Fatalf("%d: %s", text.uid, got)
			}
		}
		other := form
		other.kind = fetchBody
		if cache.get(textChunkID{mailbox, texts[0].uid / textChunkUIDs, other}) != nil {
			t.Fatal("a text of another form")
		}
	}
	if found == 0 {
		t.Error("nothing is kept")
	}
	sum := int64(0)
	for e := cache.order.Front(); e != nil; e = e.Next() {
		sum += e.Value.(*textChunk).size()
	}
	if sum != cache.size() || len(cache.chunks) != cache.order.Len() {
		t.Errorf("%d bytes are counted, %d kept in %d of %d chunks", cache.size(), sum, cache.order.Len(), len(cache.chunks))
	}
}

// oddMessages have what is hard to write.
func oddMessages(t testing.TB) []string {
	messages := []string{
		raw("From: =?utf-8?q?J=C3=B6rg?= <j@example.org>", "Subject: r\xe9sum\xe9 \"quoted\\\"", "To: J\u00f6rg <j\u00f6rg@example.org>", "", "x"),
		raw("From: a@example.org", "Subject: "+strings.Repeat("long ", 1000), "", "x"),
		raw("Subject: nul\x00inside", "From: <>, group: a@b, c@d;, \"x\x00y\" <e@f>", "", "x"),
		raw("X: y", "", "nothing to say"),
		raw("From: a@example.org", "To: "+strings.Repeat("someone <someone@example.org>, ", 300)+"b@example.org", "", "x"),
	}
	names, err := filepath.Glob("../message/testdata/*.eml")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, string(b))
	}
	return messages
}

// What FETCH says is, byte for byte, the same whether it was kept, is kept now, or is never kept.
func TestFetchFromTextCache(t *testing.T) {
	b := newBed(t)
	b.append(oddMessages(t)...)
	b.session("SELECT INBOX") // has seen what is recent
	bare := &bed{env: &env{store: b.store}, t: t, user: b.user}
	var err error
	bare.srv, err = New(Config{Store: b.store, Directory: b.local, Log: slog.New(slog.DiscardHandler), TextBytes: -1})
	if err != nil {
		t.Fatal(err)
	}
	for _, setup := range [][]string{nil, {"ENABLE UTF8=ACCEPT"}, {"ENABLE IMAP4rev2"}} {
		setup = append(setup, "SELECT INBOX")
		plain := bare.session(setup...)
		for _, command := range []string{
			"FETCH 1:* ENVELOPE", "UID FETCH 2:* (FLAGS ENVELOPE)", "FETCH 1:* FULL", "FETCH 1:* (BODYSTRUCTURE UID)",
			"FETCH 3:* (ENVELOPE BODY.PEEK[HEADER.FIELDS (SUBJECT)])", "FETCH 1:* (BODYSTRUCTURE PREVIEW ENVELOPE)",
			"FETCH 1:* (ENVELOPE BODY.PEEK[1])", "FETCH 1:* (ENVELOPE EMAILID THREADID)",
		} {
			want := plain.do(command)
			for _, c := range []*tester{b.session(setup...), b.session(setup...)} {
				if got := c.do(command); got != want {
					t.Errorf("%v, %s: got\n%s\nwant\n%s", setup, command, got, want)
				}
			}
		}
	}
	if b.srv.texts.size() == 0 || bare.srv.texts.size() != 0 {
		t.Errorf("%d and %d bytes are kept", b.srv.texts.size(), bare.srv.texts.size())
	}

	// What came later is there, and what is gone is not, whatever is kept.
	c := b.session("SELECT INBOX")
	b.append(raw("Subject: late", "", "x"))
	c.do("NOOP")
	if got := c.do("FETCH * ENVELOPE"); !strings.Contains(got, `"late"`) {
		t.Errorf("got %s", got)
	}
	c.do("STORE 2 +FLAGS.SILENT (\\Deleted)")
	c.do("EXPUNGE")
	if got := c.do("FETCH 2 (UID ENVELOPE)"); !strings.HasPrefix(got, "* 2 FETCH (UID 3 ") {
		t.Errorf("got %s", got)
	}
	if got := c.do("UID FETCH 2 ENVELOPE"); strings.Contains(got, "FETCH (") {
		t.Errorf("got %s", got)
	}
}
