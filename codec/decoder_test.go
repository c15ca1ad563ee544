package codec

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

// decodeTo decodes hex into a new T.
func decodeTo[T any](t testing.TB, hex string) (T, error) {
	t.Helper()
	d, err := NewDecoder[T]()
	if err != nil {
		t.Fatal(err)
	}
	var v T
	err = d.Decode(unhex(t, hex), &v)
	return v, err
}

// decodes checks that hex decodes to want.
func decodes[T any](hex string, want T) func(*testing.T) {
	return func(t *testing.T) {
		t.Helper()
		if got, err := decodeTo[T](t, hex); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v, %v; want %#v", hex, got, err, want)
		}
	}
}

// refuses checks that hex is refused as BadPayload with the reason.
func refuses[T any](hex, reason string) func(*testing.T) {
	return func(t *testing.T) {
		t.Helper()
		_, err := decodeTo[T](t, hex)
		if code := codeOf(t, err); code != BadPayload || err.Error() != "bad-payload: "+reason {
			t.Errorf("%s: %v, want %s", hex, err, reason)
		}
	}
}

type (
	named  string
	level8 int8
	point  struct{ X, Y float32 }
	ring   struct {
		Value int
		Next  *ring
	}
	branch map[string]branch
	rows   []rows
)

func TestDecodeKinds(t *testing.T) {
	five := 5
	fivePtr := &five
	t.Run("bool", decodes("c3", true))
	t.Run("int", decodes("d3 8000000000000000", math.MinInt64))
	t.Run("int8", decodes("d0 80", int8(-128)))
	t.Run("int16", decodes("cd 7fff", int16(math.MaxInt16)))
	t.Run("int32", decodes("d2 80000000", int32(math.MinInt32)))
	t.Run("int64", decodes("cf 7fffffffffffffff", int64(math.MaxInt64)))
	t.Run("uint", decodes("cc ff", uint(255)))
	t.Run("uint8", decodes("cf 00000000000000ff", uint8(255)))
	t.Run("uint16", decodes("cd ffff", uint16(math.MaxUint16)))
	t.Run("uint32", decodes("ce ffffffff", uint32(math.MaxUint32)))
	t.Run("uint64", decodes("cf ffffffffffffffff", uint64(math.MaxUint64)))
	t.Run("float32", decodes("ca 3f000000", float32(0.5)))
	t.Run("float64", decodes("cb 3fe0000000000000", 0.5))
	t.Run("string", decodes("d9 03 c3a9 78", "éx"))
	t.Run("named string", decodes("a1 78", named("x")))
	t.Run("named int8", decodes("ff", level8(-1)))
	t.Run("duration", decodes("ce 3b9aca00", time.Second))
	t.Run("bytes", decodes("c4 02 ff00", []byte{255, 0}))
	t.Run("empty bytes", decodes("c4 00", []byte{}))
	t.Run("byte array", decodes("c4 02 0102", [2]byte{1, 2}))
	t.Run("byte array from numbers", decodes("92 01 ca 40000000", [2]byte{1, 2}))
	t.Run("array", decodes("92 a1 61 a0", [2]string{"a", ""}))
	t.Run("slice", decodes("93 01 02 03", []int16{1, 2, 3}))
	t.Run("empty slice", decodes("90", []int16{}))
	t.Run("slice of slices", decodes("93 90 91 a1 78 c0", [][]string{{}, {"x"}, nil}))
	t.Run("slice of structs", decodes("92 80 92 01 02", []point{{}, {1, 2}}))
	t.Run("slice of empty structs", decodes("92 80 90", []struct{}{{}, {}}))
	t.Run("map", decodes("82 a1 61 01 a1 62 02", map[string]int{"a": 1, "b": 2}))
	t.Run("map with integer keys", decodes("82 01 a1 61 ff a1 62", map[int8]string{1: "a", -1: "b"}))
	t.Run("map with named keys", decodes("81 a1 61 c3", map[named]bool{"a": true}))
	t.Run("map of pointers", decodes("82 a1 61 05 a1 62 c0", map[string]*int{"a": fivePtr, "b": nil}))
	t.Run("map of slices", decodes("82 01 91 05 02 91 06", map[uint8][]int{1: {5}, 2: {6}}))
	t.Run("empty map", decodes("80", map[string]int{}))
	t.Run("pointer", decodes("05", &five))
	t.Run("pointer to pointer", decodes("05", &fivePtr))
	t.Run("struct", decodes("82 a1 58 01 a1 59 02", point{1, 2}))
	t.Run("struct as array", decodes("92 01 02", point{1, 2}))
	t.Run("list", decodes("82 a5 56616c7565 01 a4 4e657874 81 a5 56616c7565 02", ring{1, &ring{Value: 2}}))
	t.Run("recursive map", decodes("81 a1 61 81 a1 62 c0", branch{"a": {"b": nil}}))
	t.Run("recursive slice", decodes("92 90 91 90", rows{{}, {{}}}))
	t.Run("time, 32 bits", decodes("d6 ff 6553f100", time.Unix(0x6553f100, 0)))
	t.Run("time, 64 bits", decodes("d7 ff 0000000400000001", time.Unix(1, 1)))
	t.Run("time, 96 bits", decodes("c7 0c ff 00000001 ffffffffffffffff", time.Unix(-1, 1)))
	t.Run("the zero time", decodes("c7 0c ff 00000000 fffffff1886e0900", time.Time{}))
	t.Run("pointer to time", decodes("c0", (*time.Time)(nil)))
}

func TestDecodeAny(t *testing.T) {
	t.Run("nil", decodes[any]("c0", nil))
	t.Run("int64", decodes[any]("05", int64(5)))
	t.Run("negative", decodes[any]("ff", int64(-1)))
	t.Run("uint64", decodes[any]("cf ffffffffffffffff", uint64(math.MaxUint64)))
	t.Run("float32", decodes[any]("ca 3f000000", 0.5))
	t.Run("whole float", decodes[any]("ca 40000000", 2.0))
	t.Run("string", decodes[any]("a1 78", "x"))
	t.Run("bool", decodes[any]("c2", false))
	t.Run("binary", decodes[any]("c4 01 05", []byte{5}))
	t.Run("array", decodes[any]("92 c0 91 05", []any{nil, []any{int64(5)}}))
	t.Run("map", decodes[any]("82 a1 61 80 a0 01", map[string]any{"a": map[string]any{}, "": int64(1)}))
	t.Run("integer keys", decodes[any]("81 05 c0", map[any]any{int64(5): nil}))
	t.Run("mixed keys", decodes[any]("83 a0 01 05 02 a1 61 03", map[any]any{"": int64(1), int64(5): int64(2), "a": int64(3)}))
	t.Run("time", decodes[any]("d6 ff 00000001", time.Unix(1, 0)))
	t.Run("inside a struct", decodes("81 a1 41 91 01", struct{ A any }{[]any{int64(1)}}))
	t.Run("list of any", decodes("92 01 a1 78", []any{int64(1), "x"}))
	t.Run("map of any", decodes("81 a1 78 c0", map[string]any{"x": nil}))
	t.Run("a key twice", refuses[any]("82 a1 61 01 a1 61 02", `key "a" comes twice`))
	t.Run("an integer key twice", refuses[any]("82 05 01 cc 05 02", `key 5 comes twice`))
	t.Run("the empty key twice", refuses[any]("83 05 01 a0 01 a0 02", `key "" comes twice`))
	t.Run("NaN", refuses[any]("91 cb 7ff8000000000001", "NaN is not a finite number"))
	t.Run("time of too many nanoseconds", refuses[any]("d7 ff ffffffff00000000", "a timestamp with 1073741823 nanoseconds"))
}

// TestNumbersOfJavaScript: a number is matched by its value, whatever format it came in.
func TestNumbersOfJavaScript(t *testing.T) {
	type all struct {
		I8  int8
		U8  uint8
		I32 int32
		U32 uint32
		I64 int64
		F32 float32
		F64 float64
	}
	t.Run("whole floats", decodes("97 ca 42fe0000 cb 406fe00000000000 cb c1e0000000000000 cb 41efffffffe00000 cb c340000000000000 05 ff",
		all{127, 255, math.MinInt32, math.MaxUint32, -1 << 53, 5, -1}))
	t.Run("0.5 as float64", decodes("cb 3fe0000000000000", float32(0.5)))
	t.Run("0.1 as float64", decodes("cb 3fb999999999999a", float32(0.1)))
	t.Run("float32 into float64", decodes("ca 3dcccccd", float64(float32(0.1))))
	t.Run("integers into floats", decodes("92 cf ffffffffffffffff d3 8000000000000000", []float64{1 << 64, -1 << 63}))
	t.Run("the largest float32", decodes("cb 47efffffe0000000", float32(math.MaxFloat32)))
	t.Run("a small one becomes zero", decodes("cb 0000000000000001", float32(0)))

	t.Run("128", refuses[int8]("cc 80", "128 does not fit int8"))
	t.Run("-129", refuses[int8]("d1 ff7f", "-129 does not fit int8"))
	t.Run("300", refuses[uint8]("cd 012c", "300 does not fit uint8"))
	t.Run("-1", refuses[uint32]("ff", "-1 does not fit uint32"))
	t.Run("-1.0", refuses[uint64]("ca bf800000", "-1 does not fit uint64"))
	t.Run("2^32", refuses[uint32]("cf 0000000100000000", "4294967296 does not fit uint32"))
	t.Run("2^63", refuses[int64]("cf 8000000000000000", "9223372036854775808 does not fit int64"))
	t.Run("0.5", refuses[int]("cb 3fe0000000000000", "0.5 does not fit int"))
	t.Run("2^53+2 as a float", refuses[int64]("cb 4340000000000001", "9.007199254740994e+15 does not fit int64"))
	t.Run("NaN into an integer", refuses[int]("cb 7ff8000000000001", "NaN does not fit int"))
	t.Run("1e300", refuses[float32]("cb 7e37e43c8800759c", "1e+300 does not fit float32"))
	t.Run("NaN", refuses[float64]("cb 7ff8000000000001", "NaN is not a finite number"))
	t.Run("float32 NaN", refuses[float32]("ca 7fc00000", "NaN is not a finite number"))
	t.Run("infinity", refuses[float32]("cb 7ff0000000000000", "+Inf is not a finite number"))
	t.Run("minus infinity", refuses[float64]("ca ff800000", "-Inf is not a finite number"))
	t.Run("named types say their kind", refuses[level8]("cc 80", "128 does not fit int8"))
}

func TestNonFinite(t *testing.T) {
	type open struct {
		F float32 `volley:"nonfinite"`
		G float64 `volley:"nonfinite"`
		H float64
	}
	v, err := decodeTo[open](t, "93 ca 7fc00000 cb fff0000000000000 01")
	if err != nil || !math.IsNaN(float64(v.F)) || !math.IsInf(v.G, -1) {
		t.Errorf("%+v, %v", v, err)
	}
	if v, err = decodeTo[open](t, "93 cb 7ff0000000000000 ca 7fc00000 01"); err != nil || !math.IsInf(float64(v.F), 1) {
		t.Errorf("%+v, %v", v, err)
	}
	t.Run("H", refuses[open]("93 01 01 ca 7fc00000", "H: NaN is not a finite number"))
	t.Run("F too large", refuses[open]("93 cb 7e37e43c8800759c 01 01", "F: 1e+300 does not fit float32"))
}

// TestNil: nil is the nil of pointers, slices, maps, binaries and any, and no value of anything else.
func TestNil(t *testing.T) {
	t.Run("pointer", decodes("c0", (*int)(nil)))
	t.Run("slice", decodes("c0", []int(nil)))
	t.Run("bytes", decodes("c0", []byte(nil)))
	t.Run("map", decodes("c0", map[string]int(nil)))
	t.Run("any", decodes("c0", any(nil)))
	t.Run("int", refuses[int]("c0", "nil where a number is wanted"))
	t.Run("bool", refuses[bool]("c0", "nil where a boolean is wanted"))
	t.Run("string", refuses[string]("c0", "nil where a string is wanted"))
	t.Run("struct", refuses[point]("c0", "nil where a map is wanted"))
	t.Run("array", refuses[[1]int]("c0", "nil where an array is wanted"))
	t.Run("time", refuses[time.Time]("c0", "nil where a timestamp is wanted"))
}

// TestErrorsNameThePlace.
func TestErrorsNameThePlace(t *testing.T) {
	type player struct {
		Name string
		Pos  point
	}
	type state struct {
		Players []player
		ByName  map[string]*player `msgpack:"by_name"`
		ByID    map[uint16]player
		Grid    [2][2]int8
	}
	x := "a1 58 a1 78" // X: "x"
	const where = "a string where a number is wanted"
	t.Run("slice", refuses[state]("81 a7 506c6179657273 92 80 81 a3 506f73 81"+x, "Players[1].Pos.X: "+where))
	t.Run("map", refuses[state]("81 a7 62795f6e616d65 81 a3 416e6e 81 a3 506f73 81"+x, `by_name["Ann"].Pos.X: `+where))
	t.Run("integer key", refuses[state]("81 a4 42794944 81 cd 0200 81 a4 4e616d65 05", "ByID[512].Name: a number where a string is wanted"))
	t.Run("array", refuses[state]("81 a4 47726964 92 92 00 00 92 00 cc 80", "Grid[1][1]: 128 does not fit int8"))
	t.Run("too long", refuses[state]("81 a4 47726964 93 90 90 90", "Grid: 3 values where 2 are wanted"))
	t.Run("a bad key", refuses[state]("81 a4 42794944 81 ff c0", "ByID: a key: -1 does not fit uint16"))
	t.Run("root", refuses[[]int8]("92 00 cc 80", "[1]: 128 does not fit int8"))
	t.Run("root map", refuses[map[string]int8]("81 a1 61 cc 80", `["a"]: 128 does not fit int8`))
	t.Run("a key twice", refuses[state]("81 a7 62795f6e616d65 82 a1 61 c0 a1 61 c0", `by_name: key "a" comes twice`))
	t.Run("a number key twice", refuses[map[uint8]bool]("82 01 c3 cc 01 c3", `key 1 comes twice`))
	long := strings.Repeat("78", 100)
	t.Run("a long key", refuses[map[string]int8]("81 d9 64"+long+"cc 80", `["`+strings.Repeat("x", 32)+`"…]: 128 does not fit int8`))
	t.Run("byte array", refuses[[2]byte]("c4 01 05", "1 bytes where 2 are wanted"))
	t.Run("a list for bytes", refuses[[]byte]("91 05", "an array where binary is wanted"))
	t.Run("text for bytes", refuses[[]byte]("a1 05", "a string where binary is wanted"))
	t.Run("bytes for text", refuses[string]("c4 01 78", "binary where a string is wanted"))
	t.Run("number for bool", refuses[bool]("01", "a number where a boolean is wanted"))
	t.Run("text for a time", refuses[time.Time]("a1 78", "a string where a timestamp is wanted"))
	t.Run("time of too many nanoseconds", refuses[time.Time]("c7 0c ff 3b9aca00 0000000000000000", "a timestamp with 1000000000 nanoseconds"))
}

// TestMalformedPayloads: what is no msgpack at all keeps its own code.
func TestMalformedPayloads(t *testing.T) {
	for s, want := range map[string]Code{
		"":               Malformed,
		"82 a1 58 01":    Malformed,
		"82 a1 58 01 a1": Malformed,
		"81 a1 58 01 00": Malformed, // a byte too many
		"81 a1 7a c1":    Malformed, // in an unknown field
		"81 a1 7a a1 ff": Malformed,
		"81 a1 ff 01":    Malformed,
		"81 a1 58 a1":    BadPayload, // the field is looked at first
		"81 a1 7a" + strings.Repeat("91", 100) + "c0": TooComplex,
	} {
		if _, err := decodeTo[point](t, s); codeOf(t, err) != want {
			t.Errorf("%s: %v, want %d", s, err, want)
		}
	}
	_, err := decodeTo[*ring](t, strings.Repeat("81 a4 4e657874", 100)+"c0")
	wantCode(t, err, TooComplex)
	_, err = decodeTo[time.Time](t, "d7 ff 00")
	wantCode(t, err, Malformed)
	_, err = decodeTo[time.Time](t, "d6 05 00000000")
	wantCode(t, err, Malformed)
	var v point
	wantCode(t, Unmarshal(unhex(t, "92 01 02 03"), &v), Malformed)
}

// TestDecodeZeroesFirst: nothing of an earlier payload shines through, and nothing aliases the payload.
func TestDecodeZeroesFirst(t *testing.T) {
	type value struct {
		A int
		S []int
		B []byte
		T string
	}
	d, err := NewDecoder[value]()
	if err != nil {
		t.Fatal(err)
	}
	v := value{A: 1, S: []int{1}, B: []byte{1}}
	old := v
	payload := unhex(t, "83 a1 53 91 05 a1 42 c4 01 05 a1 54 a1 78")
	if err := d.Decode(payload, &v); err != nil {
		t.Fatal(err)
	}
	clear(payload)
	if !reflect.DeepEqual(v, value{S: []int{5}, B: []byte{5}, T: "x"}) || old.S[0] != 1 || old.B[0] != 1 {
		t.Errorf("%+v, and before %+v", v, old)
	}
}

type stringer interface{ String() string }

type ptrLoop *ptrLoop

type viaPtr **viaPtr

// TestTypesThatCannotBeDecoded: the error is at the start, and says where.
func TestTypesThatCannotBeDecoded(t *testing.T) {
	type inner struct{ C chan int }
	check := func(name string, err error, want string) {
		t.Helper()
		if err == nil || !strings.HasPrefix(err.Error(), "codec: type ") || !strings.HasSuffix(err.Error(), ": "+want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	check("chan", compileError[chan int](), "a chan int cannot be decoded")
	check("func", compileError[[]func()](), "a func() cannot be decoded")
	check("complex", compileError[map[string]complex64](), "a complex64 cannot be decoded")
	check("uintptr", compileError[uintptr](), "a uintptr cannot be decoded")
	check("interface", compileError[struct{ S stringer }](), "field S: a codec.stringer cannot be decoded")
	check("nested", compileError[struct{ A []inner }](), "field A: field C: a chan int cannot be decoded")
	check("key", compileError[map[float64]int](), "a map's keys are strings or integers, not float64")
	check("struct key", compileError[map[point]int](), "a map's keys are strings or integers, not codec.point")
	check("any key", compileError[map[any]int](), "a map's keys are strings or integers, not interface {}")
	check("pointer loop", compileError[ptrLoop](), "a codec.ptrLoop points to nothing but itself")
	check("pointer loop of two", compileError[struct{ P viaPtr }](), "field P: a codec.viaPtr points to nothing but itself")
	check("nonfinite", compileError[struct {
		A int `volley:"nonfinite"`
	}](), `field A: volley:"nonfinite" is for floats, not int`)
	var v chan int
	check("Unmarshal", Unmarshal([]byte{0xc0}, &v), "a chan int cannot be decoded")
}

func compileError[T any]() error {
	_, err := NewDecoder[T]()
	return err
}
