package imapd

import "math/bits"

const (
	// maxCode is the longest code, in bits (RFC 1951 section 3.2.7).
	maxCode = 15
	// quickBits is how many bits are decoded by one look at a table; longer codes are rare.
	quickBits = 9
)

// huffmanPair is the codes of a block: of literals, lengths and the block's end, and of distances (RFC 1951 section 3.2.5).
type huffmanPair struct{ literals, distances huffman }

// huffman decodes one code of DEFLATE (RFC 1951 section 3.2.2).
type huffman struct {
	count   [maxCode + 1]uint16    // codes by length
	symbols [288]uint16            // in the order of their codes
	quick   [1 << quickBits]uint16 // by the next bits: symbol<<4 | length; 0: a longer code, or none
}

// decode returns the symbol that the next bits begin with, and its code's length: 0 when there is none of it, or not all of it in
// what was received (bits that were not are zero).
func (h *huffman) decode(next uint64) (symbol, length int) {
	if e := h.quick[next&(1<<quickBits-1)]; e != 0 {
		return int(e >> 4), int(e & 15)
	}
	code, first, index := 0, 0, 0
	for n := 1; n <= maxCode; n++ {
		code |= int(next & 1)
		next >>= 1
		count := int(h.count[n])
		if code-count < first {
			return int(h.symbols[index+code-first]), n
		}
		index += count
		first = (first + count) << 1
		code <<= 1
	}
	return 0, 0
}

// build makes the decoder of a code from the lengths of its symbols' codes. It refuses what is no complete code, but for one
// with a single symbol of one bit or with none, as distances may have (RFC 1951 section 3.2.7).
func (h *huffman) build(lengths []uint8) bool {
	h.count = [maxCode + 1]uint16{}
	for _, n := range lengths {
		h.count[n]++
	}
	h.count[0] = 0
	left, used := 1, 0
	var offset, code [maxCode + 2]int
	for n := 1; n <= maxCode; n++ {
		left = left<<1 - int(h.count[n])
		if left < 0 {
			return false
		}
		used += int(h.count[n])
		offset[n+1] = offset[n] + int(h.count[n])
		code[n+1] = (code[n] + int(h.count[n])) << 1
	}
	if left > 0 && (used > 1 || used == 1 && h.count[1] == 0) {
		return false
	}
	h.quick = [1 << quickBits]uint16{}
	for s, n := range lengths {
		if n == 0 {
			continue
		}
		h.symbols[offset[n]] = uint16(s)
		offset[n]++
		if n <= quickBits {
			// Codes come with their first bit first.
			for i := int(bits.Reverse16(uint16(code[n])) >> (16 - n)); i < len(h.quick); i += 1 << n {
				h.quick[i] = uint16(s)<<4 | uint16(n)
			}
		}
		code[n]++
	}
	return true
}

var fixedCodes = func() *huffmanPair {
	var lengths [288]uint8
	for i := range lengths {
		switch {
		case i < 144 || i >= 280:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		default:
			lengths[i] = 7
		}
	}
	p := &huffmanPair{}
	p.literals.build(lengths[:])
	var distances [32]uint8
	for i := range distances {
		distances[i] = 5
	}
	p.distances.build(distances[:])
	return p
}()

// fixed makes the codes those of RFC 1951 section 3.2.6.
func (p *huffmanPair) fixed() { *p = *fixedCodes }

// codeOrder is the order of the lengths of the codes of lengths (RFC 1951 section 3.2.7).
var codeOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// read reads the codes that are before a block's data (RFC 1951 section 3.2.7). False for what is none, or when nothing more comes in.
func (p *huffmanPair) read(f *inflater) bool {
	literals, distances, codes := int(f.need(5))+257, int(f.need(5))+1, int(f.need(4))+4
	if f.broken() || literals > 286 {
		return false
	}
	var lengths [286 + 32]uint8
	for i := range codes {
		lengths[codeOrder[i]] = uint8(f.need(3))
	}
	if f.broken() || !p.literals.build(lengths[:len(codeOrder)]) {
		return false
	}
	lengths = [286 + 32]uint8{}
	for i := 0; i < literals+distances; {
		s, ok := p.lengthSymbol(f)
		if !ok {
			return false
		}
		value, times := uint8(s), 1
		switch s {
		case 16:
			if i == 0 {
				return false
			}
			value, times = lengths[i-1], 3+int(f.need(2))
		case 17:
			value, times = 0, 3+int(f.need(3))
		case 18:
			value, times = 0, 11+int(f.need(7))
		}
		if f.broken() || i+times > literals+distances {
			return false
		}
		for ; times > 0; times-- {
			lengths[i] = value
			i++
		}
	}
	return lengths[256] != 0 && p.literals.build(lengths[:literals]) && p.distances.build(lengths[literals:literals+distances])
}

// lengthSymbol decodes a symbol of the code of lengths, and waits for it.
func (p *huffmanPair) lengthSymbol(f *inflater) (s int, ok bool) {
	for !f.broken() {
		f.refill()
		s, n := p.literals.decode(f.hold)
		if n > 0 && n <= f.held {
			f.drop(n)
			return s, true
		}
		if n == 0 && f.held >= maxCode {
			return 0, false
		}
		f.fill()
	}
	return 0, false
}

// What the symbols of lengths and distances stand for (RFC 1951 section 3.2.5).
var (
	lengthBase = [29]uint16{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
		227, 258}
	lengthExtra = [29]uint8{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	distBase    = [30]uint16{1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073,
		4097, 6145, 8193, 12289, 16385, 24577}
	distExtra = [30]uint8{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13}
)
