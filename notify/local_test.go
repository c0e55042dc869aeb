package notify_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/rookery-mail/rookery/notify"
	"github.com/rookery-mail/rookery/notify/notifytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLocal(t *testing.T) {
	notifytest.Run(t, func(*testing.T) notify.Notifier { return notify.NewLocal() })
}

func BenchmarkLocalPublish(b *testing.B) {
	n := notify.NewLocal()
	h := notify.Hint{Account: [16]byte{1}, ModSeq: 1}
	defer n.Subscribe(h.Account, func(notify.Hint) {}).Close()
	b.ReportAllocs()
	for b.Loop() {
		n.Publish(b.Context(), h)
	}
}
