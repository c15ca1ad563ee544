package codec

import (
	"testing"

	"github.com/vmihailenco/msgpack/v5"
)

// What a game sends: an input of a player, and a state of twenty entities.
type (
	gameInput struct {
		Seq    uint32
		DX, DY float32
	}
	tupleInput struct {
		_msgpack struct{} `msgpack:",as_array"`
		Seq      uint32
		DX, DY   float32
	}
	entity struct {
		ID    uint32
		X, Y  float32
		HP    uint8
		State string
	}
	gameState struct {
		Tick     uint64
		Entities []entity
	}
	tupleEntity struct {
		_msgpack struct{} `msgpack:",as_array"`
		ID       uint32
		X, Y     float32
		HP       uint8
		State    string
	}
	tupleState struct {
		_msgpack struct{} `msgpack:",as_array"`
		Tick     uint64
		Entities []tupleEntity
	}
)

func twenty() (*gameState, *tupleState) {
	s, t := &gameState{Tick: 123456}, &tupleState{Tick: 123456}
	for i := range 20 {
		x := float32(i) * 1.37
		s.Entities = append(s.Entities, entity{uint32(1000 + i), x, -x, uint8(5 * i), "idle"})
		t.Entities = append(t.Entities, tupleEntity{ID: uint32(1000 + i), X: x, Y: -x, HP: uint8(5 * i), State: "idle"})
	}
	return s, t
}

// gameVolley is a VOLLEY with one input.
func gameVolley(t testing.TB) []byte {
	t.Helper()
	b, err := NewEncoder().Append(AppendEvent(make([]byte, MaxPrefix), 3), &gameInput{Seq: 1000, DX: 0.5, DY: -1})
	if err != nil {
		t.Fatal(err)
	}
	return b[PutVolley(b, MaxPrefix, 0, 1000, 5000, 1):]
}

func mustDecoder[T any](t testing.TB) *Decoder[T] {
	t.Helper()
	d, err := NewDecoder[T]()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func mustMarshal(t testing.TB, v any) []byte {
	t.Helper()
	b, err := Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func BenchmarkScan(b *testing.B) {
	state, tuple := twenty()
	for _, c := range []struct {
		name string
		v    any
	}{{"input", &gameInput{1000, 0.5, -1}}, {"state", state}, {"state-as-array", tuple}, {"number", 5}} {
		bytes := mustMarshal(b, c.v)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(bytes)))
			for b.Loop() {
				if Scan(bytes, ClientLimits) != nil {
					b.Fatal("refused")
				}
			}
		})
	}
}

func BenchmarkReadVolley(b *testing.B) {
	frame := gameVolley(b)
	var packets []Packet
	b.ReportAllocs()
	for b.Loop() {
		r := NewReader(frame, ClientLimits)
		_, n, err := r.Frame()
		if err == nil {
			_, err = r.ClientVolley(n)
		}
		if err == nil {
			packets, err = r.Packets(n, packets[:0])
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkDecode[T any](b *testing.B, name string, v any) {
	bytes, d, into := mustMarshal(b, v), mustDecoder[T](b), new(T)
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := d.Decode(bytes, into); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	state, tuple := twenty()
	benchmarkDecode[gameInput](b, "input", &gameInput{1000, 0.5, -1})
	benchmarkDecode[tupleInput](b, "input-as-array", &tupleInput{Seq: 1000, DX: 0.5, DY: -1})
	benchmarkDecode[selfDecoder](b, "input-custom", &selfDecoder{1, 2})
	benchmarkDecode[gameState](b, "state", state)
	benchmarkDecode[tupleState](b, "state-as-array", tuple)
	benchmarkDecode[any](b, "state-any", state)
	b.Run("state-msgpack-v5", func(b *testing.B) {
		bytes, into := mustMarshal(b, tuple), new(tupleState)
		d := msgpack.NewDecoder(nil)
		in := new(byteReader)
		b.ReportAllocs()
		for b.Loop() {
			*in = byteReader{b: bytes}
			d.ResetReader(in)
			d.Decode(into)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	state, tuple := twenty()
	for _, c := range []struct {
		name string
		v    any
	}{
		{"input", &gameInput{1000, 0.5, -1}}, {"input-as-array", &tupleInput{Seq: 1000, DX: 0.5, DY: -1}},
		{"input-custom", &selfDecoder{1, 2}}, {"state", state}, {"state-as-array", tuple},
	} {
		e, buf := NewEncoder(), make([]byte, 0, 4096)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.Append(buf, c.v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkPutVolley(b *testing.B) {
	buf := make([]byte, MaxPrefix)
	for b.Loop() {
		PutVolley(buf, MaxPrefix, 1, 1000, 5000, 3)
	}
}
