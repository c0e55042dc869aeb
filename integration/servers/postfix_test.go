package servers

import (
	"bufio"
	"net"
	"strings"
	"testing"
)

func TestPostfixGreets(t *testing.T) {
	_, addr := StartPostfix(t, "example.test", "127.0.0.1:1")
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "220 ") {
		t.Errorf("greeting %q, %v", line, err)
	}
}
