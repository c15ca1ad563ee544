package codec

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

// TestShortestForms: each Append writes the shortest form, and the Reader reads every form.
func TestShortestForms(t *testing.T) {
	cases := []struct {
		name, hex string
		got       []byte
	}{
		{"nil", "c0", AppendNil(nil)},
		{"false", "c2", AppendBool(nil, false)},
		{"true", "c3", AppendBool(nil, true)},
		{"0", "00", AppendUint(nil, 0)},
		{"127", "7f", AppendUint(nil, 127)},
		{"128", "cc80", AppendUint(nil, 128)},
		{"255", "ccff", AppendUint(nil, 255)},
		{"256", "cd0100", AppendUint(nil, 256)},
		{"65535", "cdffff", AppendUint(nil, 65535)},
		{"65536", "ce00010000", AppendUint(nil, 65536)},
		{"2^32-1", "ceffffffff", AppendUint(nil, 1<<32-1)},
		{"2^32", "cf0000000100000000", AppendUint(nil, 1<<32)},
		{"2^64-1", "cfffffffffffffffff", AppendUint(nil, math.MaxUint64)},
		{"int 128", "cc80", AppendInt(nil, 128)},
		{"-1", "ff", AppendInt(nil, -1)},
		{"-32", "e0", AppendInt(nil, -32)},
		{"-33", "d0df", AppendInt(nil, -33)},
		{"-128", "d080", AppendInt(nil, -128)},
		{"-129", "d1ff7f", AppendInt(nil, -129)},
		{"-32768", "d18000", AppendInt(nil, -32768)},
		{"-32769", "d2ffff7fff", AppendInt(nil, -32769)},
		{"-2^31", "d280000000", AppendInt(nil, -1<<31)},
		{"-2^31-1", "d3ffffffff7fffffff", AppendInt(nil, -1<<31-1)},
		{"-2^63", "d38000000000000000", AppendInt(nil, math.MinInt64)},
		{"empty array", "90", AppendArray(nil, 0)},
		{"array 15", "9f", AppendArray(nil, 15)},
		{"array 16", "dc0010", AppendArray(nil, 16)},
		{"array 65535", "dcffff", AppendArray(nil, 65535)},
		{"array 65536", "dd00010000", AppendArray(nil, 65536)},
		{"map 15", "8f", AppendMap(nil, 15)},
		{"map 16", "de0010", AppendMap(nil, 16)},
		{"map 65536", "df00010000", AppendMap(nil, 65536)},
		{"empty string", "a0", AppendStr(nil, "")},
	}
	for _, c := range cases {
		if !bytes.Equal(c.got, unhex(t, c.hex)) {
			t.Errorf("%s: %x, want %s", c.name, c.got, c.hex)
		}
	}
	for n, header := range map[int]string{31: "bf", 32: "d920", 255: "d9ff", 256: "da0100", 65535: "daffff", 65536: "db00010000"} {
		s := strings.Repeat("s", n)
		b := AppendStr(nil, s)
		if !bytes.Equal(b, append(unhex(t, header), s...)) {
			t.Errorf("a string of %d bytes begins with %x", n, b[:5])
		}
		r := NewReader(b, ServerLimits)
		if got, err := r.Str(); err != nil || string(got) != s || r.Done() != nil {
			t.Errorf("a string of %d bytes: %v", n, err)
		}
	}
}

func TestIntegersRoundTrip(t *testing.T) {
	for shift := range 64 {
		for _, d := range []int64{-1, 0, 1} {
			u := uint64(1)<<shift + uint64(d)
			r := NewReader(AppendUint(nil, u), ClientLimits)
			if got, err := r.Uint(); err != nil || got != u || r.Done() != nil {
				t.Errorf("unsigned %d came back as %d, %v", u, got, err)
			}
			for _, i := range []int64{int64(u), -int64(u)} {
				r := NewReader(AppendInt(nil, i), ClientLimits)
				if got, err := r.Int(); err != nil || got != i || r.Done() != nil {
					t.Errorf("signed %d came back as %d, %v", i, got, err)
				}
			}
		}
	}
}
