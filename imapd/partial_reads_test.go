package imapd

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestPartialFetchReadsLittle counts the bytes asked of the object store: a range of a large part costs the frames it is in.
func TestPartialFetchReadsLittle(t *testing.T) {
	const size = 22 << 20 // 30 MB in base64
	data := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(data)
	var m strings.Builder
	m.WriteString("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nsee attachment\r\n" +
		"--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n")
	m.WriteString(base64Lines(data))
	m.WriteString("\r\n--b--\r\n")
	b := newBed(t)
	b.append(m.String())
	c := b.session("SELECT INBOX")
	for _, item := range []string{
		"BODY.PEEK[2]<0.65536>", "BINARY.PEEK[2]<0.65536>", "BODY.PEEK[1]", "BODY.PEEK[2.MIME]", "BODY.PEEK[HEADER]", "BODYSTRUCTURE",
		"BODY.PEEK[2]<20000000.65536>", "BINARY.PEEK[2]<65536.65536>", "BINARY.PEEK[2]<131072.65536>", "BODY.PEEK[]<29000000.65536>",
	} {
		before := b.reads.Totals().Read.Bytes
		got := c.doRaw("FETCH 1 " + item)
		if !strings.HasSuffix(string(got), " OK FETCH completed\r\n") {
			t.Fatalf("%s: %.200q", item, got)
		}
		if strings.Contains(item, "65536>") && len(got) < 65536 {
			t.Errorf("%s: %d bytes", item, len(got))
		}
		var from int
		if n, _ := fmt.Sscanf(item, "BINARY.PEEK[2]<%d.", &from); n == 1 && !strings.Contains(string(got), string(data[from:from+65536])) {
			t.Errorf("%s: other bytes", item)
		}
		if read := b.reads.Totals().Read.Bytes - before; read > 1<<20 {
			t.Errorf("%s reads %d bytes of the object store", item, read)
		}
	}
}
