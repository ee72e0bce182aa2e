package watch

import "io"

// Buffers start at the size that small events fit in several times, and grow to the largest
// size where many events come at once, or as far as an event makes it necessary.
const (
	firstBuffer   = 8 << 10
	largestBuffer = 64 << 10
	// Within a rush a read may bring little now and then.
	quietReads = 8
)

// A buffer is what was read of a stream, and not yet used: buf[start:end].
type buffer struct {
	stream     io.ReadCloser
	buf        []byte
	start, end int
	read       int   // how much the last call brought
	quiet      int   // how many calls in a row brought little, and used all before
	more       bool  // than there was room for
	err        error // of the stream, to be told once all is used
}

func (b *buffer) close() { _ = b.stream.Close() }

// fill reads more. What is in the buffer moves to its front.
func (b *buffer) fill() error {
	if b.err != nil {
		return b.err
	}
	if b.start > 0 {
		b.end = copy(b.buf, b.buf[b.start:b.end])
		b.start = 0
	}
	switch {
	case b.end == len(b.buf), b.more && len(b.buf) < largestBuffer:
		larger := make([]byte, max(firstBuffer, 2*len(b.buf)))
		copy(larger, b.buf[:b.end])
		b.buf = larger
		b.quiet = 0
	case b.end == 0 && b.read < firstBuffer/2:
		if b.quiet++; b.quiet >= quietReads && len(b.buf) > firstBuffer {
			b.buf = make([]byte, firstBuffer) // the rush is over
		}
	default:
		b.quiet = 0
	}
	for range 100 {
		n, err := b.stream.Read(b.buf[b.end:])
		b.end += n
		b.read, b.more, b.err = n, b.end == len(b.buf), err
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// need fills the buffer until it has at least n bytes. The error is io.EOF where there are
// none at all, and io.ErrUnexpectedEOF where there are fewer.
func (b *buffer) need(n int) error {
	for b.end-b.start < n {
		if err := b.fill(); err == io.EOF && b.end > b.start {
			return io.ErrUnexpectedEOF
		} else if err != nil {
			return err
		}
	}
	return nil
}
