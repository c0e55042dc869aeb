package blobstore

import (
	"encoding/binary"
	"encoding/hex"
	"time"
)

// Entry describes one owner of a body in a pack's footer: enough to rebuild the metadata from packs alone. A body delivered
// to several recipients has one Entry for each, over the same frames.
type Entry struct {
	Body         BodyID
	Account      OwnerID
	Mailbox      OwnerID
	UID          uint32 // 0: not known when the pack was written
	InternalDate time.Time
	Prefix       []byte // raw header lines before the stored bytes, for this owner only
	Location     Location
}

// PackPrefix is the beginning of all packs' keys.
const PackPrefix = "packs/"

// PackKey returns the object key of a pack: packs/YYYYMMDD/HHMM/<id>, by the time (UTC) in the id's first 48 bits, which are
// milliseconds since 1970.
func PackKey(id PackID) string {
	b := make([]byte, 0, len(PackPrefix)+len("20060102/1504/")+hex.EncodedLen(len(id)))
	b = append(b, PackPrefix...)
	b = packTime(id).AppendFormat(b, "20060102/1504/")
	return string(hex.AppendEncode(b, id[:]))
}

// ParsePackKey returns the id of a key made by PackKey.
func ParsePackKey(key string) (id PackID, ok bool) {
	if len(key) < hex.EncodedLen(len(id)) {
		return id, false
	}
	if _, err := hex.Decode(id[:], []byte(key[len(key)-hex.EncodedLen(len(id)):])); err != nil {
		return id, false
	}
	return id, PackKey(id) == key
}

func packTime(id PackID) time.Time {
	ms := int64(binary.BigEndian.Uint32(id[:4]))<<16 | int64(binary.BigEndian.Uint16(id[4:6]))
	return time.UnixMilli(ms).UTC()
}

// Compressed is a body as frames in memory, ready to go into a pack with others.
type Compressed struct {
	Data   []byte // the frames
	Frames []byte // as in Location
	Size   int64  // raw bytes
}
