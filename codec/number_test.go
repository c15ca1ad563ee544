package codec

import (
	"math"
	"testing"
)

func TestNumber(t *testing.T) {
	type result struct {
		u   uint64
		uOK bool
		i   int64
		iOK bool
		f   float64
	}
	cases := []struct {
		hex   string
		want  result
		text  string
		value any
	}{
		{"05", result{5, true, 5, true, 5}, "5", int64(5)},
		{"cf ffffffffffffffff", result{math.MaxUint64, true, 0, false, 1 << 64}, "18446744073709551615", uint64(math.MaxUint64)},
		{"cf 7fffffffffffffff", result{math.MaxInt64, true, math.MaxInt64, true, 1 << 63}, "9223372036854775807", int64(math.MaxInt64)},
		{"ff", result{0, false, -1, true, -1}, "-1", int64(-1)},
		{"d3 8000000000000000", result{0, false, math.MinInt64, true, -1 << 63}, "-9223372036854775808", int64(math.MinInt64)},
		{"d1 0100", result{256, true, 256, true, 256}, "256", int64(256)},
		{"d0 85", result{0, false, -123, true, -123}, "-123", int64(-123)},
		{"ca 3f000000", result{0, false, 0, false, 0.5}, "0.5", 0.5},
		{"cb 4000000000000000", result{2, true, 2, true, 2}, "2", 2.0},
		{"cb c000000000000000", result{0, false, -2, true, -2}, "-2", -2.0},
		{"cb 8000000000000000", result{0, true, 0, true, 0}, "-0", math.Copysign(0, -1)},
		{"cb 4340000000000000", result{1 << 53, true, 1 << 53, true, 1 << 53}, "9.007199254740992e+15", float64(1 << 53)},
		{"cb 4340000000000001", result{0, false, 0, false, 1<<53 + 2}, "9.007199254740994e+15", float64(1<<53 + 2)},
		{"cb 7fefffffffffffff", result{0, false, 0, false, math.MaxFloat64}, "1.7976931348623157e+308", math.MaxFloat64},
		{"cb 7ff0000000000000", result{0, false, 0, false, math.Inf(1)}, "+Inf", math.Inf(1)},
		{"cb fff0000000000000", result{0, false, 0, false, math.Inf(-1)}, "-Inf", math.Inf(-1)},
	}
	for _, c := range cases {
		r := NewReader(unhex(t, c.hex), ClientLimits)
		n, err := r.Number()
		if err != nil {
			t.Fatal(c.hex, err)
		}
		var got result
		got.u, got.uOK = n.Uint64()
		got.i, got.iOK = n.Int64()
		got.f = n.Float64()
		if !c.want.uOK {
			got.u = 0
		}
		if !c.want.iOK {
			got.i = 0
		}
		if got != c.want || n.String() != c.text || n.Value() != c.value {
			t.Errorf("%s: %+v %s %v; want %+v %s %v", c.hex, got, n, n.Value(), c.want, c.text, c.value)
		}
	}
	r := NewReader(unhex(t, "cb 7ff8000000000001"), ClientLimits)
	n, _ := r.Number()
	if _, ok := n.Uint64(); ok || !math.IsNaN(n.Float64()) || n.String() != "NaN" {
		t.Errorf("NaN came as %s", n)
	}
	if _, ok := n.Int64(); ok {
		t.Error("NaN is an integer")
	}
}
