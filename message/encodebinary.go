package message

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"strings"
)

// ErrNUL is the error of EncodeBinary's reader for a NUL where no encoding may hide it.
var ErrNUL = errors.New("message: NUL outside of a part with Content-Transfer-Encoding: binary")

// EncodeBinary returns a reader of the message r in which nothing needs a literal8 (RFC 3516 sections 4.4 and 6): parts whose
// Content-Transfer-Encoding is binary become base64, and multiparts and embedded messages with that word 8bit. All else stays
// as it is, byte for byte; a NUL there is ErrNUL. It holds no more than one header (up to 1 MiB; a larger one is not
// changed) and a line.
func EncodeBinary(r io.Reader) io.Reader {
	return &binaryEncoder{in: bufio.NewReaderSize(r, 8<<10), top: true, lineStart: true}
}

const maxEncodeHeader = 1 << 20

type binaryEncoder struct {
	in  *bufio.Reader
	out []byte // to be delivered
	pos int
	err error

	state      encodeState
	top        bool     // the header is the message's own
	header     []byte   // read so far
	boundaries []string // of the open multiparts
	depth      int
	lineStart  bool   // the next piece begins a line
	held       []byte // a line end that may belong to a delimiter
	partial    []byte // fewer bytes than an encoded line holds
	lines      int    // encoded lines of the part
}

type encodeState uint8

const (
	encodeHeader encodeState = iota
	encodeCopy               // a body that stays
	encodeBody               // a body that becomes base64
)

func (e *binaryEncoder) Read(p []byte) (int, error) {
	for e.pos == len(e.out) {
		if e.err != nil {
			return 0, e.err
		}
		e.out, e.pos = e.out[:0], 0
		e.step()
	}
	n := copy(p, e.out[e.pos:])
	e.pos += n
	return n, nil
}

// step takes one line, or a piece of a long one.
func (e *binaryEncoder) step() {
	piece, err := e.in.ReadSlice('\n')
	starts := e.lineStart
	e.lineStart = bytes.HasSuffix(piece, lineFeed)
	if len(piece) > 0 {
		e.line(piece, starts, err != bufio.ErrBufferFull) //nolint:errorlint // ReadSlice returns it as it is
	}
	if err == nil || err == bufio.ErrBufferFull { //nolint:errorlint // ReadSlice returns it as it is
		return
	}
	if err == io.EOF { //nolint:errorlint // a wrapped EOF is a broken reader, not an end
		e.finish()
	}
	if e.err == nil {
		e.err = err
	}
}

func (e *binaryEncoder) finish() {
	switch e.state {
	case encodeHeader:
		e.endHeader()
		if e.state == encodeBody {
			e.endBody(false)
		}
	case encodeBody:
		e.endBody(false)
	}
}

// line takes a piece of a line: starts says that it is its beginning, whole that it has its end (or the message has).
func (e *binaryEncoder) line(b []byte, starts, whole bool) {
	if starts && whole {
		if at, closing, ok := e.delimiter(b); ok {
			e.delimit(b, at, closing)
			return
		}
	}
	switch e.state {
	case encodeHeader:
		e.headerLine(b, starts)
	case encodeCopy:
		e.copy(b)
	case encodeBody:
		e.encode(b)
	}
}

func (e *binaryEncoder) copy(b []byte) {
	if bytes.IndexByte(b, 0) >= 0 {
		e.err = ErrNUL
		return
	}
	e.out = append(e.out, b...)
}

func (e *binaryEncoder) headerLine(b []byte, starts bool) {
	if starts && len(e.header) == 0 && !e.top && b[0] != ' ' && b[0] != '\t' && fieldNameLen(b) == 0 && !isFromLine(b) && !emptyLine(b) {
		e.endHeader() // a part without a header
		e.line(b, false, false)
		return
	}
	e.header = append(e.header, b...)
	if starts && emptyLine(b) || len(e.header) > maxEncodeHeader {
		e.endHeader()
	}
}

func emptyLine(b []byte) bool { return string(b) == "\r\n" || string(b) == "\n" }

// endHeader finds out what kind of body follows.
func (e *binaryEncoder) endHeader() {
	header := e.header
	e.header, e.top = nil, false
	e.state = encodeCopy
	if len(header) > maxEncodeHeader {
		e.copy(header)
		return
	}
	c := collector{use: useMIME}
	c.collect(header)
	var p Part
	splitHeader(string(c.buf), c.ends).describe(&p, false)
	binary := p.Encoding == "binary"
	switch descend := e.depth < maxDepth; {
	case p.Type == "multipart" && p.boundary() != "" && descend:
		e.depth++
		e.boundaries = append(e.boundaries, p.boundary())
		if binary {
			header = replaceEncoding(header, "8bit")
		}
	case p.isMessage() && !encoded(p.Encoding) && descend:
		e.depth++
		e.state = encodeHeader
		if binary {
			header = replaceEncoding(header, "8bit")
		}
	case binary:
		e.state = encodeBody
		e.lines = 0
		header = replaceEncoding(header, "base64")
	}
	e.copy(header)
}

// replaceEncoding replaces the first Content-Transfer-Encoding of a header.
func replaceEncoding(header []byte, encoding string) []byte {
	const name = "Content-Transfer-Encoding"
	out := make([]byte, 0, len(header)+8)
	replaced, skipping := false, false
	for l := range bytes.Lines(header) {
		if skipping && (l[0] == ' ' || l[0] == '\t') {
			continue
		}
		skipping = false
		if n := fieldNameLen(l); !replaced && n > 0 && strings.EqualFold(string(l[:n]), name) {
			out = append(append(append(out, name...), ": "...), encoding...)
			out = append(out, "\r\n"...)
			replaced, skipping = true, true
			continue
		}
		out = append(out, l...)
	}
	return out
}

// delimiter looks whether a line ends a part.
func (e *binaryEncoder) delimiter(b []byte) (at int, closing, ok bool) {
	if len(b) < 3 || b[0] != '-' || b[1] != '-' || len(e.boundaries) == 0 {
		return 0, false, false
	}
	text := string(bytes.TrimRight(b[2:], " \t\r\n"))
	for i := len(e.boundaries) - 1; i >= 0; i-- {
		switch text {
		case e.boundaries[i]:
			return i, false, true
		case e.boundaries[i] + "--":
			return i, true, true
		}
	}
	return 0, false, false
}

// delimit ends the part before a delimiter line.
func (e *binaryEncoder) delimit(line []byte, at int, closing bool) {
	switch e.state {
	case encodeHeader:
		e.endHeader()
		if e.state == encodeBody {
			e.endBody(true)
		}
	case encodeBody:
		e.endBody(true)
	}
	e.boundaries = e.boundaries[:at+1]
	e.state = encodeHeader
	if closing {
		e.boundaries = e.boundaries[:at]
		e.state = encodeCopy
	}
	e.depth = len(e.boundaries)
	e.copy(line)
}

// encodedLine is how many bytes a line of base64 holds.
const encodedLine = 57

// encode adds bytes to a body that becomes base64. The last line end is held back: it may belong to a delimiter.
func (e *binaryEncoder) encode(b []byte) {
	e.partial = append(e.partial, e.held...)
	e.held = e.held[:0]
	end := bytes.TrimSuffix(bytes.TrimSuffix(b, lineFeed), []byte{'\r'})
	if !bytes.HasSuffix(b, lineFeed) {
		end = b
	}
	e.held = append(e.held, b[len(end):]...)
	e.partial = append(e.partial, end...)
	n := len(e.partial) / encodedLine * encodedLine
	for chunk := e.partial[:n]; len(chunk) > 0; chunk = chunk[encodedLine:] {
		e.encodedLine(chunk[:encodedLine])
	}
	e.partial = append(e.partial[:0], e.partial[n:]...)
}

func (e *binaryEncoder) encodedLine(b []byte) {
	if e.lines++; e.lines > 1 {
		e.out = append(e.out, "\r\n"...)
	}
	e.out = base64.StdEncoding.AppendEncode(e.out, b)
}

// endBody ends a body that became base64; delimited says that a delimiter follows, to which the line end before it belongs.
func (e *binaryEncoder) endBody(delimited bool) {
	if !delimited {
		e.partial = append(e.partial, e.held...)
		e.held = e.held[:0]
	}
	for chunk := e.partial; len(chunk) > 0; {
		n := min(len(chunk), encodedLine)
		e.encodedLine(chunk[:n])
		chunk = chunk[n:]
	}
	e.out = append(e.out, e.held...)
	e.partial, e.held = e.partial[:0], e.held[:0]
	e.state = encodeCopy
}
