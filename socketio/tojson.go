package socketio

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/volley-go/volley/codec"
)

// jsonWriter turns a checked msgpack value into JSON in one pass.
type jsonWriter struct {
	src         []byte
	p           int // next byte of src
	out         []byte
	attach      bool     // binary values become placeholders, not base64
	attachments [][]byte // they alias src
	confusing   bool     // a map has the key by which clients know a placeholder
	depth       int      // arrays and maps that are open
	stack       [codec.MaxDepth]jsonOpen
}

// jsonOpen is an open array or map: the entries still to come in it, twice, plus one for a map.
type jsonOpen int

var (
	errPackEnd   = errors.New("socketio: a msgpack value is cut off")
	errPackTrail = errors.New("socketio: bytes after a msgpack value")
	errPackDepth = errors.New("socketio: a value nests too deeply")
	errPackKey   = errors.New("socketio: a map's key is neither a string nor an integer")
	errConfusing = errors.New("socketio: beside binary values no map can have the key _placeholder")
)

// write turns src into JSON.
func (w *jsonWriter) write() error {
	for {
		if w.p >= len(w.src) {
			return errPackEnd
		}
		opened, err := w.value()
		if err != nil {
			return err
		}
		if opened {
			continue
		}
		if more, err := w.next(); err != nil || !more {
			return err
		}
	}
}

// next writes what stands between two values; more: another value is next.
func (w *jsonWriter) next() (more bool, err error) {
	for w.depth > 0 {
		top := &w.stack[w.depth-1]
		*top -= 2
		isMap := *top&1 == 1
		if *top > 1 {
			w.out = append(w.out, ',')
			if isMap {
				err = w.key()
			}
			return true, err
		}
		w.depth--
		if isMap {
			w.out = append(w.out, '}')
		} else {
			w.out = append(w.out, ']')
		}
	}
	switch {
	case w.p != len(w.src):
		return false, errPackTrail
	case w.confusing && len(w.attachments) > 0:
		return false, errConfusing
	}
	return false, nil
}

// value writes the next value. opened: it is an array or a map, of which the first value is next.
func (w *jsonWriter) value() (opened bool, err error) {
	c := w.src[w.p]
	switch {
	case c <= 0x7f || c >= 0xe0:
		w.p++
		w.out = strconv.AppendInt(w.out, int64(int8(c)), 10)
	case c < fixArray:
		w.p++
		return w.open(int(c&maxFix), true)
	case c < fixStr:
		w.p++
		return w.open(int(c&maxFix), false)
	case startsStr(c):
		s, err := w.rest(strLength(c))
		w.out = appendQuoted(w.out, s)
		return false, err
	case c == msgpackNil:
		w.p++
		w.out = append(w.out, "null"...)
	case c == msgpackFalse:
		w.p++
		w.out = append(w.out, "false"...)
	case c == msgpackTrue:
		w.p++
		w.out = append(w.out, "true"...)
	case c >= 0xca && c <= 0xd3:
		return false, w.number()
	case c >= wideArray && c <= wideMap+1:
		n, err := w.length(2 << (c & 1))
		if err != nil {
			return false, err
		}
		return w.open(n, c >= wideMap)
	case c >= 0xc4 && c <= 0xc6:
		return false, w.bin(1 << (c - 0xc4))
	default:
		return false, w.extension()
	}
	return false, nil
}

// strLength is for rest: how many bytes the length of a string takes that begins with c, or 0 if it is in c itself.
func strLength(c byte) int {
	if c&0xe0 == fixStr {
		return 0
	}
	return 1 << (c - 0xd9)
}

// length reads the length of size bytes that stands after the next byte.
func (w *jsonWriter) length(size int) (int, error) {
	if len(w.src)-w.p <= size {
		return 0, errPackEnd
	}
	b := w.src[w.p+1:]
	w.p += 1 + size
	switch size {
	case 1:
		return int(b[0]), nil
	case 2:
		return int(binary.BigEndian.Uint16(b)), nil
	}
	n := binary.BigEndian.Uint32(b)
	if uint64(n) > uint64(len(w.src)) {
		return 0, errPackEnd
	}
	return int(n), nil
}

// rest reads a string or a binary value with a length of size bytes, 0 for a short string.
func (w *jsonWriter) rest(size int) (s []byte, err error) {
	var n int
	if size == 0 {
		n = int(w.src[w.p] & maxFixStr)
		w.p++
	} else if n, err = w.length(size); err != nil {
		return nil, err
	}
	if n > len(w.src)-w.p {
		return nil, errPackEnd
	}
	s = w.src[w.p : w.p+n : w.p+n]
	w.p += n
	return s, nil
}

// open begins an array of n elements or a map of n entries, unless it is empty.
func (w *jsonWriter) open(n int, isMap bool) (opened bool, err error) {
	switch {
	case n == 0 && isMap:
		w.out = append(w.out, "{}"...)
		return false, nil
	case n == 0:
		w.out = append(w.out, "[]"...)
		return false, nil
	case w.depth == len(w.stack):
		return false, errPackDepth
	}
	level := jsonOpen(n) << 1
	if isMap {
		w.stack[w.depth] = level | 1
		w.depth++
		w.out = append(w.out, '{')
		return true, w.key()
	}
	w.stack[w.depth] = level
	w.depth++
	w.out = append(w.out, '[')
	return true, nil
}

// key writes a map's key and the colon after it.
func (w *jsonWriter) key() error {
	if w.p >= len(w.src) {
		return errPackEnd
	}
	c := w.src[w.p]
	switch {
	case startsStr(c):
		s, err := w.rest(strLength(c))
		if err != nil {
			return err
		}
		w.confusing = w.confusing || string(s) == "_placeholder"
		w.out = append(appendQuoted(w.out, s), ':')
		return nil
	case c <= 0x7f || c >= 0xe0:
		w.p++
		w.out = strconv.AppendInt(append(w.out, '"'), int64(int8(c)), 10)
	case c >= 0xcc && c <= 0xd3:
		w.out = append(w.out, '"')
		if err := w.number(); err != nil {
			return err
		}
	default:
		return errPackKey
	}
	w.out = append(w.out, '"', ':')
	return nil
}

// number writes a number of more than one byte.
func (w *jsonWriter) number() error {
	t := w.src[w.p:]
	n := token(t)
	if n == 0 {
		return errPackEnd
	}
	w.p += n
	switch t[0] {
	case 0xca:
		w.out = appendFloat(w.out, float64(math.Float32frombits(binary.BigEndian.Uint32(t[1:]))), 32)
	case msgpackFloat:
		w.out = appendFloat(w.out, math.Float64frombits(binary.BigEndian.Uint64(t[1:])), 64)
	case 0xcc:
		w.out = strconv.AppendUint(w.out, uint64(t[1]), 10)
	case 0xcd:
		w.out = strconv.AppendUint(w.out, uint64(binary.BigEndian.Uint16(t[1:])), 10)
	case 0xce:
		w.out = strconv.AppendUint(w.out, uint64(binary.BigEndian.Uint32(t[1:])), 10)
	case 0xcf:
		w.out = strconv.AppendUint(w.out, binary.BigEndian.Uint64(t[1:]), 10)
	case 0xd0:
		w.out = strconv.AppendInt(w.out, int64(int8(t[1])), 10)
	case 0xd1:
		w.out = strconv.AppendInt(w.out, int64(int16(binary.BigEndian.Uint16(t[1:]))), 10)
	case 0xd2:
		w.out = strconv.AppendInt(w.out, int64(int32(binary.BigEndian.Uint32(t[1:]))), 10)
	default:
		w.out = strconv.AppendInt(w.out, int64(binary.BigEndian.Uint64(t[1:])), 10)
	}
	return nil
}

// bin writes a binary value with a length of size bytes.
func (w *jsonWriter) bin(size int) error {
	b, err := w.rest(size)
	if err != nil {
		return err
	}
	if !w.attach {
		w.out = append(base64.StdEncoding.AppendEncode(append(w.out, '"'), b), '"')
		return nil
	}
	w.out = append(w.out, `{"_placeholder":true,"num":`...)
	w.out = append(strconv.AppendInt(w.out, int64(len(w.attachments)), 10), '}')
	w.attachments = append(w.attachments, b)
	return nil
}

// extension writes a timestamp as JavaScript writes its dates, and null for everything else.
func (w *jsonWriter) extension() error {
	t := w.src[w.p:]
	n := token(t)
	if n == 0 {
		return errPackEnd
	}
	w.p += n
	if ms, ok := unixMillis(t[:n]); ok {
		if at := time.UnixMilli(ms).UTC(); at.Year() >= 0 && at.Year() <= 9999 {
			w.out = at.AppendFormat(w.out, `"2006-01-02T15:04:05.000Z"`)
			return nil
		}
	}
	w.out = append(w.out, "null"...)
	return nil
}

// appendFloat appends a number as JavaScript writes it; what is none becomes null.
func appendFloat(b []byte, f float64, size int) []byte {
	abs := math.Abs(f)
	switch {
	case f == 0: // -0 too
		return append(b, '0')
	case math.IsNaN(f) || math.IsInf(f, 0):
		return append(b, "null"...)
	case abs >= 1e-6 && abs < 1e21:
		return strconv.AppendFloat(b, f, 'f', -1, size)
	}
	b = strconv.AppendFloat(b, f, 'e', -1, size)
	if n := len(b); b[n-4] == 'e' && b[n-2] == '0' { // e-07
		b[n-2] = b[n-1]
		b = b[:n-1]
	}
	return b
}

// appendQuoted appends a string, valid UTF-8, in JSON.
func appendQuoted(b, s []byte) []byte {
	b = append(b, '"')
	for {
		n := plainLength(s)
		b = append(b, s[:n]...)
		if n == len(s) {
			return append(b, '"')
		}
		b = appendEscape(b, s[n])
		s = s[n+1:]
	}
}

// appendEscape appends a quote, a backslash or a control character.
func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\b':
		return append(b, `\b`...)
	case '\f':
		return append(b, `\f`...)
	case '\n':
		return append(b, `\n`...)
	case '\r':
		return append(b, `\r`...)
	case '\t':
		return append(b, `\t`...)
	}
	const hex = "0123456789abcdef"
	return append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}
