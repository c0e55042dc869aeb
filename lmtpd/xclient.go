package lmtpd

import (
	"net"
	"net/netip"
	"strconv"

	"github.com/rookery-mail/rookery/internal/listener"
)

// trusted reports whether the peer may speak for others: its network, not what it has said since.
func (c *conn) trusted() bool { return listener.Within(c.srv.cfg.TrustedNetworks, c.peer) }

// extensions returns the lines of LHLO's answer that go-smtp does not know of.
func (c *conn) extensions() string {
	if !c.trusted() {
		return ""
	}
	lines := ""
	for _, e := range []struct {
		keyword string
		names   []string
	}{{"XCLIENT", xclientNames}, {"XFORWARD", xforwardNames}} {
		lines += "250-" + e.keyword
		for _, n := range e.names {
			lines += " " + n
		}
		lines += "\r\n"
	}
	return lines
}

// mayOverride answers what XCLIENT and XFORWARD have in common; false when the command is refused. Neither is allowed within a
// transaction.
func (c *conn) mayOverride() bool {
	switch {
	case !c.trusted():
		c.say("550 5.7.0 Insufficient authorization")
	case c.session != nil && c.session.inMail:
		c.say("503 5.5.1 Mail transaction in progress")
	default:
		return true
	}
	return false
}

// xclient is XCLIENT, https://www.postfix.org/XCLIENT_README.html: the peer is a proxy, and the client is as it says. The
// session begins anew, with the greeting. go-smtp is told RSET, and its answer is dropped.
func (c *conn) xclient(args string) []byte {
	if !c.mayOverride() {
		return nil
	}
	given := attributes{}
	if err := given.merge(args, xclientNames); err != nil {
		c.say("501 5.5.4 Bad XCLIENT attribute")
		return nil
	}
	c.client, c.forwarded = given, nil
	if ip, ok := parseAttributeAddr(given["ADDR"]); ok {
		port, _ := strconv.ParseUint(given["PORT"], 10, 16) // it was checked; 0 when not given
		c.remote = net.TCPAddrFromAddrPort(netip.AddrPortFrom(ip, uint16(port)))
	}
	c.log = c.peerLog.With("client", peerName(c.remote), "login", given["LOGIN"])
	c.log.Debug("lmtp client announced", "name", given["NAME"], "helo", given["HELO"])
	c.greeted = false
	c.say("220 " + c.srv.cfg.Hostname + " LMTP Service Ready")
	c.verb, c.mute = "RSET", true
	return []byte("RSET\r\n")
}

// xforward is XFORWARD, https://www.postfix.org/XFORWARD_README.html: where the next message came from, for log and trace. What
// several commands say adds up, and counts until the transaction has ended.
func (c *conn) xforward(args string) {
	if !c.mayOverride() {
		return
	}
	if c.forwarded == nil {
		c.forwarded = attributes{}
	}
	if err := c.forwarded.merge(args, xforwardNames); err != nil {
		c.say("501 5.5.4 Bad XFORWARD attribute")
		return
	}
	c.say("250 2.0.0 Ok")
}
