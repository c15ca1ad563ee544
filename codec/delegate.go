package codec

import (
	"fmt"
	"io"
	"slices"

	"github.com/vmihailenco/msgpack/v5"
)

// delegate is msgpack/v5's decoder for the values of types that decode themselves. It only ever sees one whole value whose
// bytes have been checked.
type delegate struct {
	dec *msgpack.Decoder
	in  byteReader
}

// delegate hands the next value to msgpack/v5.
func (s *decodeState) delegate(v any) error {
	exts := s.r.exts
	b, err := s.r.Value()
	if err != nil {
		return err
	}
	d := s.inner
	if d == nil {
		d = &delegate{}
		d.dec = msgpack.NewDecoder(&d.in)
		s.inner = d
	}
	d.in = byteReader{b: b}
	if s.r.exts != exts {
		d.in.barred = barred(b)
	}
	d.dec.Reset(&d.in) // and not ResetReader: flags that a user's method has set must not reach the next value
	err = d.dec.Decode(v)
	if err == nil && d.in.p != len(b) {
		err = fmt.Errorf("%T left %d bytes of its payload unread", v, len(b)-d.in.p)
	}
	d.in = byteReader{}
	return err
}

// barred returns where in a checked value the contents of timestamps begin. msgpack/v5's DecodeMapLen, which looks for a map
// and finds an extension, skips the extension's header and takes the next byte for the map's: a timestamp whose first
// byte is 0xdf would declare four billion entries, and DecodeMap ends the process by allocating them. It reads that byte
// by ReadByte; whoever means the timestamp reads the contents by Read.
func barred(b []byte) (at []int) {
	r := NewReader(b, ServerLimits)
	for r.p < len(b) {
		start := r.p
		if _, _, err := r.shallow(); err != nil {
			return at // not reached: b has been checked
		}
		switch b[start] {
		case 0xd6, 0xd7:
			at = append(at, start+2)
		case 0xc7:
			at = append(at, start+3)
		}
	}
	return at
}

func isExt(c byte) bool { return c == 0xd6 || c == 0xd7 || c == 0xc7 }

// byteReader is the source of a msgpack.Decoder: the smallest thing that it takes without wrapping it in a buffer.
type byteReader struct {
	b      []byte
	p      int
	barred []int // where ReadByte must not read
}

func (r *byteReader) Read(p []byte) (int, error) {
	if r.p >= len(r.b) {
		return 0, io.EOF
	}
	n := copy(p, r.b[r.p:])
	r.p += n
	return n, nil
}

func (r *byteReader) ReadByte() (byte, error) {
	if r.p >= len(r.b) {
		return 0, io.EOF
	}
	if r.barred != nil && slices.Contains(r.barred, r.p) {
		return 0, Errorf(BadPayload, "a timestamp where a map is wanted")
	}
	c := r.b[r.p]
	r.p++
	return c, nil
}

func (r *byteReader) UnreadByte() error {
	if r.p == 0 {
		return io.ErrUnexpectedEOF
	}
	r.p--
	return nil
}
