// Package liststream takes encoded lists apart while they come in, so that a list of
// hundreds of megabytes is never in memory as a whole.
//
// It calls a function for each item, and returns the list without its items, which the
// usual decoders are good for. What is no list, or not of a kind that the caller wants
// in items, is returned as a whole.
package liststream

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"k8s.io/client-go/internal/jsonscan"
)

// readAtOnce is how much is read at once, in bytes.
const readAtOnce = 32 << 10

// ErrMalformed is what errors are that come from the data.
var ErrMalformed = errors.New("malformed list")

func malformed(what string) error { return fmt.Errorf("%w: %s", ErrMalformed, what) }

// JSON reads a list in JSON. Open is given what comes before the items, and returns what
// is called with each item; its argument is good until it returns. If there are no items,
// or open returns nil, the result is everything that was read, and opened is false.
// Otherwise it is the list with null for its items.
func JSON(r io.Reader, open func(head []byte) func(item []byte) error) (list []byte, opened bool, err error) {
	w := &window{from: r}
	if !w.toItems() {
		list, err = w.all()
		return list, false, err
	}
	head := bytes.Clone(w.seen())
	item := open(head)
	if item == nil {
		list, err = w.all()
		return list, false, err
	}
	if err := w.items(item); err != nil {
		if err == io.EOF {
			err = fmt.Errorf("%w: %w", ErrMalformed, io.ErrUnexpectedEOF)
		}
		return nil, true, err
	}
	tail, err := w.all()
	return append(append(head, "null"...), tail...), true, err
}

// A window is what was read of a text and is still wanted. Its first part has been
// looked at.
type window struct {
	from   io.Reader
	buf    []byte
	start  int // of what is wanted
	at     int // of what has not been looked at
	end    int
	failed error // of from, to be told when all before it is used up
}

func (w *window) seen() []byte { return w.buf[w.start:w.at] }

// drop has what was looked at be no longer wanted.
func (w *window) drop() { w.start = w.at }

// more reads more. What is wanted moves.
func (w *window) more() error {
	if w.failed != nil {
		return w.failed
	}
	if w.start > 0 {
		w.end = copy(w.buf, w.buf[w.start:w.end])
		w.at -= w.start
		w.start = 0
	}
	if len(w.buf)-w.end < readAtOnce/2 {
		larger := make([]byte, max(readAtOnce, 2*len(w.buf)))
		copy(larger, w.buf[:w.end])
		w.buf = larger
	}
	for range 100 {
		n, err := w.from.Read(w.buf[w.end:])
		w.end += n
		w.failed = err
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	w.failed = io.ErrNoProgress
	return w.failed
}

// all returns all that is wanted, to the end of the text.
func (w *window) all() ([]byte, error) {
	for {
		if err := w.more(); err == io.EOF {
			return w.buf[w.start:w.end], nil
		} else if err != nil {
			return w.buf[w.start:w.end], err
		}
	}
}

// next looks for the next byte that is no space.
func (w *window) next() (byte, error) {
	for {
		for ; w.at < w.end; w.at++ {
			switch c := w.buf[w.at]; c {
			case ' ', '\t', '\r', '\n':
			default:
				return c, nil
			}
		}
		if err := w.more(); err != nil {
			return 0, err
		}
	}
}

// value looks at the value that begins here, and returns it. It is good until more is
// read.
func (w *window) value() ([]byte, error) {
	first, scanned := w.at-w.start, 0
	var s jsonscan.Scanner
	scan := s.Scan
	switch w.buf[w.at] {
	case '{', '[':
	case '"':
		s, scanned = jsonscan.String(), 1
	default:
		scan = scanLiteral
	}
	for {
		n, complete := scan(w.buf[w.at+scanned : w.end])
		scanned += n
		if complete {
			w.at += scanned
			return w.buf[w.start+first : w.at], nil
		}
		if err := w.more(); err != nil {
			return nil, err
		}
	}
}

// scanLiteral finds the end of a number, or of a name.
func scanLiteral(piece []byte) (n int, complete bool) {
	if n = bytes.IndexAny(piece, ",:]} \t\r\n"); n < 0 {
		return len(piece), false
	}
	return n, true
}

// toItems looks at what comes before the items of a list. It returns false if that is not
// how lists begin.
func (w *window) toItems() bool {
	c, err := w.next()
	for separator := byte('{'); err == nil && c == separator; separator = ',' {
		w.at++
		if c, err = w.next(); err != nil || c != '"' {
			return false
		}
		name, err := w.value()
		if err != nil {
			return false
		}
		isItems := string(name) == `"items"`
		if c, err = w.next(); err != nil || c != ':' {
			return false
		}
		w.at++
		if c, err = w.next(); err != nil {
			return false
		}
		if isItems && c == '[' {
			return true
		}
		if _, err = w.value(); err != nil {
			return false
		}
		c, err = w.next()
		if err != nil {
			return false
		}
	}
	return false
}

// items looks at an array, and calls a function with each element.
func (w *window) items(each func(item []byte) error) error {
	w.at++ // the bracket
	w.drop()
	c, err := w.next()
	if err == nil && c == ']' {
		w.at++
		w.drop()
		return nil
	}
	for err == nil {
		if c == ',' || c == ']' || c == '}' || c == ':' {
			return malformed("an item is missing")
		}
		item, err := w.value()
		if err != nil {
			return err
		}
		if err := each(item); err != nil {
			return err
		}
		if c, err = w.next(); err != nil {
			return err
		}
		w.at++
		w.drop()
		switch c {
		case ']':
			return nil
		case ',':
		default:
			return malformed("a comma is missing between items")
		}
		if c, err = w.next(); err != nil {
			return err
		}
	}
	return err
}
