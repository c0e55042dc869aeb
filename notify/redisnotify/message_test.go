package redisnotify

import (
	"slices"
	"testing"

	"github.com/rookery-mail/rookery/notify"
)

func TestChannelName(t *testing.T) {
	if got, want := channelName([16]byte{0xab, 15: 1}), "rookery:{ab000000000000000000000000000001}"; got != want {
		t.Errorf("channelName = %s, want %s", got, want)
	}
}

func TestMessageRoundTrip(t *testing.T) {
	node, account := nodeTag{1, 2}, [16]byte{3}
	want := []notify.Hint{{Account: account, Mailbox: [16]byte{4}, ModSeq: 1<<64 - 1}, {Account: account, ModSeq: 0}, {Account: account, Mailbox: [16]byte{5}, ModSeq: 300}}
	m := appendHead(nil, node, account)
	for _, h := range want {
		m = appendHint(m, h.Mailbox, h.ModSeq)
	}
	var got []notify.Hint
	from, ok := parseMessage(string(m), func(h notify.Hint) { got = append(got, h) })
	if !ok || from != node || !slices.Equal(got, want) {
		t.Errorf("parseMessage = %v, %v, %+v", from, ok, got)
	}
	// Every cut is either whole hints or nothing at all.
	for n := range m {
		got = nil
		_, ok := parseMessage(string(m[:n]), func(h notify.Hint) { got = append(got, h) })
		if !ok && len(got) > 0 || ok && !slices.Equal(got, want[:len(got)]) {
			t.Errorf("cut at %d: %v, %+v", n, ok, got)
		}
	}
}

func FuzzParseMessage(f *testing.F) {
	f.Add(string(appendHint(appendHead(nil, nodeTag{1}, [16]byte{2}), [16]byte{3}, 4)))
	f.Add("")
	f.Fuzz(func(t *testing.T, m string) {
		n := 0
		if _, ok := parseMessage(m, func(notify.Hint) { n++ }); !ok && n > 0 {
			t.Error("hints of a malformed message")
		}
	})
}
