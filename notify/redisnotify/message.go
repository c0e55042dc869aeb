package redisnotify

import (
	"encoding/binary"
	"encoding/hex"

	"github.com/rookery-mail/rookery/notify"
)

// A message is version byte 1, node tag, account, and for each hint mailbox and MODSEQ (uvarint). Other versions and anything
// malformed are ignored, so that versions of Rookery may share a Redis.
const messageVersion = 1

type nodeTag [8]byte

const messageHead = 1 + len(nodeTag{}) + 16

func channelName(account [16]byte) string {
	const head, tail = "rookery:{", "}"
	b := make([]byte, 0, len(head)+2*len(account)+len(tail))
	b = append(b, head...)
	b = hex.AppendEncode(b, account[:])
	return string(append(b, tail...))
}

func appendHead(dst []byte, node nodeTag, account [16]byte) []byte {
	dst = append(dst, messageVersion)
	dst = append(dst, node[:]...)
	return append(dst, account[:]...)
}

func appendHint(dst []byte, mailbox [16]byte, modseq uint64) []byte {
	dst = append(dst, mailbox[:]...)
	return binary.AppendUvarint(dst, modseq)
}

// parseMessage calls yield for every hint of a message. It reports who sent it; ok is false for anything malformed, and then
// yield was not called.
func parseMessage(m string, yield func(notify.Hint)) (from nodeTag, ok bool) {
	if len(m) < messageHead || m[0] != messageVersion {
		return from, false
	}
	copy(from[:], m[1:])
	var account [16]byte
	copy(account[:], m[1+len(from):])
	hints := m[messageHead:]
	for _, pass := range []func(notify.Hint){func(notify.Hint) {}, yield} { // the first only checks
		for rest := hints; len(rest) > 0; {
			h := notify.Hint{Account: account}
			if copy(h.Mailbox[:], rest) < len(h.Mailbox) {
				return from, false
			}
			rest = rest[len(h.Mailbox):]
			v, n := binary.Uvarint([]byte(rest[:min(len(rest), binary.MaxVarintLen64)]))
			if n <= 0 {
				return from, false
			}
			h.ModSeq, rest = v, rest[n:]
			pass(h)
		}
	}
	return from, true
}
