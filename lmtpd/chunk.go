package lmtpd

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// chunk is a BDAT command, and what is left of its data (RFC 3030 section 2).
type chunk struct {
	size int64 // bytes to come
	told int64 // bytes announced
	last bool
}

func parseChunk(args string) (chunk, error) {
	fields := strings.Fields(args)
	if len(fields) == 0 || len(fields) > 2 || len(fields) == 2 && !strings.EqualFold(fields[1], "LAST") {
		return chunk{}, errors.New("BDAT takes a size and LAST")
	}
	size, err := strconv.ParseUint(fields[0], 10, 63)
	if err != nil || size > math.MaxInt64 || fields[0][0] == '+' {
		return chunk{}, errors.New("BDAT takes a size and LAST")
	}
	return chunk{size: int64(size), told: int64(size), last: len(fields) == 2}, nil
}

// readChunks reads a message sent by BDAT, byte by byte what the client sent. It answers every chunk but the last one.
func (b *body) readChunks(p []byte) (int, error) {
	for b.chunk.size == 0 {
		if b.chunk.last {
			b.done = true
			return 0, io.EOF
		}
		b.c.say(fmt.Sprintf("250 2.0.0 %d bytes received", b.chunk.told))
		next, err := b.nextChunk()
		if err != nil {
			return 0, err
		}
		*b.chunk = next
	}
	n, err := b.c.in.Read(p[:min(int64(len(p)), b.chunk.size)])
	b.chunk.size -= int64(n)
	return n, err
}

// nextChunk reads commands until the one that brings the next chunk or ends the transaction.
func (b *body) nextChunk() (chunk, error) {
	c := b.c
	c.setPhase(waiting)
	whole := c.deadline
	defer func() {
		c.deadline = whole
		c.setPhase(receiving)
	}()
	for {
		line, err := c.readLine()
		if err != nil {
			return chunk{}, err
		}
		switch verb, args := splitCommand(line); verb {
		case "BDAT":
			next, err := parseChunk(args)
			if err != nil {
				c.bye("501 5.5.4 " + err.Error() + ", closing the connection")
				return chunk{}, errAborted
			}
			return next, nil
		case "NOOP":
			c.say("250 2.0.0 Nothing done")
		case "RSET", "LHLO", "QUIT":
			// go-smtp answers for recipients of a message that is no more, and then takes this command.
			c.held = append([]byte(nil), line...)
			c.mute = true
			return chunk{}, errAborted
		default:
			c.say("503 5.5.1 Only BDAT, NOOP, RSET, LHLO and QUIT between chunks")
		}
	}
}
