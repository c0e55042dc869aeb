package main

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// Messages that came from another server have their unique-ids in UIDL, the others ours.
func TestImportUIDL(t *testing.T) {
	s := newShell(t)
	if o := s.run("secret\n", "account", "add", "alice", "--password-stdin"); o.code != 0 {
		t.Fatalf("%+v", o)
	}
	srv := s.serve()
	for i := range 3 {
		s.ok("deliver", "--server", srv.lmtp, "--to", "alice", s.write("m", fmt.Sprintf("Message-ID: <%d@example.org>\r\n\r\n", i)))
	}
	list := s.write("list", "old-0\t<0@example.org>\nold-1\t2\nold-9\t<9@example.org>\n")
	if out := s.ok("account", "import-uidl", "--dry-run", "alice", list); !strings.HasPrefix(out, "2 of 3 messages would have") {
		t.Errorf("%q", out)
	}
	for range 2 {
		if out := s.ok("account", "import-uidl", "alice", list); !strings.HasPrefix(out, "2 of 3 messages have their unique-ids") {
			t.Errorf("%q", out)
		}
	}
	other := s.write("other", "new-0\t<0@example.org>\nold-0\t<2@example.org>\n")
	for _, args := range [][]string{{"--dry-run", "alice", other}, {"alice", other}} {
		if out := s.ok(append([]string{"account", "import-uidl"}, args...)...); !strings.HasPrefix(out, "0 of 3") {
			t.Errorf("%q", out)
		}
	}
	if got := uidlOf(t, srv.pop3, "secret"); len(got) != 3 || got[0] != "1 old-0" || got[1] != "2 old-1" || len(got[2]) != 34 {
		t.Errorf("UIDL says %q", got)
	}
	if out := s.ok("account", "import-uidl", "--forget", "alice", other); !strings.HasPrefix(out, "2 of 3") {
		t.Errorf("%q", out)
	}
	if got := uidlOf(t, srv.pop3, "secret"); len(got) != 3 || got[0] != "1 new-0" || got[2] != "3 old-0" {
		t.Errorf("UIDL says %q", got)
	}
	s.fails(1, "there is no account", "account", "import-uidl", "nobody", list)
	s.fails(2, "no such file", "account", "import-uidl", "alice", "nowhere")
	s.fails(2, "line 1: ", "account", "import-uidl", "alice", s.write("bad", "nonsense\n"))
}

func uidlOf(t *testing.T, addr, password string) []string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Minute))
	fmt.Fprintf(c, "USER alice\r\nPASS %s\r\nUIDL\r\nQUIT\r\n", password)
	var lines []string
	for in := bufio.NewScanner(c); in.Scan(); {
		switch line := in.Text(); {
		case strings.HasPrefix(line, "-ERR"):
			t.Fatal(line)
		case line != "." && !strings.HasPrefix(line, "+OK"):
			lines = append(lines, line)
		}
	}
	return lines
}
