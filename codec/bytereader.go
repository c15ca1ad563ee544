package codec

import "io"

// byteReader is the source of a msgpack.Decoder: the smallest thing that it takes without wrapping it in a buffer.
type byteReader struct {
	b []byte
	p int
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
