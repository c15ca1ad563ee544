package codec

import "unicode/utf8"

// Scan checks that b is exactly one well-formed msgpack value within the limits, as a payload. It does not recurse or
// allocate. It cannot see a key that comes twice in a map: that is found when the payload is decoded.
func Scan(b []byte, limits Limits) error {
	r := NewReader(b, limits)
	if _, err := r.Value(); err != nil {
		return err
	}
	return r.Done()
}

// Levels are how many arrays and maps enclose a value: the nesting limit counts from the frame's own array.
const (
	elementLevel = 1 // an element of a frame
	factLevel    = 2 // a value in a frame's map of facts or options
	resumeLevel  = 3 // in HELLO's resume, a list in that map
	payloadLevel = 3 // in [frame, [packets, [packet]]]
)

// Value checks the next value, whatever it is, with everything inside it, and returns its bytes, which alias the frame.
// Nesting is counted as for a payload.
func (r *Reader) Value() ([]byte, error) { return r.value(payloadLevel) }

// value is Value at a level. Most values are scalars or hold nothing but scalars: they need no stack.
func (r *Reader) value(level int) ([]byte, error) {
	start := r.p
	left, isMap, err := r.shallow()
	if err != nil {
		return nil, err
	}
	if left == 0 {
		return r.b[start:r.p:r.p], nil
	}
	if level >= r.limits.Depth {
		return nil, errDepth
	}
	for {
		if left = r.run(left, isMap); left == 0 {
			break
		}
		if isMap && left&1 == 0 && r.p < len(r.b) && !isKey(r.b[r.p]) {
			return nil, errMapKey
		}
		left--
		children, childIsMap, err := r.shallow()
		if err != nil {
			return nil, err
		}
		if children > 0 {
			if err := r.nested(level+1, pack(left, isMap), pack(children, childIsMap)); err != nil {
				return nil, err
			}
			break
		}
	}
	return r.b[start:r.p:r.p], nil
}

// open is a container under way: the values still to come in it, twice, plus one for a map. A map counts keys and values
// together: an even number left means that a key is next.
type open uint64

func pack(left int, isMap bool) open {
	if isMap {
		return open(left)<<1 | 1
	}
	return open(left) << 1
}

// nested checks what is left of an inner container and of the outer one that it stands in; inner is at level.
func (r *Reader) nested(level int, outer, inner open) error {
	var stack [MaxDepth]open
	stack[0] = outer
	depth := 1 // containers on the stack, all around the current one
	current := inner
	if level >= r.limits.Depth {
		return errDepth
	}
	for {
		current = pack(r.run(int(current>>1), current&1 == 1), current&1 == 1)
		for current>>1 == 0 {
			if depth == 0 {
				return nil
			}
			depth--
			current = stack[depth]
		}
		if current&3 == 1 && r.p < len(r.b) && !isKey(r.b[r.p]) {
			return errMapKey
		}
		current -= 2
		children, isMap, err := r.shallow()
		if err != nil {
			return err
		}
		if children > 0 {
			if level+depth >= r.limits.Depth {
				return errDepth
			}
			stack[depth] = current
			depth++
			current = pack(children, isMap)
		}
	}
}

// isKey reports whether c begins a string or an integer.
func isKey(c byte) bool {
	return c <= 0x7f || c >= 0xe0 || c&0xe0 == 0xa0 || (c >= 0xcc && c <= 0xd3) || (c >= 0xd9 && c <= 0xdb)
}

// shallow checks one value without those inside it and returns how many those are.
func (r *Reader) shallow() (children int, isMap bool, err error) {
	c, err := r.take()
	if err != nil {
		return 0, false, err
	}
	var n uint64
	switch {
	case c <= 0x7f || c >= 0xe0:
		return 0, false, nil
	case c <= 0x8f:
		children, err = r.length(uint64(c&0x0f), 2, nil)
		return 2 * children, true, err
	case c <= 0x9f:
		children, err = r.length(uint64(c&0x0f), 1, nil)
		return children, false, err
	case c <= 0xbf:
		return 0, false, r.skipStr(uint64(c & 0x1f))
	}
	switch c {
	case 0xc0, 0xc2, 0xc3:
		return 0, false, nil
	case 0xc1:
		return 0, false, errNever
	case 0xc4, 0xc5, 0xc6:
		if n, err = r.be(1 << (c - 0xc4)); err == nil {
			_, err = r.bytes(n)
		}
	case 0xca, 0xcb:
		_, err = r.be(4 << (c - 0xca))
	case 0xcc, 0xcd, 0xce, 0xcf:
		_, err = r.be(1 << (c - 0xcc))
	case 0xd0, 0xd1, 0xd2, 0xd3:
		_, err = r.be(1 << (c - 0xd0))
	case 0xd9, 0xda, 0xdb:
		if n, err = r.be(1 << (c - 0xd9)); err == nil {
			err = r.skipStr(n)
		}
	case 0xdc, 0xdd:
		n, err = r.be(2 << (c - 0xdc))
		children, err = r.length(n, 1, err)
	case 0xde, 0xdf:
		n, err = r.be(2 << (c - 0xde))
		children, err = r.length(n, 2, err)
		return 2 * children, true, err
	default:
		err = r.skipExt(c)
	}
	return children, false, err
}

func (r *Reader) skipStr(n uint64) error {
	s, err := r.bytes(n)
	if err == nil && !utf8.Valid(s) {
		return errUTF8
	}
	return err
}

// skipExt checks an extension that begins with c: a timestamp of 4, 8 or 12 bytes and nothing else.
func (r *Reader) skipExt(c byte) (err error) {
	var n uint64
	switch {
	case c == 0xd6:
		n = 4
	case c == 0xd7:
		n = 8
	case c == 0xc7:
		n, err = r.be(1)
	default:
		return errExtension
	}
	if err != nil {
		return err
	}
	id, err := r.be(1)
	if err != nil {
		return err
	}
	if int8(id) != -1 || (c == 0xc7 && n != 12) {
		return errExtension
	}
	r.exts++
	_, err = r.bytes(n)
	return err
}
