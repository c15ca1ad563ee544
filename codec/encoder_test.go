package codec

import (
	"errors"
	"math"
	"testing"

	"github.com/vmihailenco/msgpack/v5"
)

func TestEncoder(t *testing.T) {
	five := int64(5)
	cases := []struct {
		name string
		v    any
		hex  string
	}{
		{"nil", nil, "c0"},
		{"a nil pointer", (*point)(nil), "c0"},
		{"int64 in its shortest form", int64(1), "01"},
		{"uint64", uint64(300), "cd 012c"},
		{"pointer to int64", &five, "05"},
		{"a whole float", 2.0, "02"},
		{"a float64", 0.5, "cb 3fe0000000000000"},
		{"a float32", float32(0.5), "ca 3f000000"},
		{"a large whole float", 1e18, "cf 0de0b6b3a7640000"},
		{"a larger one", 1e19, "cb 43e158e460913d00"},
		{"minus zero", math.Copysign(0, -1), "00"},
		{"struct", &point{1, 0.5}, "82 a1 58 01 a1 59 ca 3f000000"},
		{"as_array", &AsArray{A: 1, B: "b"}, "93 01 a1 62 c0"},
		{"custom", &selfDecoder{1, -1}, "92 01 ff"},
		{"bytes", []byte{1}, "c4 01 01"},
		{"map of int keys", map[int]bool{300: true}, "81 cd 012c c3"},
	}
	e := NewEncoder()
	prefix := []byte{0xee}
	for _, c := range cases {
		got, err := e.Append(prefix, c.v)
		if err != nil || string(got) != "\xee"+string(unhex(t, c.hex)) {
			t.Errorf("%s: %x, %v; want ee%s", c.name, got, err, c.hex)
		}
	}
}

// half writes something, then fails, panics, or changes the encoder.
type half struct{ what string }

func (h *half) EncodeMsgpack(e *msgpack.Encoder) error {
	e.EncodeString("half")
	switch h.what {
	case "fail":
		return errors.New("no more")
	case "panic":
		panic("no more")
	case "flags":
		e.UseCompactInts(false)
		e.UseArrayEncodedStructs(true)
		e.SetOmitEmpty(true)
		e.SetCustomStructTag("json")
		e.UseInternedStrings(true)
		e.ResetWriter(nil)
	}
	return nil
}

// TestEncoderSurvivesItsValues: whatever a value's method does, the next value is written as ever.
func TestEncoderSurvivesItsValues(t *testing.T) {
	e := NewEncoder()
	b := []byte{0xee}
	for _, what := range []string{"fail", "panic", "flags", ""} {
		func() {
			defer func() { recover() }()
			got, err := e.Append(b, &half{what})
			if what == "fail" && (err == nil || string(got) != "\xee") {
				t.Errorf("failed with %x, %v", got, err)
			}
		}()
		for range 2 {
			if got, err := e.Append(nil, &map[string]*point{"long name": {}}); err != nil ||
				string(got) != string(unhex(t, "81 a9 6c6f6e67206e616d65 82 a1 58 00 a1 59 00")) {
				t.Errorf("after %q: %x, %v", what, got, err)
			}
		}
	}
	if _, err := e.Append(nil, make(chan int)); err == nil {
		t.Error("a channel was encoded")
	}
}
