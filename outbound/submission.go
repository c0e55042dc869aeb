package outbound

import (
	"errors"
	"fmt"
	"net"
	"net/url"
)

// Submission is the server that takes all mail.
type Submission struct {
	Address  string // host:port
	Host     string // for the certificate
	TLS      TLSMode
	User     string // "": no login
	Password string
	Insecure bool // the certificate is not looked at
}

// TLSMode is how a connection is encrypted.
type TLSMode string

// The modes.
const (
	StartTLS    TLSMode = "starttls" // required
	ImplicitTLS TLSMode = "implicit" // from the first byte
	NoTLS       TLSMode = "none"
)

// ParseSubmission reads smtp://USER:PASSWORD@HOST:PORT?tls=starttls|implicit|none&verify=false. Without tls it is starttls; smtps://
// is implicit; the ports are 587 and 465. A password needs TLS unless the host is this machine.
func ParseSubmission(s string) (*Submission, error) {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Path != "" && u.Path != "/" {
		return nil, errors.New("not of the form smtp://USER:PASSWORD@HOST:PORT?tls=starttls")
	}
	sub := &Submission{Host: u.Hostname(), TLS: StartTLS}
	port := u.Port()
	if u.Scheme == "smtps" {
		sub.TLS = ImplicitTLS
	}
	for name, values := range u.Query() {
		switch v := values[0]; {
		case name == "tls" && (v == string(StartTLS) || v == string(ImplicitTLS) || v == string(NoTLS)) && u.Scheme == "smtp":
			sub.TLS = TLSMode(v)
		case name == "verify" && (v == "true" || v == "false"):
			sub.Insecure = v == "false"
		default:
			return nil, fmt.Errorf("%s=%s means nothing here", name, v)
		}
	}
	if port == "" {
		port = "587"
		if sub.TLS == ImplicitTLS {
			port = "465"
		}
	}
	sub.Address = net.JoinHostPort(sub.Host, port)
	if u.User != nil {
		sub.User = u.User.Username()
		sub.Password, _ = u.User.Password()
	}
	if sub.User != "" && sub.TLS == NoTLS && !isLoopback(sub.Host) {
		return nil, errors.New("a password would cross the network without TLS")
	}
	return sub, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
