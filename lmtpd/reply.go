package lmtpd

import "bytes"

// reply passes one of go-smtp's reply lines on, in the words of the RFCs where go-smtp's differ.
func (c *conn) reply(line []byte) {
	if c.dead || c.mute {
		return
	}
	if bytes.HasPrefix(line, []byte("354 ")) {
		c.body.announced = true
		if c.body.chunk != nil {
			return // BDAT has no intermediate reply
		}
	}
	switch c.verb {
	case "LHLO":
		// RFC 3207 section 4.2: not offered once TLS is active.
		if bytes.Equal(line, []byte("250-STARTTLS\r\n")) && c.encrypted() {
			return
		}
		if bytes.HasPrefix(line, []byte("250 ")) {
			c.greeted = true
			c.out.WriteString(c.extensions())
		}
	case "MAIL", "RCPT", "DATA", "BDAT":
		line = recode(line, "502 5.5.1 ", "503") // bad sequence of commands, RFC 2033 section 4.2
		line = recode(line, "500 5.5.4 ", "555") // parameters not recognised, RFC 5321 section 4.1.1.11
	}
	c.out.Write(bytes.ReplaceAll(line, []byte(noDomain), nil))
}

func recode(line []byte, from, code string) []byte {
	if bytes.HasPrefix(line, []byte(from)) {
		copy(line, code)
	}
	return line
}
