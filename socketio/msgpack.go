package socketio

import (
	"encoding/binary"
	"math"
)

// First bytes of msgpack values.
const (
	msgpackNil   = 0xc0
	msgpackFalse = 0xc2
	msgpackTrue  = 0xc3
	msgpackFloat = 0xcb // 64 bits
	fixMap       = 0x80
	fixArray     = 0x90
	fixStr       = 0xa0
	wideArray    = 0xdc // 16 bits; the next one has 32
	wideMap      = 0xde // likewise
	maxFix       = 15   // entries that a fixMap or a fixArray can have
	maxFixStr    = 31   // bytes of a fixStr
)

func startsMap(c byte) bool   { return c&0xf0 == fixMap || c == wideMap || c == wideMap+1 }
func startsArray(c byte) bool { return c&0xf0 == fixArray || c == wideArray || c == wideArray+1 }
func startsStr(c byte) bool   { return c&0xe0 == fixStr || c >= 0xd9 && c <= 0xdb }

// appendStr appends a string, which must be valid UTF-8.
func appendStr(b, s []byte) []byte {
	switch n := len(s); {
	case n <= maxFixStr:
		b = append(b, fixStr|byte(n))
	case n <= math.MaxUint8:
		b = append(b, 0xd9, byte(n))
	case n <= math.MaxUint16:
		b = append(b, 0xda, byte(n>>8), byte(n))
	default:
		b = binary.BigEndian.AppendUint32(append(b, 0xdb), uint32(n))
	}
	return append(b, s...)
}

// strHeader is how many bytes stand before the n bytes of a string.
func strHeader(n int) int {
	switch {
	case n <= maxFixStr:
		return 1
	case n <= math.MaxUint8:
		return 2
	case n <= math.MaxUint16:
		return 3
	}
	return 5
}

// Sizes of tokens, by their first byte: all their bytes, or a header with a length at its end.
const (
	sizeMask  = 0x1f // bytes of the token, or of its header
	oneLength = 0x20 // the header ends with a length of one byte
	twoLength = 0x40 // of two
	fourBytes = 0x60 // of four
	typeByte  = 0x80 // before what the length counts stands an extension's type
)

var tokenSizes = func() (t [256]uint8) {
	for c := range t {
		t[c] = 1
	}
	for c, size := range map[int]uint8{
		0xc4: 2 | oneLength, 0xc5: 3 | twoLength, 0xc6: 5 | fourBytes,
		0xc7: 2 | oneLength | typeByte, 0xc8: 3 | twoLength | typeByte, 0xc9: 5 | fourBytes | typeByte,
		0xca: 5, 0xcb: 9, 0xcc: 2, 0xcd: 3, 0xce: 5, 0xcf: 9, 0xd0: 2, 0xd1: 3, 0xd2: 5, 0xd3: 9,
		0xd4: 3, 0xd5: 4, 0xd6: 6, 0xd7: 10, 0xd8: 18,
		0xd9: 2 | oneLength, 0xda: 3 | twoLength, 0xdb: 5 | fourBytes,
		0xdc: 3, 0xdd: 5, 0xde: 3, 0xdf: 5,
	} {
		t[c] = size
	}
	return t
}()

// token returns how many bytes the first token of b has: a value, or the header of an array or a map. 0: b ends before it does.
// b is not empty.
func token(b []byte) int {
	size := tokenSizes[b[0]]
	n := int(size & sizeMask)
	if b[0]&0xe0 == fixStr {
		n = 1 + int(b[0]&maxFixStr)
	} else if size > sizeMask {
		if n > len(b) {
			return 0
		}
		switch size & fourBytes {
		case oneLength:
			n += int(b[1])
		case twoLength:
			n += int(binary.BigEndian.Uint16(b[1:]))
		case fourBytes:
			n += int(binary.BigEndian.Uint32(b[1:]))
		}
		if size&typeByte != 0 {
			n++
		}
	}
	if n < 0 || n > len(b) {
		return 0
	}
	return n
}

// appendTimestamp appends a timestamp, msgpack's extension -1, in its shortest form.
func appendTimestamp(b []byte, sec, nsec int64) []byte {
	switch {
	case nsec == 0 && sec >= 0 && sec <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, 0xd6, 0xff), uint32(sec))
	case sec >= 0 && sec < 1<<34:
		return binary.BigEndian.AppendUint64(append(b, 0xd7, 0xff), uint64(nsec)<<34|uint64(sec))
	}
	b = binary.BigEndian.AppendUint32(append(b, 0xc7, 12, 0xff), uint32(nsec))
	return binary.BigEndian.AppendUint64(b, uint64(sec))
}

// timestamp reads a token, all of it: is it a timestamp, and when?
func timestamp(t []byte) (sec, nsec int64, ok bool) {
	switch {
	case len(t) == 6 && t[0] == 0xd6 && t[1] == 0xff:
		sec = int64(binary.BigEndian.Uint32(t[2:]))
	case len(t) == 10 && t[0] == 0xd7 && t[1] == 0xff:
		u := binary.BigEndian.Uint64(t[2:])
		sec, nsec = int64(u&(1<<34-1)), int64(u>>34)
	case len(t) == 15 && t[0] == 0xc7 && t[2] == 0xff:
		nsec, sec = int64(binary.BigEndian.Uint32(t[3:])), int64(binary.BigEndian.Uint64(t[7:]))
	default:
		return 0, 0, false
	}
	return sec, nsec, nsec <= 999_999_999
}

// maxDate is how far a JavaScript Date may be from the epoch, in seconds.
const maxDate = 8_640_000_000_000

// unixMillis reads a timestamp's token as JavaScript's dates count.
func unixMillis(t []byte) (ms int64, ok bool) {
	sec, nsec, ok := timestamp(t)
	if !ok || sec < -maxDate || sec >= maxDate {
		return 0, false
	}
	return sec*1000 + nsec/1_000_000, true
}
