package socketio

import (
	"encoding/binary"
	"math/bits"
	"sync"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/volley-go/volley/codec"
)

// jsonReader turns JSON into msgpack in one pass. The header of an array or a map is one byte until its end shows how many
// entries it has; what has many is then moved. Keep one while it is in use: it belongs to one goroutine.
type jsonReader struct {
	src   []byte // valid UTF-8
	p     int    // next byte of src
	out   []byte
	left  int // values that may still come
	depth int // arrays and objects that are open
	most  int // that may be
	stack [codec.MaxDepth]jsonLevel
	keys  []jsonKey // of the objects that are open
	table []int32   // of supersedeMany

	attachments int // that are to come; -1: a placeholder is an object like any other
	holes       []jsonHole
}

// jsonLevel is an open array or object.
type jsonLevel struct {
	start int // of its header in out
	n     int // entries, the one under way included
	keys  int // where an object's begin in jsonReader.keys; -1: an array
}

// jsonHole is a nil in out that an attachment is to replace. Holes are in the order of their places.
type jsonHole struct{ at, num int }

// payloadLevel is the level of nesting that codec.Scan counts from.
const payloadLevel = 3

var (
	errJSON        = &codec.Error{Code: codec.Malformed, Reason: "the payload is not JSON"}
	errJSONEnd     = &codec.Error{Code: codec.Malformed, Reason: "the payload ends before its JSON does"}
	errJSONTrail   = &codec.Error{Code: codec.Malformed, Reason: "text after the payload's JSON"}
	errJSONKey     = &codec.Error{Code: codec.Malformed, Reason: "the payload is not JSON: a key is not a string with a colon"}
	errJSONString  = &codec.Error{Code: codec.Malformed, Reason: "the payload is not JSON: a control character or a bad escape"}
	errJSONNumber  = &codec.Error{Code: codec.Malformed, Reason: "the payload is not JSON: a number is badly written"}
	errHugeNumber  = &codec.Error{Code: codec.Malformed, Reason: "a number is beyond what a float64 can hold"}
	errPlaceholder = &codec.Error{Code: codec.Malformed, Reason: "a placeholder for no attachment"}
	errJSONDepth   = &codec.Error{Code: codec.TooComplex, Reason: "too many levels of nesting"}
	errJSONValues  = &codec.Error{Code: codec.TooComplex, Reason: "too many values"}
)

var jsonReaders = sync.Pool{New: func() any { return new(jsonReader) }}

// What a jsonReader may keep between two packets.
const (
	keptBytes = 64 << 10
	keptKeys  = 1 << 10
)

// newJSONReader returns one that release takes back.
func newJSONReader() *jsonReader { return jsonReaders.Get().(*jsonReader) }

func (t *jsonReader) release() {
	t.src = nil
	if cap(t.out) > keptBytes {
		t.out = nil
	}
	if cap(t.keys) > keptKeys {
		t.keys, t.table = nil, nil
	}
	jsonReaders.Put(t)
}

// read turns the JSON text src, valid UTF-8, into t.out, which codec.Scan accepts under the same limits, and t.holes.
func (t *jsonReader) read(src []byte, limits codec.Limits, attachments int) error {
	limits = limits.WithDefaults()
	t.src, t.p, t.out = src, 0, t.out[:0]
	t.left, t.depth, t.most = limits.Elements, 0, limits.Depth-payloadLevel
	t.keys, t.holes, t.attachments = t.keys[:0], t.holes[:0], attachments
	for {
		opened, err := t.value()
		if err != nil {
			return err
		}
		if opened {
			continue
		}
		if more, err := t.next(); err != nil || !more {
			return err
		}
	}
}

// peek passes white space and returns the byte after it, which stays; 0: there is none.
func (t *jsonReader) peek() byte {
	for p := t.p; p < len(t.src); p++ {
		if c := t.src[p]; c > ' ' || c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			t.p = p
			return c
		}
	}
	t.p = len(t.src)
	return 0
}

// unexpected says what is wrong where neither a value nor its end is.
func (t *jsonReader) unexpected() error {
	if t.p >= len(t.src) {
		return errJSONEnd
	}
	return errJSON
}

// value reads the next value. opened: it is an array or an object, of which the first value is next.
func (t *jsonReader) value() (opened bool, err error) {
	c := t.peek()
	if t.left == 0 {
		return false, errJSONValues
	}
	t.left--
	switch c {
	case '"':
		_, err = t.str()
	case '{':
		return t.open(fixMap, '}')
	case '[':
		return t.open(fixArray, ']')
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		err = t.number()
	case 't':
		err = t.literal("true", msgpackTrue)
	case 'f':
		err = t.literal("false", msgpackFalse)
	case 'n':
		err = t.literal("null", msgpackNil)
	default:
		err = t.unexpected()
	}
	return false, err
}

func (t *jsonReader) literal(word string, c byte) error {
	rest := t.src[t.p:]
	if len(rest) < len(word) || string(rest[:len(word)]) != word {
		return errJSON
	}
	t.p += len(word)
	t.out = append(t.out, c)
	return nil
}

// open begins an array or an object, unless it is empty.
func (t *jsonReader) open(header, end byte) (opened bool, err error) {
	t.p++
	t.out = append(t.out, header)
	if t.peek() == end {
		t.p++
		return false, nil
	}
	if t.depth >= t.most {
		return false, errJSONDepth
	}
	level := &t.stack[t.depth]
	t.depth++
	level.start, level.n, level.keys = len(t.out)-1, 1, -1
	if header == fixMap {
		level.keys = len(t.keys)
		err = t.key()
	}
	return true, err
}

// next passes what stands between two values; more: another value is next.
func (t *jsonReader) next() (more bool, err error) {
	for t.depth > 0 {
		level := &t.stack[t.depth-1]
		c := t.peek()
		t.p++
		switch {
		case c == ',':
			level.n++
			if level.keys >= 0 {
				err = t.key()
			}
			return true, err
		case c == ']' && level.keys < 0 || c == '}' && level.keys >= 0:
			t.depth--
			if err := t.end(level); err != nil {
				return false, err
			}
		default:
			t.p--
			return false, t.unexpected()
		}
	}
	if t.peek(); t.p < len(t.src) {
		return false, errJSONTrail
	}
	return false, nil
}

// end ends an array or an object.
func (t *jsonReader) end(level *jsonLevel) error {
	if level.keys < 0 {
		t.header(level.start, level.n, fixArray, wideArray)
		return nil
	}
	keys := t.keys[level.keys:]
	t.keys = t.keys[:level.keys]
	if t.attachments >= 0 {
		if is, err := t.placeholder(level.start, keys); is || err != nil {
			return err
		}
	}
	n := level.n
	if t.supersede(keys) {
		n = t.drop(keys)
	}
	t.header(level.start, n, fixMap, wideMap)
	return nil
}

// header writes the header of an array or a map of n entries, for which one byte was left.
func (t *jsonReader) header(start, n int, fix, wide byte) {
	if n <= maxFix {
		t.out[start] = fix | byte(n)
		return
	}
	more := 2
	if n > 1<<16-1 {
		more = 4
	}
	t.out = append(t.out, "1234"[:more]...)
	b := t.out[start:]
	copy(b[1+more:], b[1:])
	for i := len(t.holes) - 1; i >= 0 && t.holes[i].at >= start; i-- {
		t.holes[i].at += more
	}
	if more == 2 {
		b[0] = wide
		binary.BigEndian.PutUint16(b[1:], uint16(n))
	} else {
		b[0] = wide + 1
		binary.BigEndian.PutUint32(b[1:], uint32(n))
	}
}

// key reads an object's key and the colon after it.
func (t *jsonReader) key() error {
	if t.peek() != '"' {
		if t.p >= len(t.src) {
			return errJSONEnd
		}
		return errJSONKey
	}
	if t.left == 0 {
		return errJSONValues
	}
	t.left--
	at := len(t.out)
	n, err := t.str()
	if err != nil {
		return err
	}
	t.keys = append(t.keys, jsonKey{at: at, size: n, mark: markOf(t.out, n)})
	if t.peek() != ':' {
		if t.p >= len(t.src) {
			return errJSONEnd
		}
		return errJSONKey
	}
	t.p++
	return nil
}

// placeholder takes an object that stands for an attachment out again. It has a _placeholder that is true, and a num.
func (t *jsonReader) placeholder(start int, keys []jsonKey) (is bool, err error) {
	num := -1
	for i := range keys {
		name := keys[i].in(t.out)
		value := t.out[keys[i].end():]
		switch string(name) {
		case "_placeholder":
			is = value[0] == msgpackTrue
		case "num":
			r := codec.NewReader(value, codec.ServerLimits)
			if u, err := r.Uint(); err == nil && u < uint64(t.attachments) {
				num = int(u)
			} else {
				num = -1
			}
		}
	}
	if !is {
		return false, nil
	}
	if num < 0 {
		return true, errPlaceholder
	}
	for len(t.holes) > 0 && t.holes[len(t.holes)-1].at >= start {
		t.holes = t.holes[:len(t.holes)-1] // in an entry that is not looked at; its attachment will be found missing
	}
	t.holes = append(t.holes, jsonHole{start, num})
	t.out = append(t.out[:start], msgpackNil)
	return true, nil
}

// str reads the string whose opening quote is next. n is how many bytes it has, which are the last ones of out.
func (t *jsonReader) str() (n int, err error) {
	s := t.src[t.p+1:]
	n = plainLength(s)
	if n < len(s) && s[n] == '"' {
		t.out = appendStr(t.out, s[:n])
		t.p += n + 2
		return n, nil
	}
	start := len(t.out)
	t.out = append(append(t.out, fixStr), s[:n]...)
	for {
		switch {
		case n >= len(s):
			return 0, errJSONEnd
		case s[n] == '"':
			t.p += n + 2
			return t.strHeader(start), nil
		case s[n] != '\\':
			return 0, errJSONString
		}
		size, err := t.escape(s[n+1:])
		if err != nil {
			return 0, err
		}
		n += 1 + size
		more := plainLength(s[n:])
		t.out = append(t.out, s[n:n+more]...)
		n += more
	}
}

// strHeader writes the header of a string that ends out, for which one byte was left, and returns how many bytes it has.
func (t *jsonReader) strHeader(start int) int {
	n := len(t.out) - start - 1
	if n <= maxFixStr {
		t.out[start] = fixStr | byte(n)
		return n
	}
	more := strHeader(n) - 1
	t.out = append(t.out, "1234"[:more]...)
	b := t.out[start:]
	copy(b[1+more:], b[1:])
	switch more {
	case 1:
		b[0], b[1] = 0xd9, byte(n)
	case 2:
		b[0] = 0xda
		binary.BigEndian.PutUint16(b[1:], uint16(n))
	default:
		b[0] = 0xdb
		binary.BigEndian.PutUint32(b[1:], uint32(n))
	}
	return n
}

// escape appends what the escape whose backslash stands before s means, and returns how long it is.
func (t *jsonReader) escape(s []byte) (size int, err error) {
	if len(s) == 0 {
		return 0, errJSONEnd
	}
	c := s[0]
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		return t.unicode(s)
	default:
		return 0, errJSONString
	}
	t.out = append(t.out, c)
	return 1, nil
}

// unicode is escape for uXXXX. Half a surrogate pair becomes U+FFFD.
func (t *jsonReader) unicode(s []byte) (size int, err error) {
	r, ok := hex4(s[1:])
	if !ok {
		return 0, errJSONString
	}
	size = 5
	if utf16.IsSurrogate(r) {
		half := r
		r = utf8.RuneError
		if rest := s[5:]; len(rest) >= 6 && rest[0] == '\\' && rest[1] == 'u' {
			if other, ok := hex4(rest[2:]); ok {
				if r = utf16.DecodeRune(half, other); r != utf8.RuneError {
					size = 11
				}
			}
		}
	}
	t.out = utf8.AppendRune(t.out, r)
	return size, nil
}

// hex4 reads four hexadecimal digits.
func hex4(s []byte) (r rune, ok bool) {
	if len(s) < 4 {
		return 0, false
	}
	for _, c := range s[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// plainLength returns how many bytes of s come before the first quote, backslash or control character.
func plainLength(s []byte) int {
	const low, high = 0x0101010101010101, 0x8080808080808080
	n := 0
	for ; n+8 <= len(s); n += 8 {
		u := binary.LittleEndian.Uint64(s[n:])
		quote, slash := u^'"'*low, u^'\\'*low
		// In each term, the lowest byte whose high bit is set is one that is looked for.
		if found := ((u-' '*low)&^u | (quote-low)&^quote | (slash-low)&^slash) & high; found != 0 {
			return n + bits.TrailingZeros64(found)/8
		}
	}
	for ; n < len(s) && s[n] >= ' ' && s[n] != '"' && s[n] != '\\'; n++ {
	}
	return n
}
