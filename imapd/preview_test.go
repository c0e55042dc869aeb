package imapd

import (
	"strings"
	"testing"
)

// The text of a large message that stands behind an attachment is read when it is asked for.
func TestPreviewOfLargeMessage(t *testing.T) {
	b := newBed(t)
	attachment := strings.Repeat(strings.Repeat("x", 76)+"\r\n", 5<<20/78)
	b.append(
		raw("Content-Type: multipart/mixed; boundary=b", "", "--b", "Content-Type: application/pdf", "", attachment+"--b", "", "Here it is", "--b--"),
		raw("Content-Type: multipart/mixed; boundary=b", "", "--b", "", "Here it is", "--b", "Content-Type: application/pdf", "", attachment+"--b--"),
	)
	c := b.session("SELECT INBOX")
	c.expect("FETCH 1:2 PREVIEW (LAZY)", `* 1 FETCH (PREVIEW NIL)
* 2 FETCH (PREVIEW "Here it is")
OK FETCH completed`)
	c.expect("FETCH 1:2 (PREVIEW)", `* 1 FETCH (PREVIEW "Here it is")
* 2 FETCH (PREVIEW "Here it is")
OK FETCH completed`)
}
