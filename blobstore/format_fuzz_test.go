package blobstore

import (
	"encoding/binary"
	"hash/crc32"
	"testing"
)

// FuzzParseFooter parses any footer whose checksums are right, as a malicious or faulty writer could make it.
func FuzzParseFooter(f *testing.F) {
	id := PackID{1}
	loc := Location{Offset: headerLen, Length: 10, Size: 10}
	for _, bodies := range [][]footerBody{nil, {newFooterBody(loc, 1, []Entry{{UID: 1}, {Prefix: []byte("X: y\r\n")}})}} {
		end := int64(headerLen + 10*len(bodies))
		data, err := appendFooter(nil, id, bodies, end)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data[:len(data)-trailerLen], end, uint32(1000), uint32(len(bodies)))
	}
	f.Fuzz(func(t *testing.T, footer []byte, offset int64, raw, count uint32) {
		if raw > 1<<20 {
			raw %= 1 << 20 // keeps the fuzzer fast; the parser's own bound is maxFooterRaw
		}
		var b [trailerLen]byte
		binary.LittleEndian.PutUint64(b[0:], uint64(offset))
		binary.LittleEndian.PutUint32(b[8:], uint32(len(footer)))
		binary.LittleEndian.PutUint32(b[12:], raw)
		binary.LittleEndian.PutUint32(b[16:], crc32.Checksum(footer, crcTable))
		binary.LittleEndian.PutUint32(b[20:], count)
		binary.LittleEndian.PutUint32(b[28:], trailerSum(id, b[:28]))
		binary.LittleEndian.PutUint16(b[32:], formatVersion)
		copy(b[34:], trailerMagic)
		trailer, err := parseTrailer(id, b[:], offset+int64(len(footer))+trailerLen)
		if err != nil {
			return
		}
		bodies, err := parseFooter(id, trailer, footer)
		if err != nil {
			return
		}
		var entries []Entry
		for i := range bodies {
			entries = bodies[i].entries(entries, id)
		}
		for _, e := range entries {
			if e.Location.Offset < headerLen || e.Location.Offset+e.Location.Length > offset {
				t.Errorf("location %+v outside of the pack", e.Location)
			}
		}
	})
}
