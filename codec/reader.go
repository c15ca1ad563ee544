package codec

import (
	"encoding/binary"
	"math"
	"unicode/utf8"
)

// Reader walks one frame from its first byte to its last and checks everything on the way. It is a value: copy it to try
// something and come back. Its methods return *Error with the code that the peer should see.
type Reader struct {
	b      []byte
	p      int // next byte
	limits Limits
	left   int // values that may still come
	exts   int // extensions passed
}

// NewReader returns a Reader at the first byte of frame. limits.Frame is the transport's to enforce: what is here has
// already been received.
func NewReader(frame []byte, limits Limits) Reader {
	limits = limits.WithDefaults()
	return Reader{b: frame, limits: limits, left: limits.Elements}
}

var (
	errTruncated = &Error{Malformed, "the bytes end before the value does"}
	errTrailing  = &Error{Malformed, "bytes after the value"}
	errUTF8      = &Error{Malformed, "a string is not UTF-8"}
	errNever     = &Error{Malformed, "0xc1 is no msgpack"}
	errExtension = &Error{Malformed, "only the timestamp extension is allowed"}
	errMapKey    = &Error{Malformed, "a map key is neither a string nor an integer"}
	errDepth     = &Error{TooComplex, "too many levels of nesting"}
	errElements  = &Error{TooComplex, "too many values"}
)

// Done reports an error if bytes are left.
func (r *Reader) Done() error {
	if r.p != len(r.b) {
		return errTrailing
	}
	return nil
}

// Offset returns how many bytes have been read.
func (r *Reader) Offset() int { return r.p }

// Rest returns the bytes that are left, not yet checked.
func (r *Reader) Rest() []byte { return r.b[r.p:] }

// take counts one value and returns its first byte.
func (r *Reader) take() (byte, error) {
	if r.p >= len(r.b) {
		return 0, errTruncated
	}
	if r.left <= 0 {
		return 0, errElements
	}
	r.left--
	c := r.b[r.p]
	r.p++
	return c, nil
}

// be reads an unsigned big-endian number of n bytes: 1, 2, 4 or 8.
func (r *Reader) be(n int) (uint64, error) {
	if len(r.b)-r.p < n {
		return 0, errTruncated
	}
	b := r.b[r.p:]
	r.p += n
	switch n {
	case 1:
		return uint64(b[0]), nil
	case 2:
		return uint64(binary.BigEndian.Uint16(b)), nil
	case 4:
		return uint64(binary.BigEndian.Uint32(b)), nil
	default:
		return binary.BigEndian.Uint64(b), nil
	}
}

// bytes reads the n bytes of a string, binary or extension.
func (r *Reader) bytes(n uint64) ([]byte, error) {
	if n > uint64(len(r.b)-r.p) {
		return nil, errTruncated
	}
	s := r.b[r.p : r.p+int(n) : r.p+int(n)]
	r.p += int(n)
	return s, nil
}

// Nil consumes a nil if one is next and reports whether it did.
func (r *Reader) Nil() bool {
	if r.p < len(r.b) && r.b[r.p] == 0xc0 {
		r.p++
		r.left--
		return true
	}
	return false
}

// Array reads the header of an array and returns its length, which is never more than the bytes that are left.
func (r *Reader) Array() (int, error) {
	c, err := r.take()
	if err != nil {
		return 0, err
	}
	var n uint64
	switch {
	case c&0xf0 == 0x90:
		n = uint64(c & 0x0f)
	case c == 0xdc:
		n, err = r.be(2)
	case c == 0xdd:
		n, err = r.be(4)
	default:
		return 0, mismatch(c, "an array")
	}
	return r.length(n, 1, err)
}

// Map reads the header of a map and returns the number of its entries.
func (r *Reader) Map() (int, error) {
	c, err := r.take()
	if err != nil {
		return 0, err
	}
	var n uint64
	switch {
	case c&0xf0 == 0x80:
		n = uint64(c & 0x0f)
	case c == 0xde:
		n, err = r.be(2)
	case c == 0xdf:
		n, err = r.be(4)
	default:
		return 0, mismatch(c, "a map")
	}
	return r.length(n, 2, err)
}

// length checks that n entries of size values each can still come: a value takes at least one byte. What is allocated for
// a container afterwards is bounded by the limits, even if its values turn out not to be there.
func (r *Reader) length(n uint64, size uint64, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	if n*size > uint64(len(r.b)-r.p) {
		return 0, errTruncated
	}
	if n*size > uint64(max(r.left, 0)) {
		return 0, errElements
	}
	return int(n), nil
}

// Uint reads a number that must be a whole one from 0 to 2^64-1, in any of msgpack's number formats.
func (r *Reader) Uint() (uint64, error) {
	if r.p < len(r.b) && r.b[r.p] < 0x80 && r.left > 0 { // the common case, inlined
		r.left--
		r.p++
		return uint64(r.b[r.p-1]), nil
	}
	n, err := r.Number()
	if err != nil {
		return 0, err
	}
	u, ok := n.Uint64()
	if !ok {
		return 0, Errorf(BadPayload, "%s is not a non-negative whole number", n)
	}
	return u, nil
}

// Int reads a number that must be a whole one and fit 64 bits with a sign.
func (r *Reader) Int() (int64, error) {
	if r.p < len(r.b) && r.left > 0 && (r.b[r.p] < 0x80 || r.b[r.p] >= 0xe0) { // as in Uint
		r.left--
		r.p++
		return int64(int8(r.b[r.p-1])), nil
	}
	n, err := r.Number()
	if err != nil {
		return 0, err
	}
	i, ok := n.Int64()
	if !ok {
		return 0, Errorf(BadPayload, "%s does not fit a signed 64-bit integer", n)
	}
	return i, nil
}

// Str reads a string. The result aliases the frame.
func (r *Reader) Str() ([]byte, error) {
	c, err := r.take()
	if err != nil {
		return nil, err
	}
	var n uint64
	switch {
	case c&0xe0 == 0xa0:
		n = uint64(c & 0x1f)
	case c >= 0xd9 && c <= 0xdb:
		n, err = r.be(1 << (c - 0xd9))
	default:
		return nil, mismatch(c, "a string")
	}
	if err != nil {
		return nil, err
	}
	s, err := r.bytes(n)
	if err == nil && !utf8.Valid(s) {
		err = errUTF8
	}
	return s, err
}

// Bin reads a binary value. The result aliases the frame.
func (r *Reader) Bin() ([]byte, error) {
	c, err := r.take()
	if err != nil {
		return nil, err
	}
	if c < 0xc4 || c > 0xc6 {
		return nil, mismatch(c, "binary")
	}
	n, err := r.be(1 << (c - 0xc4))
	if err != nil {
		return nil, err
	}
	return r.bytes(n)
}

// Bool reads a boolean.
func (r *Reader) Bool() (bool, error) {
	c, err := r.take()
	if err != nil {
		return false, err
	}
	if c != 0xc2 && c != 0xc3 {
		return false, mismatch(c, "a boolean")
	}
	return c == 0xc3, nil
}

// Number reads a number of any format.
func (r *Reader) Number() (Number, error) {
	c, err := r.take()
	if err != nil {
		return Number{}, err
	}
	switch {
	case c <= 0x7f:
		return Number{bits: uint64(c), kind: unsigned}, nil
	case c >= 0xe0:
		return Number{bits: uint64(int64(int8(c))), kind: signed}, nil
	case c == 0xca:
		u, err := r.be(4)
		return Number{bits: math.Float64bits(float64(math.Float32frombits(uint32(u)))), kind: float}, err
	case c == 0xcb:
		u, err := r.be(8)
		return Number{bits: u, kind: float}, err
	case c >= 0xcc && c <= 0xcf:
		u, err := r.be(1 << (c - 0xcc))
		return Number{bits: u, kind: unsigned}, err
	case c >= 0xd0 && c <= 0xd3:
		n := 1 << (c - 0xd0)
		u, err := r.be(n)
		shift := 64 - 8*n
		return signedNumber(int64(u<<shift) >> shift), err
	}
	return Number{}, mismatch(c, "a number")
}

// mismatch says what was found, c being its first byte, where something else was wanted.
func mismatch(c byte, want string) *Error {
	return Errorf(BadPayload, "%s where %s is wanted", kindOf(c), want)
}

// isStr reports whether c begins a string, isArray an array.
func isStr(c byte) bool   { return c&0xe0 == 0xa0 || (c >= 0xd9 && c <= 0xdb) }
func isArray(c byte) bool { return c&0xf0 == 0x90 || c == 0xdc || c == 0xdd }

// kindOf names the kind of value that begins with c.
func kindOf(c byte) string {
	switch {
	case c <= 0x7f || c >= 0xe0 || (c >= 0xca && c <= 0xd3):
		return "a number"
	case c <= 0x8f || c == 0xde || c == 0xdf:
		return "a map"
	case c <= 0x9f || c == 0xdc || c == 0xdd:
		return "an array"
	case c <= 0xbf || (c >= 0xd9 && c <= 0xdb):
		return "a string"
	case c == 0xc0:
		return "nil"
	case c == 0xc2 || c == 0xc3:
		return "a boolean"
	case c >= 0xc4 && c <= 0xc6:
		return "binary"
	case c == 0xc1:
		return "the unused byte 0xc1"
	}
	return "an extension"
}
