package integration

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/smtp"
	"strings"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/integration/nodes"
	"github.com/rookery-mail/rookery/integration/servers"
	"github.com/rookery-mail/rookery/internal/listener/listenertest"
)

// TestLMTPClients delivers to one node by all the ways on which it is told who its clients are: PROXY headers of both versions,
// XCLIENT over TLS from the first byte, XFORWARD of a real Postfix. The Received fields say who they were, and the limit of
// messages a minute knows them.
func TestLMTPClients(t *testing.T) {
	const user = "user@example.test"
	c := nodes.NewCluster(t, nodes.Own{})
	s := &sieveSite{t: t, c: c}
	c.CLI("account", "import", s.write("accounts.csv", user+","+nodes.Password+"\n"))
	lmtps := listenertest.FreeAddr(t)
	env := []string{"ROOKERY_LMTPS_LISTEN=" + lmtps, "ROOKERY_PROXY_NETWORKS=127.0.0.0/8", "ROOKERY_LIMITS_MESSAGE_RATE=2",
		"ROOKERY_HOSTNAME=node.example.test"}
	proxied := c.Start(append(env, "ROOKERY_PROXY_LISTENERS=lmtp")...)

	deliver := func(conn *lmtpConn, token, want string) {
		t.Helper()
		replies, err := conn.deliver(testMessage(token, 3), user)
		if err != nil || len(replies) != 1 || !strings.HasPrefix(replies[0], want) {
			t.Errorf("%s: %q, %v", token, replies, err)
		}
	}
	proxy := func(header string) *lmtpConn {
		t.Helper()
		raw, err := net.Dial("tcp", proxied.LMTP)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { raw.Close() })
		if _, err := raw.Write([]byte(header)); err != nil {
			t.Fatal(err)
		}
		conn, err := beginLMTP(raw)
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	first := proxy("PROXY TCP4 192.0.2.7 192.0.2.1 4711 24\r\n")
	if line, err := first.cmd("XCLIENT ADDR=192.0.2.99"); err != nil || !strings.HasPrefix(line, "550 ") {
		t.Errorf("XCLIENT of a client that is not trusted: %q, %v", line, err)
	}
	deliver(first, "proxy-1", "250 ")
	second := proxy("\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x07\xc0\x00\x02\x01\x12\x67\x00\x18")
	deliver(second, "proxy-2", "250 ")
	deliver(second, "proxy-3", "451 4.7.1 ")
	deliver(proxy("PROXY TCP4 192.0.2.8 192.0.2.1 4711 24\r\n"), "proxy-4", "250 ")

	raw, err := tls.Dial("tcp", lmtps, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	inTLS, err := beginLMTP(raw)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"XCLIENT NAME=mx.example.net ADDR=192.0.2.20 HELO=mx", "LHLO mx.example.net", "XFORWARD ADDR=192.0.2.21 NAME=far.example.net HELO=far"} {
		if got, err := inTLS.cmd(line); err != nil || got[0] != '2' {
			t.Errorf("%s: %q, %v", line, got, err)
		}
	}
	deliver(inTLS, "xclient", "250 ")

	// Postfix hands over to a node without a proxy before it, and hears from a client with an address of its own.
	plain := c.Start("ROOKERY_HOSTNAME=node.example.test")
	postfix, addr := servers.StartPostfix(t, "example.test", plain.LMTP)
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	toPostfix, err := dialer.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	submit, err := smtp.NewClient(toPostfix, "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{submit.Hello("client.example.net"), submit.Mail("sender@example.org"), submit.Rcpt(user)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	w, err := submit.Data()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(testMessage("xforward", 3)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	_ = submit.Quit()

	want := map[string]string{
		"proxy-1":  "([192.0.2.7])\r\n\tby node.example.test (Rookery) with LMTP id",
		"proxy-2":  "([192.0.2.7])\r\n",
		"proxy-4":  "([192.0.2.8])\r\n",
		"xclient":  "(mx.example.net [192.0.2.20])\r\n\tby node.example.test (Rookery) with LMTPS id",
		"xforward": "\r\n\t(forwarded from client.example.net (", // and what the DNS says

	}
	nodes.Eventually(t, time.Minute, "all messages are there", func() error {
		conn, err := tryIMAP(plain.IMAP, user)
		if err != nil {
			return err
		}
		defer conn.Close()
		if bodies := conn.bodies(t, "INBOX"); len(bodies) < len(want) {
			return fmt.Errorf("%d of %d; Postfix: %s", len(bodies), len(want), postfix.Log())
		}
		return nil
	})
	for _, raw := range dialIMAP(t, plain.IMAP, user).bodies(t, "INBOX") {
		_, rest, _ := strings.Cut(raw, "Subject: ")
		token, _, _ := strings.Cut(rest, "\r\n")
		header, _, _ := strings.Cut(raw, "\r\n\r\n")
		if w, ok := want[token]; !ok || !strings.Contains(header, w) {
			t.Errorf("%s: want %q in\n%s", token, w, header)
		}
		if rookery, _, _ := strings.Cut(header, "\r\nReceived: from client"); token == "xforward" && !strings.Contains(rookery, "[127.0.0.2]) id ") {
			t.Errorf("the address of Postfix's client is not in\n%s", rookery)
		}
		if token == "xclient" && !strings.Contains(header, "(forwarded from far (far.example.net [192.0.2.21])") {
			t.Errorf("no forwarded client in\n%s", header)
		}
	}
}
