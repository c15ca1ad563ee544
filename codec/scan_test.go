package codec

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf8"
)

// reference is Scan written down as plainly as possible: recursive, and with no care for speed.
type reference struct {
	b            []byte
	left, levels int
}

func referenceScan(b []byte, limits Limits) Code {
	limits = limits.WithDefaults()
	s := reference{b: b, left: limits.Elements, levels: limits.Depth}
	if code := s.value(payloadLevel); code != 0 {
		return code
	}
	if len(s.b) > 0 {
		return Malformed
	}
	return 0
}

func (s *reference) value(level int) Code {
	if len(s.b) == 0 {
		return Malformed
	}
	if s.left == 0 {
		return TooComplex
	}
	s.left--
	c := s.b[0]
	s.b = s.b[1:]
	switch {
	case c <= 0x7f, c >= 0xe0, c == 0xc0, c == 0xc2, c == 0xc3:
		return 0
	case c <= 0x8f:
		return s.container(uint64(c&15), true, level)
	case c <= 0x9f:
		return s.container(uint64(c&15), false, level)
	case c <= 0xbf:
		return s.text(uint64(c & 31))
	case c == 0xc4, c == 0xc5, c == 0xc6:
		return s.after(1<<(c-0xc4), func(n uint64) Code { return s.skip(n) })
	case c == 0xca:
		return s.skip(4)
	case c == 0xcb:
		return s.skip(8)
	case c >= 0xcc && c <= 0xcf:
		return s.skip(1 << (c - 0xcc))
	case c >= 0xd0 && c <= 0xd3:
		return s.skip(1 << (c - 0xd0))
	case c == 0xd6 && len(s.b) >= 5 && s.b[0] == 0xff:
		return s.skip(5)
	case c == 0xd7 && len(s.b) >= 9 && s.b[0] == 0xff:
		return s.skip(9)
	case c == 0xc7 && len(s.b) >= 14 && s.b[0] == 12 && s.b[1] == 0xff:
		return s.skip(14)
	case c >= 0xd9 && c <= 0xdb:
		return s.after(1<<(c-0xd9), s.text)
	case c == 0xdc, c == 0xdd:
		return s.after(2<<(c-0xdc), func(n uint64) Code { return s.container(n, false, level) })
	case c == 0xde, c == 0xdf:
		return s.after(2<<(c-0xde), func(n uint64) Code { return s.container(n, true, level) })
	}
	return Malformed
}

// after reads a number of size bytes and calls f with it.
func (s *reference) after(size int, f func(uint64) Code) Code {
	if len(s.b) < size {
		return Malformed
	}
	n := binary.BigEndian.Uint64(append(make([]byte, 8-size), s.b[:size]...))
	s.b = s.b[size:]
	return f(n)
}

func (s *reference) skip(n uint64) Code {
	if uint64(len(s.b)) < n {
		return Malformed
	}
	s.b = s.b[n:]
	return 0
}

func (s *reference) text(n uint64) Code {
	if uint64(len(s.b)) < n || !utf8.Valid(s.b[:n]) {
		return Malformed
	}
	return s.skip(n)
}

func (s *reference) container(n uint64, isMap bool, level int) Code {
	values := n
	if isMap {
		values = 2 * n
	}
	switch {
	case values > uint64(len(s.b)):
		return Malformed
	case values > uint64(s.left):
		return TooComplex
	case n > 0 && level+1 > s.levels:
		return TooComplex
	}
	for i := range values {
		if isMap && i%2 == 0 && len(s.b) > 0 && !isKey(s.b[0]) {
			return Malformed
		}
		if code := s.value(level + 1); code != 0 {
			return code
		}
	}
	return 0
}

var scanCases = []struct {
	name, hex string
	want      Code
}{
	{"nothing", "", Malformed},
	{"nil", "c0", 0},
	{"two values", "c0 c0", Malformed},
	{"0xc1", "c1", Malformed},
	{"0xc1 inside", "92 00 c1", Malformed},
	{"booleans", "92 c2 c3", 0},
	{"fixed numbers", "94 00 7f e0 ff", 0},
	{"unsigned", "94 cc 01 cd 0001 ce 00000001 cf 0000000000000001", 0},
	{"signed", "94 d0 01 d1 0001 d2 00000001 d3 0000000000000001", 0},
	{"floats", "92 ca 7fc00000 cb 7ff0000000000000", 0},
	{"a cut uint16", "cd 00", Malformed},
	{"a cut float64", "cb 00000000000000", Malformed},
	{"strings", "94 a1 78 d9 01 78 da 0001 78 db 00000001 78", 0},
	{"a string longer than the bytes", "a2 78", Malformed},
	{"a string of 4 GiB", "db ffffffff 78", Malformed},
	{"a string that is not UTF-8", "a1 80", Malformed},
	{"a surrogate in a string", "a3 eda080", Malformed},
	{"an overlong NUL", "a2 c080", Malformed},
	{"a key that is not UTF-8", "81 a1 ff c0", Malformed},
	{"binaries of any bytes", "93 c4 02 ff80 c5 0001 c1 c6 00000001 fe", 0},
	{"a binary of 1 GiB", "c6 40000000", Malformed},
	{"a binary's length cut", "c6 400000", Malformed},
	{"an empty map and array", "92 80 90", 0},
	{"wide empty containers", "94 dc 0000 dd 00000000 de 0000 df 00000000", 0},
	{"string and integer keys", "87 a1 61 00 05 00 ff 00 cf 0000000000000001 00 d0 80 00 d9 01 61 00 db 00000000 00", 0},
	{"a key nil", "81 c0 c0", Malformed},
	{"a key true", "81 c3 c0", Malformed},
	{"a key float", "81 ca 00000000 c0", Malformed},
	{"a key binary", "81 c4 00 c0", Malformed},
	{"a key array", "81 90 c0", Malformed},
	{"a key map", "81 80 c0", Malformed},
	{"a key timestamp", "81 d6 ff 00000000 c0", Malformed},
	{"the second key nil", "82 00 c0 c0 c0", Malformed},
	{"a key nil after a container", "82 00 91 00 c0 c0", Malformed},
	{"a key nil two levels down", "81 00 91 81 c0 00", Malformed},
	{"nil as a value", "82 00 c0 01 c0", 0},
	{"a map without its last value", "82 00 00 00", Malformed},
	{"timestamps", "93 d6 ff 00000000 d7 ff 0000000000000000 c7 0c ff 000000000000000000000000", 0},
	{"a timestamp of 1 byte", "d4 ff 00", Malformed},
	{"a timestamp of 16 bytes", "d8 ff 00000000000000000000000000000000", Malformed},
	{"ext8 with 4 bytes of time", "c7 04 ff 00000000", Malformed},
	{"ext8 with 0 bytes", "c7 00 ff", Malformed},
	{"another extension", "d6 01 00000000", Malformed},
	{"interned string", "d4 80 00", Malformed},
	{"ext16", "c8 000c ff 000000000000000000000000", Malformed},
	{"ext32 of 4 GiB", "c9 ffffffff ff", Malformed},
	{"a cut timestamp", "d7 ff 00000000000000", Malformed},
	{"an array longer than the bytes", "92 00", Malformed},
	{"an array of 4 billion", "dd ffffffff", Malformed},
	{"a map of 4 billion", "df ffffffff 00 00", Malformed},
	{"a map of 2^31, whose values overflow 32 bits", "df 80000000 00 00", Malformed},
}

func TestScan(t *testing.T) {
	for _, c := range scanCases {
		b := unhex(t, c.hex)
		if got := codeOf(t, Scan(b, ClientLimits)); got != c.want {
			t.Errorf("%s: code %d, want %d", c.name, got, c.want)
		}
		if got := referenceScan(b, ClientLimits); got != c.want {
			t.Errorf("%s: the reference says %d, want %d", c.name, got, c.want)
		}
	}
}

// TestScanNesting counts levels in every way that the scan can go down.
func TestScanNesting(t *testing.T) {
	for _, step := range []string{"91", "81 00", "92 00", "82 00 00 00", "dc 0001", "de 0001 a1 78"} {
		for _, depth := range []int{4, 5, 16, MaxDepth, 1000} {
			limits := Limits{Depth: depth}
			fit := min(depth, MaxDepth) - payloadLevel
			for n, want := range map[int]Code{fit: 0, fit + 1: TooComplex, 500: TooComplex} {
				b := unhex(t, strings.Repeat(step, n)+"c0")
				if got := codeOf(t, Scan(b, limits)); got != want {
					t.Errorf("%s, %d times, depth %d: code %d, want %d", step, n, depth, got, want)
				}
				if got := referenceScan(b, limits); got != want {
					t.Errorf("%s, %d times, depth %d: the reference says %d, want %d", step, n, depth, got, want)
				}
			}
		}
	}
}

// TestScanGoesUpAgain: siblings after nested containers are read at their own level.
func TestScanGoesUpAgain(t *testing.T) {
	tooDeepThenWide := "9f" + strings.Repeat(strings.Repeat("91", 12)+"c0", 15)
	wantCode(t, Scan(unhex(t, tooDeepThenWide), ClientLimits), 0)
	wantCode(t, Scan(unhex(t, "93 92 91 00 81 00 91 00 80 82 00 91 00 a0 01"), ClientLimits), 0)
	wantCode(t, Scan(unhex(t, "93 92 91 00 81 00 91 00 80 82 00 91 00 c3 01"), ClientLimits), Malformed)
}

func TestScanElements(t *testing.T) {
	limits := Limits{Elements: 5}
	for s, want := range map[string]Code{
		"94 00 00 00 00":    0,
		"95 00 00 00 00 00": TooComplex,
		"93 00 00 91 00":    0,
		"93 00 00 92 00 00": TooComplex,
		"82 00 00 00 00":    0,
		"83 00000000 0000":  TooComplex,
		"95 00":             Malformed,
	} {
		if got := codeOf(t, Scan(unhex(t, s), limits)); got != want {
			t.Errorf("%s: code %d, want %d", s, got, want)
		}
	}
}

func TestValueIsOneValue(t *testing.T) {
	b := unhex(t, "81 a1 78 91 05 c0 07")
	r := NewReader(b, ClientLimits)
	for _, want := range []string{"81 a1 78 91 05", "c0", "07"} {
		got, err := r.Value()
		if err != nil || string(got) != string(unhex(t, want)) || cap(got) != len(got) {
			t.Errorf("value %x (capacity %d), %v; want %s", got, cap(got), err, want)
		}
	}
	if r.Done() != nil || r.Offset() != len(b) || len(r.Rest()) != 0 {
		t.Error("bytes are left")
	}
}
