package bench

import (
	"bufio"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/flate"
)

func TestLiteral(t *testing.T) {
	for _, c := range []struct {
		line string
		n    int64
		ok   bool
	}{
		{"* 1 FETCH (BODY[] {12}\r\n", 12, true},
		{"* 1 FETCH (FLAGS ())\r\n", 0, false},
		{"{}\r\n", 0, false},
		{"x}\r\n", 0, false},
		{"* 2 FETCH (BODY[] {0}\n", 0, true},
	} {
		if n, ok := literal([]byte(c.line)); n != c.n || ok != c.ok {
			t.Errorf("literal(%q) = %d, %v", c.line, n, ok)
		}
	}
}

func TestFinishCountsResponsesNotLiterals(t *testing.T) {
	long := strings.Repeat("x", 10000)
	in := "* 3 EXISTS\r\n* 1 FETCH (BODY[] {20}\r\n* 9 EXISTS\r\nb1 OK no\r\n FLAGS ())\r\n* OK " + long + "\r\nb1 OK done\r\n"
	c := &imapClient{r: bufio.NewReaderSize(strings.NewReader(in), 64)}
	a, err := c.finish("b1")
	if err != nil {
		t.Fatal(err)
	}
	if a.untagged != 3 || a.exists != 3 || a.bytes != int64(len(in)) {
		t.Errorf("got %+v, %d bytes were sent", a, len(in))
	}
	c = &imapClient{r: bufio.NewReader(strings.NewReader("b1 NO [LIMIT] too much\r\n"))}
	if _, err := c.finish("b1"); err == nil || !strings.Contains(err.Error(), "too much") {
		t.Errorf("err = %v", err)
	}
}

func TestAnswerOfSelect(t *testing.T) {
	c := &imapClient{r: bufio.NewReader(strings.NewReader("* 12 EXISTS\r\n* OK [UIDVALIDITY 3] x\r\n* OK [UIDNEXT 44] x\r\n" +
		"* OK [HIGHESTMODSEQ 555] x\r\n* OK [UNSEEN] x\r\nt OK done\r\n"))}
	a, err := c.finish("t")
	if err != nil || a.exists != 12 || a.uidValidity != 3 || a.uidNext != 44 || a.highestModSeq != 555 {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestStoredConn(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	sent := strings.Repeat("0123456789", 20_000)
	go func() {
		for _, part := range []string{sent, "i IDLE\r\n"} {
			if n, err := (storedConn{client}).Write([]byte(part)); err != nil || n != len(part) {
				t.Errorf("%d of %d bytes written, %v", n, len(part), err)
			}
		}
		client.Close()
	}()
	got, err := io.ReadAll(flate.NewReader(server))
	if !errors.Is(err, io.ErrUnexpectedEOF) || string(got) != sent+"i IDLE\r\n" { // DEFLATE has no end here
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestMessage(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{400, 4096, 100000} {
		m := Message(rnd, "a@b", "c@d", size)
		if size > 1000 {
			header, text := NewMessages(rnd, size).Append(nil, "a@b", "c@d")
			m = append(header, text...)
		}
		if len(m) < size-300 || len(m) > size+300 {
			t.Errorf("%d bytes for %d", len(m), size)
		}
		for _, line := range strings.SplitAfter(string(m), "\n") {
			if line != "" && (!strings.HasSuffix(line, "\r\n") || line[0] == '.' || len(line) > 998) {
				t.Errorf("line %q", line)
			}
		}
	}
}

func TestPercentile(t *testing.T) {
	var ds []time.Duration
	for i := 100; i >= 1; i-- {
		ds = append(ds, time.Duration(i)*time.Millisecond)
	}
	if p := percentile(ds, 50); p != 51 {
		t.Errorf("p50 = %v", p)
	}
	if p := percentile(ds, 99); p != 100 {
		t.Errorf("p99 = %v", p)
	}
	if percentile(nil, 50) != 0 {
		t.Error("percentile of nothing")
	}
}
