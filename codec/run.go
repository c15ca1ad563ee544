package codec

import "encoding/binary"

// What a value's first byte says, for run.
const (
	sizeBits = 0x0f // of a scalar: all its bytes, the first included; 0 for what run leaves to shallow
	shortStr = 0x40 // a string of up to 31 bytes
	keyBit   = 0x80 // it may be a map's key
)

var kinds = func() (k [256]uint8) {
	for c := range k {
		switch {
		case c <= 0x7f || c >= 0xe0 || c == 0xc0 || c == 0xc2 || c == 0xc3:
			k[c] = 1
		case c == 0xca || c == 0xcb:
			k[c] = 1 + 4<<(c-0xca)
		case c >= 0xcc && c <= 0xcf:
			k[c] = 1 + 1<<(c-0xcc)
		case c >= 0xd0 && c <= 0xd3:
			k[c] = 1 + 1<<(c-0xd0)
		case c&0xe0 == 0xa0:
			k[c] = shortStr
		}
		if isKey(byte(c)) {
			k[c] |= keyBit
		}
	}
	return k
}()

// run passes the next scalars and short ASCII strings of a container that left values are still to come in, and returns how
// many are to come then. It is only there for speed: it stops before any value that is not plainly in order, and shallow
// says what that is.
func (r *Reader) run(left int, isMap bool) int {
	b, p := r.b, r.p
	most := min(left, r.left)
	taken := 0
	for taken < most && p < len(b) {
		c := b[p]
		kind := kinds[c]
		if isMap && (left-taken)&1 == 0 && kind&keyBit == 0 {
			break
		}
		end := p + int(kind&sizeBits)
		if kind&shortStr != 0 {
			end = p + 1 + int(c&0x1f)
		}
		if end == p || end > len(b) || kind&shortStr != 0 && !isASCII(b[p+1:end]) {
			break
		}
		p = end
		taken++
	}
	r.p = p
	r.left -= taken
	return left - taken
}

func isASCII(s []byte) bool {
	for len(s) >= 8 {
		if binary.LittleEndian.Uint64(s)&0x8080808080808080 != 0 {
			return false
		}
		s = s[8:]
	}
	var all byte
	for _, c := range s {
		all |= c
	}
	return all < 0x80
}
