package message

// Scanner reads a message in pieces. The zero value is not usable.
type Scanner struct{}

// NewScanner returns a Scanner at the beginning of a message.
func NewScanner() *Scanner { panic("stub") }

// Write takes the next bytes; it always takes all of them and never fails.
func (s *Scanner) Write(p []byte) (int, error) { panic("stub") }

// Close ends the message and returns what was found.
func (s *Scanner) Close() *Structure { panic("stub") }

// Scan is NewScanner, Write, Close.
func Scan(raw []byte) *Structure { panic("stub") }

// Encode returns the stored form: versioned, compact CBOR.
func (s *Structure) Encode() []byte { panic("stub") }

// Decode reads the stored form of a structure and puts prefix, whole header lines, before the message: sizes, offsets,
// header lines and Fields are those of prefix followed by the stored bytes. An unknown version is an error: scan again.
func Decode(stored []byte, prefix []byte) (*Structure, error) { panic("stub") }

// KeptField reports whether Structure.Fields holds every occurrence of the field, so that HEADER.FIELDS and SEARCH HEADER
// for it need no read of the message. Name in any case. Fields cut for length make it false for that message; see
// Structure.Complete.
func KeptField(name string) bool { panic("stub") }

// Complete reports whether Fields holds all kept fields whole.
func (s *Structure) Complete() bool { panic("stub") }

// PartByPath returns the part that a FETCH section names: nil path is the root, 1 the first child of a multipart or a
// single-part message itself, and so on (RFC 9051 section 6.4.5). nil when there is none.
func (s *Structure) PartByPath(path []int) *Part { panic("stub") }
