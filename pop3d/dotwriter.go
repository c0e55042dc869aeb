package pop3d

import (
	"bufio"
	"bytes"
)

// dotWriter writes a message as a multi-line reply (RFC 1939 section 3): every line ends with CRLF, one that begins with a dot
// gets another.
type dotWriter struct {
	w         *bufio.Writer
	err       error // the first one
	lineStart bool
	cr        bool // the last byte was CR
}

func (d *dotWriter) write(p []byte) {
	for len(p) > 0 {
		if d.lineStart && p[0] == '.' {
			d.put(".")
		}
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			d.raw(p)
			d.cr = p[len(p)-1] == '\r'
			d.lineStart = false
			return
		}
		if i > 0 && p[i-1] == '\r' || i == 0 && d.cr {
			d.raw(p[:i+1])
		} else {
			d.raw(p[:i])
			d.put("\r\n")
		}
		d.lineStart, d.cr = true, false
		p = p[i+1:]
	}
}

// end finishes the last line and the reply.
func (d *dotWriter) end() {
	if !d.lineStart {
		d.put("\r\n")
	}
	d.put(".\r\n")
}

func (d *dotWriter) raw(p []byte) {
	if d.err == nil {
		_, d.err = d.w.Write(p)
	}
}

func (d *dotWriter) put(s string) {
	if d.err == nil {
		_, d.err = d.w.WriteString(s)
	}
}
