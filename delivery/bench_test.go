package delivery

import (
	"context"
	"io"
	"log/slog"
	"testing"

	"github.com/rookery-mail/rookery/metadata"
)

// noAdminScripts is a metadata store of an administrator without scripts.
type noAdminScripts struct{ metadata.Store }

func (noAdminScripts) AdminScriptStates(context.Context) (map[metadata.ScriptOwner]metadata.ScriptState, error) {
	return map[metadata.ScriptOwner]metadata.ScriptState{}, nil
}

// BenchmarkNoScripts is what an account without scripts pays for each message.
func BenchmarkNoScripts(b *testing.B) {
	cfg, err := Config{Store: noStore{}, Metadata: noAdminScripts{}, Queue: noQueue{}, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}.withDefaults()
	if err != nil {
		b.Fatal(err)
	}
	s := newScripts(cfg)
	a := &metadata.Account{Address: "user@example.org"}
	var head []byte
	for range 30 {
		head = append(head, "Received: from a.example.net (a.example.net [192.0.2.1]) by b.example.org with ESMTPS id 1234\r\n"...)
	}
	head = append(head, "Subject: x\r\n\r\n"...)
	b.ReportAllocs()
	for b.Loop() {
		if c, err := s.chain(b.Context(), a, head); err != nil || len(c.scripts) != 0 {
			b.Fatal(err)
		}
	}
}

type noStore struct{ Store }

type noQueue struct{}

func (noQueue) Enqueue(context.Context, []metadata.Enqueue) ([]bool, error) { return nil, nil }
func (noQueue) Sends() bool                                                 { return true }
