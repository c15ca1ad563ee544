package codec

import (
	"bytes"
	"runtime"
	"strings"
	"testing"
)

// tree is a type that only its input bounds.
type tree []tree

// node is another one.
type node struct {
	Next *node
	More map[string]node
}

// hostile inputs end a process that hands them to msgpack/v5, or cost it gigabytes.
func hostile(t testing.TB) map[string][]byte {
	headers := bytes.Repeat(unhex(t, "dc 3000"), 5000) // 15 KB: each array claims nearly all that follows
	bomb := bytes.Repeat([]byte{0x91}, 2<<20)
	return map[string][]byte{
		"an array of 4 billion":        unhex(t, "dd ffffffff"),
		"a map of 4 billion":           unhex(t, "df ffffffff"),
		"2 MB of nested arrays":        bomb,
		"2 MB of nested maps":          bytes.Repeat([]byte{0x81, 0x00}, 1<<20),
		"nested arrays that end":       append(bytes.Clone(bomb), 0xc0),
		"15 KB of array headers":       headers,
		"array headers, then elements": append(bytes.Clone(headers[:30]), make([]byte, 0x3000)...),
		"a binary of 1 GiB":            unhex(t, "c6 40000000"),
		"a string of 4 GiB":            unhex(t, "db ffffffff"),
		"an extension of 4 GiB":        unhex(t, "c9 ffffffff 01"),
		"an extension of 1 byte":       unhex(t, "d4 01 00"),
		"extension in extension":       bytes.Repeat(unhex(t, "c7 0c 01"), 5000),
		"invalid UTF-8":                unhex(t, "a2 fffe"),
		"trailing bytes":               unhex(t, "90 90"),
		"0xc1":                         unhex(t, "c1"),
		"nothing":                      nil,
		"a map of maps of maps":        bytes.Repeat(unhex(t, "df 00000001 a1 78"), 3000),
		"wide arrays in wide arrays":   []byte(strings.Repeat("\xdd\x00\x00\x20\x00", 3000)),
	}
}

// TestHostileInputs: each is refused by the scan, alone and inside a frame, and by Decode without a scan, quickly and with
// little memory.
func TestHostileInputs(t *testing.T) {
	decoders := map[string]func([]byte) error{
		"any":    decodeInto[any](t),
		"tree":   decodeInto[tree](t),
		"node":   decodeInto[node](t),
		"lists":  decodeInto[[][][]string](t),
		"map":    decodeInto[map[string]any](t),
		"struct": decodeInto[struct{ A, B int }](t),
		"self":   decodeInto[selfDecoder](t),
		"bytes":  decodeInto[[]byte](t),
	}
	for name, b := range hostile(t) {
		t.Run(name, func(t *testing.T) {
			for _, limits := range []Limits{ClientLimits, ServerLimits} {
				if code := codeOf(t, Scan(b, limits)); code != Malformed && code != TooComplex {
					t.Errorf("scan: code %d", code)
				}
				frame := append(unhex(t, "95 00 00 01 00 91 92 00"), b...)
				if _, err := readClientFrame(frame, limits); err == nil {
					t.Error("a frame with it is accepted")
				}
			}
			for into, decode := range decoders {
				before := allocated()
				if err := decode(b); err == nil {
					t.Errorf("decoded into %s", into)
				}
				if used := allocated() - before; used > 1<<20 {
					t.Errorf("decoding into %s allocated %d bytes", into, used)
				}
			}
		})
	}
}

func decodeInto[T any](t testing.TB) func([]byte) error {
	t.Helper()
	d, err := NewDecoder[T]()
	if err != nil {
		t.Fatal(err)
	}
	return func(b []byte) error { return d.Decode(b, new(T)) }
}

// allocated returns the bytes that have been allocated since the start, freed or not.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}
