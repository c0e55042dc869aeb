package blobstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"sync"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/klauspost/compress/zstd"
)

// Pack format, version 1. Integers outside the footer are little-endian; checksums are CRC-32C.
//
//	header   24 bytes   magic "rkpack", version uint16 (1), pack id 16 bytes
//	frames              the bodies' frames, body after body, without gaps; each frame is a zstd frame (RFC 8878) of at most
//	                    256 KiB raw bytes with content size and content checksum, decodable alone. An empty body has none
//	footer              one zstd frame around canonical CBOR (RFC 8949 section 4.2.1): see packFooter
//	trailer  40 bytes   offset of the footer uint64, length of the footer uint32, raw length of the footer uint32,
//	                    checksum of the footer uint32, number of bodies uint32, zero uint32,
//	                    checksum of the header and the trailer so far uint32, version uint16 (1), magic "rkpend"
//
// The trailer says where the object ends, so a reader with the object's size (Stat) knows a torn object before it looks
// further. Readers refuse versions they do not know; a new version gets a new number in header and trailer.
const (
	formatVersion = 1
	headerMagic   = "rkpack"
	trailerMagic  = "rkpend"
	headerLen     = 24
	trailerLen    = 40

	// maxFooterRaw bounds what a footer may decompress to: some 100,000 owners with their header lines.
	maxFooterRaw = 64 << 20
)

var crcTable = crc32.MakeTable(crc32.Castagnoli)

// packFooter is the footer's CBOR. Keys are integers; they are never given another meaning.
type packFooter struct {
	Version uint16       `cbor:"1,keyasint"`
	Pack    []byte       `cbor:"2,keyasint"`
	Bodies  []footerBody `cbor:"3,keyasint"` // in the order of their frames
}

type footerBody struct {
	Offset int64         `cbor:"1,keyasint"`
	Length int64         `cbor:"2,keyasint"`
	Size   int64         `cbor:"3,keyasint"`
	Frames []byte        `cbor:"4,keyasint,omitempty"`
	CRC    uint32        `cbor:"5,keyasint"` // of the frames as stored
	Owners []footerOwner `cbor:"6,keyasint"`
}

type footerOwner struct {
	Body    []byte `cbor:"1,keyasint"`
	Account []byte `cbor:"2,keyasint"`
	Mailbox []byte `cbor:"3,keyasint"`
	UID     uint32 `cbor:"4,keyasint,omitempty"`
	Seconds int64  `cbor:"5,keyasint"` // internal date, since 1970
	Nanos   uint32 `cbor:"6,keyasint,omitempty"`
	Prefix  []byte `cbor:"7,keyasint,omitempty"`
}

var (
	cborEncode = sync.OnceValue(func() cbor.EncMode {
		m, err := cbor.CoreDetEncOptions().EncMode()
		if err != nil {
			panic("blobstore: CBOR options: " + err.Error())
		}
		return m
	})
	cborDecode = sync.OnceValue(func() cbor.DecMode {
		m, err := cbor.DecOptions{
			DupMapKey:        cbor.DupMapKeyEnforcedAPF,
			IndefLength:      cbor.IndefLengthForbidden,
			TagsMd:           cbor.TagsForbidden,
			MaxArrayElements: 1 << 20,
			MaxMapPairs:      64,
			MaxNestedLevels:  8,
		}.DecMode()
		if err != nil {
			panic("blobstore: CBOR options: " + err.Error())
		}
		return m
	})
	footerDecoder = sync.OnceValue(func() *zstd.Decoder {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxFooterRaw),
			zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderLowmem(true))
		if err != nil {
			panic("blobstore: decoder options: " + err.Error())
		}
		return d
	})
)

func packHeader(id PackID) [headerLen]byte {
	var h [headerLen]byte
	copy(h[:], headerMagic)
	binary.LittleEndian.PutUint16(h[6:], formatVersion)
	copy(h[8:], id[:])
	return h
}

// appendFooter appends footer and trailer to dst. end is the offset of dst's end in the pack.
func appendFooter(dst []byte, id PackID, bodies []footerBody, end int64) ([]byte, error) {
	raw, err := cborEncode().Marshal(packFooter{Version: formatVersion, Pack: id[:], Bodies: bodies})
	if err != nil {
		return nil, fmt.Errorf("footer: %w", err)
	}
	if len(raw) > maxFooterRaw {
		return nil, fmt.Errorf("footer of %d bytes: too many owners", len(raw))
	}
	start := len(dst)
	dst = encoder().EncodeAll(raw, dst)
	footer := dst[start:]

	var t [trailerLen]byte
	binary.LittleEndian.PutUint64(t[0:], uint64(end))
	binary.LittleEndian.PutUint32(t[8:], uint32(len(footer)))
	binary.LittleEndian.PutUint32(t[12:], uint32(len(raw)))
	binary.LittleEndian.PutUint32(t[16:], crc32.Checksum(footer, crcTable))
	binary.LittleEndian.PutUint32(t[20:], uint32(len(bodies)))
	binary.LittleEndian.PutUint32(t[28:], trailerSum(id, t[:28]))
	binary.LittleEndian.PutUint16(t[32:], formatVersion)
	copy(t[34:], trailerMagic)
	return append(dst, t[:]...), nil
}

func trailerSum(id PackID, t []byte) uint32 {
	h := packHeader(id)
	return crc32.Update(crc32.Checksum(h[:], crcTable), crcTable, t)
}

// packTrailer is a trailer that was found to be in order.
type packTrailer struct {
	offset int64 // of the footer
	length int64 // of the footer
	raw    int
	crc    uint32
	bodies int
}

// parseTrailer checks the last bytes of a pack object of the given size.
func parseTrailer(id PackID, t []byte, size int64) (packTrailer, error) {
	if len(t) != trailerLen || string(t[34:]) != trailerMagic {
		return packTrailer{}, errors.New("no trailer: the object is torn or no pack")
	}
	if v := binary.LittleEndian.Uint16(t[32:]); v != formatVersion {
		return packTrailer{}, fmt.Errorf("pack version %d is not known", v)
	}
	if trailerSum(id, t[:28]) != binary.LittleEndian.Uint32(t[28:]) {
		return packTrailer{}, errors.New("trailer checksum differs: flipped bits or another pack")
	}
	p := packTrailer{
		offset: int64(binary.LittleEndian.Uint64(t[0:])),
		length: int64(binary.LittleEndian.Uint32(t[8:])),
		raw:    int(binary.LittleEndian.Uint32(t[12:])),
		crc:    binary.LittleEndian.Uint32(t[16:]),
		bodies: int(binary.LittleEndian.Uint32(t[20:])),
	}
	if p.offset < headerLen || p.offset > size || p.offset+p.length+trailerLen != size || p.raw > maxFooterRaw {
		return packTrailer{}, fmt.Errorf("trailer does not fit an object of %d bytes", size)
	}
	return p, nil
}

// parseFooter returns a footer's bodies, each with its frame table checked, without gaps between them.
func parseFooter(id PackID, t packTrailer, footer []byte) ([]footerBody, error) {
	if int64(len(footer)) != t.length || crc32.Checksum(footer, crcTable) != t.crc {
		return nil, errors.New("footer checksum differs")
	}
	raw, err := footerDecoder().DecodeAll(footer, make([]byte, 0, t.raw))
	if err != nil {
		return nil, fmt.Errorf("footer: %w", err)
	}
	var f packFooter
	if err := cborDecode().Unmarshal(raw, &f); err != nil {
		return nil, fmt.Errorf("footer: %w", err)
	}
	if f.Version != formatVersion || string(f.Pack) != string(id[:]) || len(f.Bodies) != t.bodies {
		return nil, errors.New("footer of another pack or version")
	}
	at := int64(headerLen)
	for i := range f.Bodies {
		b := &f.Bodies[i]
		loc := b.location(id)
		if b.Offset != at {
			return nil, fmt.Errorf("body %d is at %d, not %d", i, b.Offset, at)
		}
		if _, err := frameRefs(nil, &loc, 0, -1); err != nil {
			return nil, fmt.Errorf("body %d: %w", i, err)
		}
		if at += b.Length; at > t.offset {
			return nil, fmt.Errorf("body %d ends behind the footer's beginning", i)
		}
		for _, o := range b.Owners {
			if len(o.Body) != 16 || len(o.Account) != 16 || len(o.Mailbox) != 16 || o.Nanos >= 1e9 {
				return nil, fmt.Errorf("body %d: malformed owner", i)
			}
		}
	}
	if at != t.offset {
		return nil, fmt.Errorf("bodies end at %d, the footer begins at %d", at, t.offset)
	}
	return f.Bodies, nil
}

func (b *footerBody) location(id PackID) Location {
	return Location{Pack: id, Offset: b.Offset, Length: b.Length, Size: b.Size, Frames: b.Frames}
}

// entries returns one Entry for each owner of the body.
func (b *footerBody) entries(dst []Entry, id PackID) []Entry {
	for _, o := range b.Owners {
		dst = append(dst, Entry{
			Body: BodyID(o.Body), Account: OwnerID(o.Account), Mailbox: OwnerID(o.Mailbox), UID: o.UID,
			InternalDate: time.Unix(o.Seconds, int64(o.Nanos)).UTC(), Prefix: o.Prefix, Location: b.location(id),
		})
	}
	return dst
}

func newFooterBody(loc Location, crc uint32, owners []Entry) footerBody {
	b := footerBody{Offset: loc.Offset, Length: loc.Length, Size: loc.Size, Frames: loc.Frames, CRC: crc,
		Owners: make([]footerOwner, len(owners))}
	for i := range owners {
		e := &owners[i]
		e.Location = loc
		b.Owners[i] = footerOwner{
			Body: e.Body[:], Account: e.Account[:], Mailbox: e.Mailbox[:], UID: e.UID,
			Seconds: e.InternalDate.Unix(), Nanos: uint32(e.InternalDate.Nanosecond()), Prefix: e.Prefix,
		}
	}
	return b
}
