package message

// Bounds of what a Scanner holds and a summary stores. None of them changes the message: beyond a bound the summary says
// less, and the raw bytes remain what they are.
const (
	// maxDepth is how deep parts nest; the message itself is at depth 0. A multipart or embedded message at maxDepth is a
	// leaf of type application/octet-stream.
	maxDepth = 100

	// maxParts is how many parts a message has, the message itself included. When it is reached, no boundary is recognised
	// any more: the last part extends to the end of the message.
	maxParts = 10_000

	// maxField is how many bytes of one header field the summary keeps, folding included. A longer field is cut behind its
	// last comma or white space within the bound, ends with CRLF, and makes Structure.Complete false.
	maxField = 64 << 10

	// maxHeader is how many bytes of kept fields the summary holds for the top header. Fields beyond it are left out and
	// make Structure.Complete false. It bounds what is collected of any one part's header too.
	maxHeader = 256 << 10

	// maxNested is how many bytes of header fields all parts but the message itself contribute. Parts beyond it keep their
	// type, subtype and encoding and lose parameters, description and envelope. With maxHeader and maxParts it keeps the
	// stored form below 2 MiB for any message.
	maxNested = 512 << 10

	// maxLine is how many bytes of an unfinished header line a Scanner holds; what exceeds it could not be kept anyway.
	maxLine = maxField

	// maxBoundary is the longest boundary (RFC 2046 section 5.1.1 allows 70). A multipart with a longer one is text/plain.
	maxBoundary = 256

	// maxDelimiter is the longest line that can be a boundary delimiter, transport padding and line end included.
	maxDelimiter = 2*maxBoundary + 4

	// maxParams is how many parameters of one Content-Type or Content-Disposition are kept; later ones are ignored.
	maxParams = 64

	// maxMediaToken is the longest type or subtype (RFC 6838 section 4.2 allows 127); longer ones make the field invalid.
	maxMediaToken = 127

	// maxLanguages is how many tags of a Content-Language are kept.
	maxLanguages = 32
)
