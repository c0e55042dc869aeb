package imapd

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"sync"

	"github.com/emersion/go-imap/v2"

	"github.com/rookery-mail/rookery/message"
	"github.com/rookery-mail/rookery/metadata"
)

const (
	// decodeBytes is how much decoded content is held in memory; of more, the size is found by reading it through, and it is
	// read again to be sent.
	decodeBytes = 256 << 10
	// decodeSlack is read beyond the encoded bytes that a range of decoded ones should need, for line ends.
	decodeSlack = 4 << 10
)

// errUnknownCTE answers BINARY of a part whose Content-Transfer-Encoding is none of RFC 2045's.
var errUnknownCTE = no("UNKNOWN-CTE", "Unknown Content-Transfer-Encoding")

// binary prepares BINARY[part] (RFC 3516 section 4.2); nil when the message has no such part. A message as a whole, a multipart
// and an embedded message are what BODY[part] is: RFC 2045 section 6.4 lets them have no encoding that changes bytes.
func (b *fetchedBody) binary(ctx context.Context, s *imap.FetchItemBodySection, places *decodedPlaces) (*sectionContent, error) {
	if wholeMessage(s) {
		return b.identity(ctx, span{0, b.reader.Size()}.partial(s.Partial))
	}
	p := b.structure.PartByPath(s.Part)
	if p == nil {
		return nil, nil
	}
	at := span{p.BodyOffset, p.End}
	switch {
	case p.Type == "multipart" || p.Envelope != nil:
		return b.identity(ctx, at.partial(s.Partial))
	case p.Encoding == "7bit" || p.Encoding == "8bit" || p.Encoding == "binary":
		return b.identity(ctx, at.partial(s.Partial))
	case p.Encoding != "base64" && p.Encoding != "quoted-printable":
		return nil, errUnknownCTE
	}
	want := span{0, int64(1)<<62 - 1}.partial(s.Partial)
	d := &partDecoder{ctx: ctx, body: b, part: p, places: places}
	return d.content(want)
}

// binarySize prepares BINARY.SIZE[part]: 0 for a part the message does not have, whose BINARY is NIL. Of base64 and
// quoted-printable the part is read to its end: how many of its bytes are line ends and rubbish nothing else tells.
func (b *fetchedBody) binarySize(ctx context.Context, s *imap.FetchItemBodySection, places *decodedPlaces) (*sectionContent, error) {
	c, err := b.binary(ctx, s, places)
	if c == nil && err == nil {
		c = &sectionContent{}
	}
	return c, err
}

// identity prepares bytes that no encoding hides. RFC 3516 section 4.3 wants a literal8 where there is a NUL; it may be one
// always, and is for what is longer than can be looked through beforehand.
func (b *fetchedBody) identity(ctx context.Context, at span) (*sectionContent, error) {
	size := at.end - at.off
	if size > headBytes {
		return &sectionContent{size: size, body: b, at: at, binary: true}, nil
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(b.open(ctx, at), data); err != nil {
		return nil, err
	}
	return &sectionContent{size: size, data: data, binary: bytes.IndexByte(data, 0) >= 0}, nil
}

// partDecoder finds ranges of a part's decoded bytes.
type partDecoder struct {
	ctx    context.Context
	body   *fetchedBody
	part   *message.Part
	places *decodedPlaces
}

// content prepares a range of the decoded bytes; its end may lie behind theirs.
func (d *partDecoder) content(want span) (*sectionContent, error) {
	place := d.places.get(d.body.row.ID, d.part.BodyOffset)
	if place.size >= 0 {
		want = span{min(want.off, place.size), min(want.end, place.size)}
		if want.end-want.off > decodeBytes {
			return d.streamed(&place, want, place.nul), nil
		}
	}
	r := d.open(&place, want)
	if err := r.skip(want.off); errors.Is(err, io.EOF) {
		return &sectionContent{}, nil
	} else if err != nil {
		return nil, err
	}
	held, size, nul, err := r.measure(want.end - want.off)
	ended := errors.Is(err, io.EOF)
	if err != nil && !ended {
		return nil, err
	}
	if ended && want.off == 0 {
		place.size, place.nul = size, nul
	}
	if size > decodeBytes {
		d.places.put(place)
		return d.streamed(&place, span{want.off, want.off + size}, nul), nil
	}
	place.encoded, place.decoded = r.place()
	d.places.put(place)
	return &sectionContent{size: size, data: held, binary: nul}, nil
}

// streamed makes the content for a range that is decoded again when it is sent.
func (d *partDecoder) streamed(place *decodedPlace, want span, nul bool) *sectionContent {
	from := *place
	return &sectionContent{size: want.end - want.off, binary: nul, decode: func(ctx context.Context) io.Reader {
		again := *d
		again.ctx = ctx
		r := again.open(&from, want)
		return &skipReader{r: r, skip: want.off - r.decoded}
	}}
}

// open returns a reader of the decoded bytes that begins at or before a range, as near as is known.
func (d *partDecoder) open(place *decodedPlace, want span) *decodedReader {
	r := &decodedReader{}
	if place.decoded <= want.off {
		r.encoded, r.decoded = place.encoded, place.decoded
	}
	at := span{d.part.BodyOffset + r.encoded, d.part.End}
	// No more is asked of the object store than the range should need, and of a long one much at once.
	need := int64(aheadBytes)
	if n := want.end - r.decoded; n < aheadBytes {
		need = min(need, n/3*4+n/30+decodeSlack) // base64 in lines of 76; quoted-printable needs less, mostly
	}
	encoded := bufio.NewReaderSize(d.body.open(d.ctx, at), int(max(min(at.end-at.off, need), 512)))
	r.TransferReader = message.NewTransferReader(encoded, d.part.Encoding)
	return r
}

// decodedReader reads decoded bytes from a place in the part on.
type decodedReader struct {
	*message.TransferReader
	encoded, decoded int64 // where it began
}

// skip reads up to the decoded offset off.
func (r *decodedReader) skip(off int64) error {
	_, err := io.CopyN(io.Discard, r.TransferReader, off-r.decoded)
	return err
}

// measure reads up to limit bytes and returns how many there are, whether NUL is among them, and the bytes if they may be held;
// with io.EOF when the part ended before limit.
func (r *decodedReader) measure(limit int64) (held []byte, size int64, nul bool, err error) {
	buf := make([]byte, 4<<10)
	for size < limit && err == nil {
		var n int
		n, err = r.Read(buf[:min(int64(len(buf)), limit-size)])
		size += int64(n)
		nul = nul || bytes.IndexByte(buf[:n], 0) >= 0
		if size <= decodeBytes {
			held = append(held, buf[:n]...)
		}
	}
	return held, size, nul, err
}

// place returns where a later reader may begin.
func (r *decodedReader) place() (encoded, decoded int64) {
	encoded, decoded = r.Resume()
	return r.encoded + encoded, r.decoded + decoded
}

// decodedPlace is what is known of a part that was decoded: a place from which decoding may go on, and its size.
type decodedPlace struct {
	body             metadata.BodyID
	part             int64 // BodyOffset
	encoded, decoded int64 // bytes from the part's begin, of it as it is and decoded
	size             int64 // of the whole part decoded; negative: not known
	nul              bool  // with size: NUL is in it
}

// decodedPlaces remembers the part that was last decoded: clients ask for BINARY.SIZE and then for one range after another.
type decodedPlaces struct {
	mu   sync.Mutex
	last decodedPlace // guarded by mu
}

func (d *decodedPlaces) get(body metadata.BodyID, part int64) decodedPlace {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.last.body == body && d.last.part == part {
		return d.last
	}
	return decodedPlace{body: body, part: part, size: -1}
}

func (d *decodedPlaces) put(p decodedPlace) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last = p
}
