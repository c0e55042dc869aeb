package bench

import (
	"bufio"
	"strings"
	"testing"
)

func TestPOP3Lines(t *testing.T) {
	long := strings.Repeat("x", 200) + ".\r\n"
	c := &pop3Client{r: bufio.NewReaderSize(strings.NewReader("one\r\n..\r\n"+long+".\r\n+OK\r\n-ERR no\r\n"), 16)}
	n, octets, err := c.lines()
	if n != 3 || octets != int64(len("one\r\n..\r\n"+long)) || err != nil {
		t.Errorf("%d lines, %d octets, %v", n, octets, err)
	}
	if _, err := c.reply(); err != nil {
		t.Error(err)
	}
	if _, err := c.reply(); err == nil {
		t.Error("-ERR is no error")
	}
	if _, _, err := c.lines(); err == nil {
		t.Error("a reply without its end")
	}
}
