package blobstore

import (
	"context"
	"fmt"
	"hash/crc32"

	"github.com/rookery-mail/rookery/mailerr"
)

// tailGuess is how many of a pack's last bytes ReadFooter asks for at first: most footers are smaller.
const tailGuess = 64 << 10

// ReadFooter returns the entries of a pack, from the pack alone, verifying magic, version and checksum. It costs one Stat and
// one range, two for a large footer. NotFound, Unavailable, Internal.
func ReadFooter(ctx context.Context, s Store, id PackID) ([]Entry, error) {
	bodies, _, err := readFooter(ctx, s, id)
	if err != nil {
		return nil, err
	}
	var entries []Entry
	for i := range bodies {
		entries = bodies[i].entries(entries, id)
	}
	return entries, nil
}

func readFooter(ctx context.Context, s Store, id PackID) ([]footerBody, packTrailer, error) {
	const op = "blobstore.ReadFooter"
	fail := func(err error) ([]footerBody, packTrailer, error) {
		return nil, packTrailer{}, mailerr.Wrap(op, mailerr.Internal, fmt.Errorf("%s: %w", PackKey(id), err))
	}
	info, err := s.Stat(ctx, PackKey(id))
	if err != nil {
		return nil, packTrailer{}, err
	}
	if info.Size < headerLen+trailerLen {
		return fail(fmt.Errorf("object of %d bytes is no pack", info.Size))
	}
	tailLen := min(info.Size, tailGuess)
	tail, err := readExactly(ctx, s, PackKey(id), info.Size-tailLen, tailLen)
	if err != nil {
		return nil, packTrailer{}, err
	}
	trailer, err := parseTrailer(id, tail[tailLen-trailerLen:], info.Size)
	if err != nil {
		return fail(err)
	}
	var footer []byte
	if n := trailer.length + trailerLen; n <= tailLen {
		footer = tail[tailLen-n : tailLen-trailerLen]
	} else if footer, err = readExactly(ctx, s, PackKey(id), trailer.offset, trailer.length); err != nil {
		return nil, packTrailer{}, err
	}
	bodies, err := parseFooter(id, trailer, footer)
	if err != nil {
		return fail(err)
	}
	return bodies, trailer, nil
}

// readExactly is Store.ReadRange, with its contract enforced: a store that returns another number of bytes is at fault.
func readExactly(ctx context.Context, s Store, key string, offset, length int64) ([]byte, error) {
	data, err := s.ReadRange(ctx, key, offset, length)
	if err != nil {
		return nil, err
	}
	if int64(len(data)) != length {
		return nil, mailerr.Wrap("blobstore.ReadRange", mailerr.Internal,
			fmt.Errorf("%s: %d bytes instead of %d at %d", key, len(data), length, offset))
	}
	return data, nil
}

// verifyChunk is how much of a pack VerifyPack holds at a time.
const verifyChunk = 4 << 20

// VerifyPack reads a whole pack and checks every byte of it: header, frames against the checksums in the footer, footer,
// trailer. It returns the entries. For scrubbing, rebuilding and compaction. NotFound, Unavailable, Internal.
func VerifyPack(ctx context.Context, s Store, id PackID) ([]Entry, error) {
	const op = "blobstore.VerifyPack"
	fail := func(err error) error {
		return mailerr.Wrap(op, mailerr.Internal, fmt.Errorf("%s: %w", PackKey(id), err))
	}
	bodies, _, err := readFooter(ctx, s, id)
	if err != nil {
		return nil, err
	}
	header, err := readExactly(ctx, s, PackKey(id), 0, headerLen)
	if err != nil {
		return nil, err
	}
	if want := packHeader(id); string(header) != string(want[:]) {
		return nil, fail(fmt.Errorf("header differs"))
	}
	var entries []Entry
	for i := range bodies {
		b := &bodies[i]
		crc := uint32(0)
		for at := int64(0); at < b.Length; at += verifyChunk {
			data, err := readExactly(ctx, s, PackKey(id), b.Offset+at, min(verifyChunk, b.Length-at))
			if err != nil {
				return nil, err
			}
			crc = crc32.Update(crc, crcTable, data)
		}
		if crc != b.CRC {
			return nil, fail(fmt.Errorf("checksum of body %d differs", i))
		}
		entries = b.entries(entries, id)
	}
	return entries, nil
}
