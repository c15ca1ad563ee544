package codec

import (
	"bytes"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"testing/quick"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

// everything has a field of each kind that a payload can hold.
type everything struct {
	Bool    bool
	I       int
	I8      int8
	I16     int16
	I32     int32
	I64     int64
	U       uint
	U8      uint8
	U16     uint16
	U32     uint32
	U64     uint64
	F32     float32 `msgpack:"f"`
	F64     float64
	S       string `msgpack:",omitempty"`
	Named   named
	Bytes   []byte
	Fixed   [3]byte
	Array   [2]int16
	Slice   []int32
	Strings []string
	Structs []point
	Ptr     *point
	Ptrs    []*point
	Map     map[string]int
	ByInt   map[int16]string
	Nested  map[string]map[uint8][]point
	Self    selfDecoder
	List    AsTuple
	Next    *everything
	Base
}

// AsTuple is written as an array.
type AsTuple struct {
	_msgpack struct{} `msgpack:",as_array"`
	A        uint32
	B        *float64
	C        []bool
	Base
}

// sameBack checks that v comes back from its encoding, through this package and through msgpack/v5.
func sameBack[T any](t *testing.T, v *T) {
	t.Helper()
	b, err := NewEncoder().Append(nil, v)
	if err != nil {
		t.Fatalf("%+v: %v", v, err)
	}
	if err := Scan(b, ServerLimits); err != nil {
		t.Fatalf("%+v: %v in %x", v, err, b)
	}
	var got, theirs T
	if err := Unmarshal(b, &got); err != nil {
		t.Fatalf("%+v: %v in %x", v, err, b)
	}
	if !reflect.DeepEqual(&got, v) {
		t.Fatalf("%+v\ncame back as\n%+v\nfrom %x", v, got, b)
	}
	if err := msgpack.Unmarshal(b, &theirs); err != nil {
		t.Fatalf("msgpack/v5: %v from %x", err, b)
	}
	if !reflect.DeepEqual(got, theirs) {
		t.Fatalf("%+v, but msgpack/v5 decodes\n%+v\nfrom %x", got, theirs, b)
	}
}

func TestRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		v := new(everything)
		randomize(reflect.ValueOf(v).Elem(), r, 3)
		sameBack(t, v)
		list := new([]AsTuple)
		randomize(reflect.ValueOf(list).Elem(), r, 3)
		sameBack(t, list)
		m := new(map[int32]*everything)
		randomize(reflect.ValueOf(m).Elem(), r, 2)
		sameBack(t, m)
	}
}

// randomize fills v with random values, small and extreme ones more often than others, and nil down to depth.
func randomize(v reflect.Value, r *rand.Rand, depth int) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(r.Uint64()) >> r.IntN(64))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(r.Uint64() >> r.IntN(64))
	case reflect.Float32, reflect.Float64:
		floats := []float64{0, 1, -1, 0.5, 0.1, math.MaxFloat32, -math.MaxFloat32, 1 << 53, 1 << 60, r.NormFloat64() * 1e6}
		v.SetFloat(floats[r.IntN(len(floats))])
	case reflect.String:
		v.SetString([]string{"", "x", "é", "\u0000", string(bytes.Repeat([]byte("y"), r.IntN(300)))}[r.IntN(5)])
	case reflect.Array:
		for i := range v.Len() {
			randomize(v.Index(i), r, depth)
		}
	case reflect.Slice:
		if n := r.IntN(4); n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n-1, n-1))
			for i := range n - 1 {
				randomize(v.Index(i), r, depth-1)
			}
		}
	case reflect.Map:
		if depth > 0 && r.IntN(4) > 0 {
			v.Set(reflect.MakeMap(v.Type()))
			for range r.IntN(20) {
				key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
				randomize(key, r, depth)
				randomize(value, r, depth-1)
				v.SetMapIndex(key, value)
			}
		}
	case reflect.Pointer:
		if depth > 0 && r.IntN(2) == 0 {
			v.Set(reflect.New(v.Type().Elem()))
			randomize(v.Elem(), r, depth-1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				randomize(v.Field(i), r, depth)
			}
		}
	}
}

// TestFloatsRoundTrip: what a float holds comes back, but for the sign of zero.
func TestFloatsRoundTrip(t *testing.T) {
	double := func(f float64) bool {
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return true
		}
		b, err := Marshal(&f)
		var got float64
		return err == nil && Unmarshal(b, &got) == nil && got == f
	}
	single := func(bits uint32) bool {
		f := math.Float32frombits(bits)
		return f != f || math.IsInf(float64(f), 0) || func() bool {
			b, err := Marshal(&f)
			var got float32
			return err == nil && Unmarshal(b, &got) == nil && got == f
		}()
	}
	whole := func(i int64, shift uint8) bool { return double(float64(i >> (shift % 64))) }
	for _, f := range []any{double, single, whole} {
		if err := quick.Check(f, &quick.Config{MaxCount: 20_000}); err != nil {
			t.Error(err)
		}
	}
	for _, f := range []float64{1 << 63, -1 << 63, 1 << 62, math.MaxFloat64, math.SmallestNonzeroFloat64, math.Copysign(0, -1)} {
		if !double(f) {
			t.Errorf("%v did not come back", f)
		}
	}
}

func TestTimesRoundTrip(t *testing.T) {
	for _, at := range []time.Time{
		{}, time.Unix(0, 0), time.Unix(0, 999_999_999), time.Unix(-1, 1), time.Unix(1<<32-1, 0), time.Unix(1<<32, 0),
		time.Unix(1<<34-1, 5), time.Unix(1<<34, 5), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
	} {
		type holder struct{ At time.Time }
		b, err := Marshal(&holder{at})
		var got, theirs holder
		if err != nil || Unmarshal(b, &got) != nil || !got.At.Equal(at) {
			t.Errorf("%v came back as %v, %v", at, got.At, err)
		}
		if err := msgpack.Unmarshal(b, &theirs); err != nil || got.At != theirs.At {
			t.Errorf("%v, but msgpack/v5 reads %v, %v", got.At, theirs.At, err)
		}
	}
}
