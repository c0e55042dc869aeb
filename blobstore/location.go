package blobstore

// FrameSize is the raw bytes in every frame of a body but the last, which may have fewer.
const FrameSize = 256 << 10

// PackID, BodyID and OwnerID are the metadata's ids as plain bytes: this package knows nothing of mailboxes.
type (
	PackID  [16]byte
	BodyID  [16]byte
	OwnerID [16]byte
)

// Location says where a body's bytes are. Everything a reader needs.
type Location struct {
	Pack   PackID
	Offset int64  // of the first frame in the pack object, bytes
	Length int64  // of all frames together, bytes
	Size   int64  // raw bytes of the body
	Frames []byte // compressed length of each frame but the last, as uvarints; empty for a body of one frame
}
