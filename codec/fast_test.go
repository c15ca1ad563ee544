package codec

import (
	"bytes"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

type fastVec struct{ X, Y float32 }

type fastState struct {
	_msgpack struct{} `msgpack:",as_array"`
	Tick     uint32
	Ball     fastVec
	Paddles  [2]float32
	Many     [20]struct {
		ID  uint16 `msgpack:"id"`
		Pos fastVec
		HP  int8
		Up  bool
	}
}

type fastMixed struct {
	A int
	B int8
	C int16
	D int32
	E int64
	F uint
	G uint8
	H uint16
	I uint32
	J uint64
	K float32
	L float64
	M bool
	N [24]byte
	O []byte
	P []int16
	Q []float64
	R [3][2]uint8
	S struct{}
	T int `msgpack:"-"`
	U int `msgpack:"you"`
}

// sameBytes checks that the fast encoder of T writes what an Encoder does, for random values and for those in extra.
func sameBytes[T any](t *testing.T, extra ...T) {
	t.Helper()
	fast, ok := FastEncoder[T]()
	if !ok {
		t.Fatalf("%T has no fast encoder", *new(T))
	}
	enc := NewEncoder()
	same := func(v T) bool {
		want, err := enc.Append([]byte{1, 2, 3}, &v)
		got := fast([]byte{1, 2, 3}, &v)
		if err != nil || !bytes.Equal(got, want) {
			t.Logf("%+v: %x, want %x, error %v", v, got, want, err)
			return false
		}
		return true
	}
	for _, v := range extra {
		if !same(v) {
			t.Fail()
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		var v T
		randomise(reflect.ValueOf(&v).Elem(), r)
		if !same(v) {
			t.FailNow()
		}
	}
}

// randomise sets v, and all of it that is exported, to random values of all magnitudes.
func randomise(v reflect.Value, r *rand.Rand) {
	bits := r.Uint64() >> r.IntN(64)
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(bits&1 == 1)
	case reflect.Float32, reflect.Float64:
		v.SetFloat([]float64{float64(int64(bits)), -float64(bits), math.Float64frombits(bits), r.NormFloat64()}[r.IntN(4)])
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				randomise(v.Field(i), r)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), r.IntN(40), 40))
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			randomise(v.Index(i), r)
		}
	default:
		if v.CanInt() {
			v.SetInt(int64(bits) * int64(1-2*r.IntN(2)))
		} else {
			v.SetUint(bits)
		}
	}
}

func TestFastEncoderWritesWhatTheEncoderDoes(t *testing.T) {
	sameBytes[fastVec](t)
	sameBytes[fastState](t)
	sameBytes(t, fastMixed{}, fastMixed{O: []byte{}, P: []int16{}, Q: []float64{1, 0.5}},
		fastMixed{A: -1, B: -128, C: -129, D: math.MinInt32, E: math.MinInt64, J: math.MaxUint64})
	sameBytes[int](t, 127, 128, -32, -33, 1<<16, 1<<32)
	sameBytes[[300]byte](t)
	sameBytes[[]byte](t, nil, make([]byte, 255), make([]byte, 256), make([]byte, 1<<16))
	sameBytes[bool](t)
	inf := math.Inf(1)
	sameBytes(t, inf, -inf, math.NaN(), 0, math.Copysign(0, -1), 1<<53, 1<<63, -(1 << 63), 1e300, 0.5, -2)
	sameBytes(t, float32(inf), float32(-inf), float32(math.NaN()), 1<<24, 1<<63, 0.1)
}

func TestFastEncoderKnowsItsLimits(t *testing.T) {
	type embedded struct{ fastVec }
	type optional struct {
		X int `msgpack:",omitempty"`
	}
	type named uint8
	for name, ok := range map[string]bool{
		"string":    known[string](),
		"map":       known[map[int]int](),
		"time":      known[time.Time](),
		"pointer":   known[*int](),
		"any":       known[any](),
		"embedding": known[embedded](),
		"omitempty": known[optional](),
		"own bytes": known[[4]named](),
		"structs":   known[[]fastVec](),
	} {
		if ok {
			t.Errorf("%s has a fast encoder", name)
		}
	}
}

func known[T any]() bool {
	_, ok := FastEncoder[T]()
	return ok
}

func TestFastEncoderDoesNotAllocate(t *testing.T) {
	fast, _ := FastEncoder[fastMixed]()
	v, b := &fastMixed{O: make([]byte, 9), P: make([]int16, 9)}, make([]byte, 0, 1<<10)
	if n := testing.AllocsPerRun(100, func() { b = fast(b[:0], v) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkEncodeFast(b *testing.B) {
	fast, _ := FastEncoder[fastState]()
	enc, v, buf := NewEncoder(), &fastState{}, make([]byte, 0, 1<<10)
	for i := range v.Many {
		v.Many[i].Pos = fastVec{float32(i) + 0.5, 0.25}
	}
	b.Run("fast", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			buf = fast(buf[:0], v)
		}
	})
	b.Run("msgpack", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			buf, _ = enc.Append(buf[:0], v)
		}
	})
}
