package codec

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"slices"
	"testing"
	"unsafe"

	"github.com/vmihailenco/msgpack/v5"
)

func seed(f *testing.F) {
	for _, c := range scanCases {
		f.Add(unhex(f, c.hex))
	}
	for _, v := range []any{new(everything), &everything{Slice: []int32{1}, Map: map[string]int{"a": 1}, Next: &everything{}}, 1.5, "x"} {
		f.Add(mustMarshal(f, v))
	}
	f.Add(gameVolley(f))
}

// FuzzScan: it agrees with the reference, and each value of what it accepts is accepted alone.
func FuzzScan(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, limits := range []Limits{ClientLimits, {Depth: 5, Elements: 12}, ServerLimits} {
			got, want := codeOf(t, Scan(b, limits)), referenceScan(b, limits)
			if got != want {
				t.Fatalf("%x: code %d, the reference says %d", b, got, want)
			}
			if got != 0 {
				continue
			}
			r := NewReader(b, limits)
			for r.Offset() < len(b) {
				if _, _, err := r.shallow(); err != nil {
					t.Fatal(err)
				}
				if inner := r; r.Offset() < len(b) {
					if v, err := inner.Value(); err != nil || Scan(v, limits) != nil {
						t.Fatalf("%x is accepted, but not %x in it", b, v)
					}
				}
			}
		}
	})
}

// FuzzClientFrame reads any frame from a client completely, and what a server would write of it again.
func FuzzClientFrame(f *testing.F) {
	seed(f)
	for _, s := range []string{
		"93 01 01 81 a4 61757468 a1 78", "95 03 00 00 a4 706f6e67 c0", "92 05 00", "92 07 cd 0100", "92 08 00",
		"95 00 00 01 00 95 92 00 c0 92 a1 78 c0 93 05 c0 01 93 ff c0 01 93 fe a1 78 01", "96 00 00 01 00 90 c0",
		"93 01 01 82 a4 61757468 a1 78 a6 726573756d65 92 a1 74 92 92 00 05 92 01 c0", "93 0b cd 03e8 a1 78",
		"95 00 00 01 00 91 93 fe a0 01", "95 00 00 01 00 91 93 fe a2 7878 01",
	} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := readClientFrame(b, ClientLimits)
		if codeOf(t, err) != 0 {
			return
		}
		for _, p := range got.Packets {
			if Scan(p.Payload, ClientLimits) != nil {
				t.Fatalf("%x: payload %x is refused", b, p.Payload)
			}
		}
		// Written again and read again it is the same frame.
		again, _ := rebuild(got, 0)
		second, err := readClientFrame(again, ClientLimits)
		if err != nil {
			t.Fatalf("%x was written again as %x: %v", b, again, err)
		}
		normalize(&got)
		normalize(&second)
		if !reflect.DeepEqual(got, second) {
			t.Fatalf("%x: %+v was written again as %x: %+v", b, got, again, second)
		}
	})
}

// FuzzServerFrame: what a client reads of a server's frame is the same when it is written again and read again.
func FuzzServerFrame(f *testing.F) {
	for _, s := range []string{
		"93 02 01 80", "93 02 01 83 a3 736964 a1 66 a5 746f6b656e a1 74 a7 726573756d6564 c3", "93 04 00 80", "94 06 00 cd 1004 a0",
		"95 0a 00 cd 0fa5 a1 78 05", "95 0b cd 03e9 a1 78 cd 03e8 a1 68", "93 0b cd 03e9 a0", "93 0c 00 11", "93 0d 02 cd 0100",
		"93 09 00 92 a1 61 a1 62", "92 07 05", "92 08 05", "95 00 00 05 01 92 92 00 c0 93 ff c0 01",
	} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := readServerFrame(b)
		if codeOf(t, err) != 0 {
			return
		}
		again, _ := rebuild(got, 0)
		second, err := readServerFrame(again)
		if err != nil {
			t.Fatalf("%x was written again as %x: %v", b, again, err)
		}
		if third, _ := rebuild(second, 0); !bytes.Equal(again, third) {
			t.Fatalf("%x: %+v was written again as %x: %+v", b, got, again, second)
		}
	})
}

// normalize drops what is cut when it is written: a long text of a failure, a long reason.
func normalize(f *frame) {
	if f.Bye != nil {
		f.Bye.Reason = CutReason(f.Bye.Reason)
	}
	for i := range f.Packets {
		if p := &f.Packets[i]; p.Kind == Failure {
			r := NewReader(p.Payload, ServerLimits)
			text, _ := r.Str()
			p.Payload = []byte(CutReason(string(text)))
		}
	}
}

// fuzzed decodes into one type.
type fuzzed struct {
	name   string
	decode func(t *testing.T, b []byte)
}

// bound is the most that decoding n bytes may allocate, for types whose elements take no more than size bytes: each byte
// can be an element, and a map takes about twice its contents.
func bound(n int, size uintptr) uint64 { return 16<<10 + uint64(n)*(2*uint64(size)+300) }

func into[T any](f *testing.F, name string, size uintptr) fuzzed {
	d := mustDecoder[T](f)
	return fuzzed{name, func(t *testing.T, b []byte) {
		v := new(T)
		before := allocated()
		err := d.Decode(b, v)
		if used := allocated() - before; used > bound(len(b), size) && len(b) > 0 {
			t.Fatalf("%s from %d bytes allocated %d", name, len(b), used)
		}
		if codeOf(t, err) != 0 {
			if len(err.(*Error).Reason) > 4096 {
				t.Fatalf("a reason of %d bytes", len(err.(*Error).Reason))
			}
			return
		}
		if err := Scan(b, ServerLimits); err != nil {
			t.Fatalf("%s from %x, which is refused: %v", name, b, err)
		}
		if _, ok := any(v).(*[]mapMethod); ok {
			return // it does not encode what it decodes
		}
		// What was decoded can be encoded and comes back the same.
		again, err := Marshal(v)
		if err != nil {
			t.Fatalf("%s: %+v: %v", name, v, err)
		}
		second := new(T)
		if err := d.Decode(again, second); err != nil {
			t.Fatalf("%s from %x: %+v, encoded as %x: %v", name, b, v, again, err)
		}
		if x, y := wholeFloats(any(*v)), wholeFloats(any(*second)); !reflect.DeepEqual(x, y) {
			t.Fatalf("%s from %x: %+v, encoded as %x, is %+v", name, b, x, again, y)
		}
	}}
}

// FuzzDecode decodes any bytes, checked or not, into types of all kinds.
func FuzzDecode(f *testing.F) {
	seed(f)
	for _, b := range hostile(f) {
		f.Add(b[:min(len(b), 1000)])
	}
	for _, s := range []string{"d7 ff dfffffffff000000", "92 d6 ff dfffffff 80", "81 a1 41 cb 7ff8000000000001", "83 a0 01 05 02 05 03"} {
		f.Add(unhex(f, s))
	}
	big := unsafe.Sizeof(everything{})
	types := []fuzzed{
		into[any](f, "any", 48),
		into[everything](f, "everything", big),
		into[[]everything](f, "list of everything", big),
		into[tree](f, "tree", 24),
		into[node](f, "node", 64),
		into[map[int32]string](f, "map", 64),
		into[map[string]any](f, "map of any", 64),
		into[[]mapMethod](f, "maps by method", 200),
		into[tupleState](f, "state", 64),
		into[[][4]uint16](f, "arrays", 8),
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > ClientLimits.Frame {
			return
		}
		for _, to := range types {
			to.decode(t, b)
		}
	})
}

// FuzzDecodeLikeMsgpack: what msgpack/v5 decodes of its own accord, from bytes that are checked and whole, is what is decoded
// here, if it is accepted here.
func FuzzDecodeLikeMsgpack(f *testing.F) {
	seed(f)
	d := mustDecoder[everything](f)
	f.Fuzz(func(t *testing.T, b []byte) {
		var ours, theirs everything
		if hasHugeUint(b) || d.Decode(b, &ours) != nil {
			return
		}
		if err := msgpack.Unmarshal(b, &theirs); err != nil {
			return // a float for an integer, for one
		}
		// Compared as they are written again, where nil and NaN have one form.
		if x, y := mustMarshal(t, &ours), mustMarshal(t, &theirs); !bytes.Equal(x, y) && len(ours.Map)+len(ours.ByInt)+len(ours.Nested) == 0 && ours.Next == nil {
			t.Fatalf("%s: %+v, msgpack/v5 says %+v", hex.EncodeToString(b), ours, theirs)
		}
	})
}

// hasHugeUint reports whether b may hold an integer from 2^63 on, which msgpack/v5 turns into a negative float.
func hasHugeUint(b []byte) bool {
	for i, c := range b[:max(len(b)-1, 0)] {
		if c == 0xcf && b[i+1] >= 0x80 {
			return true
		}
	}
	return false
}

func TestHugeIntegersStayPositiveAsFloats(t *testing.T) {
	var v struct {
		A float32
		B float64
	}
	b := unhex(t, "82 a141 cf f030303030303030 a142 cf ffffffffffffffff")
	if err := Unmarshal(b, &v); err != nil || v.A != 17307386219418431536 || v.B != 1<<64 {
		t.Errorf("%+v, error %v", v, err)
	}
}

// TestDecodeAllocates measures the worst payloads of a frame that passes ClientLimits.
func TestDecodeAllocates(t *testing.T) {
	limit := ClientLimits.Elements - 16
	worst := map[string][]byte{
		"empty maps":    append(AppendArray(nil, limit), bytes.Repeat([]byte{0x80}, limit)...),
		"empty arrays":  append(AppendArray(nil, limit), bytes.Repeat([]byte{0x90}, limit)...),
		"nils":          append(AppendArray(nil, limit), bytes.Repeat([]byte{0xc0}, limit)...),
		"lists of ones": append(AppendArray(nil, limit/2), bytes.Repeat([]byte{0x91, 0x01}, limit/2)...),
		"maps of ones":  append(AppendArray(nil, limit/3), bytes.Repeat([]byte{0x81, 0x01, 0x01}, limit/3)...),
		"short strings": append(AppendArray(nil, limit), bytes.Repeat([]byte{0xaf, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, limit)...),
		"one binary":    append([]byte{0xc5, 0xff, 0x00}, make([]byte, 0xff00)...),
	}
	large := AppendMap(nil, limit/2)
	for i := range limit / 2 {
		large = AppendUint(AppendUint(large, uint64(i)), 0)
	}
	worst["a large map"] = large
	const most = 2 << 20 // bytes, for each of these types
	for name, b := range worst {
		if err := Scan(b, ClientLimits); err != nil {
			t.Fatal(name, err)
		}
		for into, decode := range map[string]func([]byte) error{
			"any": decodeInto[any](t), "list": decodeInto[[]any](t), "maps": decodeInto[[]map[int]int](t), "strings": decodeInto[[]string](t),
			"states": decodeInto[[]entity](t), "map": decodeInto[map[int]int](t), "tree": decodeInto[tree](t), "bytes": decodeInto[[]byte](t),
		} {
			before := allocated()
			decode(b)
			if used := allocated() - before; used > most {
				t.Errorf("%s into %s: %d bytes from %d", name, into, used, len(b))
			}
		}
	}
}

// TestBarredFindsTimestampsOnly.
func TestBarredFindsTimestampsOnly(t *testing.T) {
	for s, want := range map[string][]int{
		"d6 ff 00000000":                                       {2},
		"92 a2 d696 d7 ff d6ff00000000d6ff":                    {6},
		"92 c4 02 d6ff c7 0c ff " + "d6ff00000000d6ff00000000": {8},
		"92 cd d6ff 01":                                        nil,
	} {
		if got := barred(unhex(t, s)); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", s, got, want)
		}
	}
}
