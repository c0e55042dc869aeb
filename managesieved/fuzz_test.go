package managesieved

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// FuzzSession sends anything, before and after a login. The server must not panic, must answer LOGOUT at the end unless it ended
// the connection itself, and must never take what is inside a literal for a command.
func FuzzSession(f *testing.F) {
	login := `AUTHENTICATE "PLAIN" "` + base64.StdEncoding.EncodeToString([]byte("\x00anna\x00"+password)) + "\"\r\n"
	for _, s := range []string{
		"CAPABILITY\r\n", "NOOP {5+}\r\nabcde\r\n", "PUTSCRIPT \"a\" {8192+}\r\n" + strings.Repeat("#", 8192) + "\r\n", "NOOP {4294967295+}\r\n", "NOOP {99999999999999999999+}\r\n",
		"NOOP \"{5+}\r\nNOOP\r\n", "NOOP\rNOOP\n", "\x00\r\n", "NOOP \"\\\r\n", strings.Repeat("A", 70_000) + "\r\n", "A " + strings.Repeat("x", 5000) + "{3+}\r\nabc\r\n",
		"AUTHENTICATE \"PLAIN\"\r\n{3+}\r\nabc\r\n", "UNAUTHENTICATE\r\nLISTSCRIPTS\r\n", "PUTSCRIPT \"a\" \"keep;\"\r\nSETACTIVE \"a\"\r\nGETSCRIPT \"a\"\r\n", "HAVESPACE \"x\" 99999999999999999999\r\n",
		"CHECKSCRIPT {12+}\r\nif not (((((\r\n", "RENAMESCRIPT \"a\" \"b\"\r\nDELETESCRIPT \"b\"\r\n",
	} {
		f.Add(s, false)
		f.Add(s, true)
	}
	e := newEnv(f)
	e.start(f, func(cfg *Config) { cfg.TLS = nil })
	f.Fuzz(func(t *testing.T, input string, loggedIn bool) {
		conn, err := net.Dial("tcp", e.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(patience))
		if loggedIn {
			input = login + input
		}
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			// A connection that the server ends early is no fault.
			_, _ = io.WriteString(conn, input+"\r\nLOGOUT\r\n")
			_ = conn.(*net.TCPConn).CloseWrite()
		}()
		all, err := io.ReadAll(bufio.NewReader(conn))
		<-sent
		if err != nil && !strings.Contains(err.Error(), "reset") {
			t.Fatalf("%v after %q", err, all)
		}
		if bytes.Contains(all, []byte("Internal error")) {
			t.Fatalf("panic: %q", all)
		}
	})
}
