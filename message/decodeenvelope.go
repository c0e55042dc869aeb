package message

import (
	"encoding/binary"
	"fmt"
	"math"
)

// DecodeEnvelope is Decode for those who want only the Envelope: the same one, for a third of the work. It reads no further
// than it must, so that it may find nothing wrong with a summary that Decode calls corrupt. Its errors are Decode's.
//
// The result refers neither to summary nor to prefix.
func DecodeEnvelope(summary []byte, prefix []byte) (*Envelope, error) {
	r := cborReader{rest: summary}
	if r.head(cborArray) != 3 {
		return nil, errCorrupt
	}
	if version := r.head(cborUint); r.err == nil && version != storedVersion {
		return nil, fmt.Errorf("message: summary of unknown version %d", version)
	}
	text := r.bytes(r.head(cborBytes))
	r.head(cborArray)
	r.head(cborUint) // size
	flags, count := r.head(cborUint), r.head(cborUint)
	if r.err != nil || flags&^knownFlags != 0 || count > uint64(len(r.rest)) {
		return nil, errCorrupt
	}

	h := make(header, 0, 12)
	if len(prefix) > 0 {
		c := collector{use: useKept}
		c.collect(prefix)
		fields, start := string(c.buf), 0
		for _, end := range c.ends {
			h = h.appendEnvelopeField(fields[start:end])
			start = end
		}
	}
	// First how long the fields are together: what follows them is not the envelope's.
	lengths, total := r, uint64(0)
	for range count {
		if total += lengths.head(cborUint); total > uint64(len(text)) {
			return nil, errCorrupt
		}
	}
	if lengths.err != nil {
		return nil, errCorrupt
	}
	fields := string(text[:total])
	for range count {
		n := r.head(cborUint)
		h = h.appendEnvelopeField(fields[:n])
		fields = fields[n:]
	}
	env := new(Envelope)
	h.envelope(env)
	return env, nil
}

// appendEnvelopeField is appendField for the fields of an ENVELOPE alone.
func (h header) appendEnvelopeField(raw string) header {
	value := fieldValue(raw)
	name := raw[:max(len(raw)-len(value)-1, 0)]
	if info := lookupField(trimSpace(name)); info.use&useEnvelope != 0 {
		h = append(h, headerField{info.id, value})
	}
	return h
}

// The major types of RFC 8949 section 3.1 that the stored form has.
const (
	cborUint  = 0
	cborBytes = 2
	cborArray = 4
)

// cborReader reads heads of the stored form one by one, where decoding all of it would cost more than what is wanted of it.
// After an error it yields zeros.
type cborReader struct {
	rest []byte
	err  error
}

func (r *cborReader) fail() uint64 {
	r.rest, r.err = nil, errCorrupt
	return 0
}

// head reads the head of an item of a major type, and returns its argument: the number, or the length.
func (r *cborReader) head(major byte) uint64 {
	if len(r.rest) == 0 || r.rest[0]>>5 != major {
		return r.fail()
	}
	info := r.rest[0] & 31
	if info < 24 {
		r.rest = r.rest[1:]
		return uint64(info)
	}
	if info > 27 {
		return r.fail() // reserved, or of indefinite length
	}
	size := 1 << (info - 24)
	if len(r.rest) < 1+size {
		return r.fail()
	}
	var word [8]byte
	copy(word[8-size:], r.rest[1:1+size])
	n := binary.BigEndian.Uint64(word[:])
	r.rest = r.rest[1+size:]
	if n > math.MaxInt64 {
		return r.fail()
	}
	return n
}

// bytes takes the next n bytes.
func (r *cborReader) bytes(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.fail()
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}
