package socketio

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/volley-go/volley/codec"
)

// TestPackedFromNotepack: what socket.io-client writes with notepack.io 2.2.
func TestPackedFromNotepack(t *testing.T) {
	for _, c := range []struct {
		hex  string
		kind packetType
		nsp  string
		id   int64
		data any
	}{
		// {type: 0, data: undefined, options: {compress: true}, nsp: "/"}
		{"84 a474797065 00 a464617461 d40000 a76f7074696f6e73 81 a8636f6d7072657373 c3 a36e7370 a12f", connectPacket, "/", noID, nil},
		{"82 a474797065 01 a36e7370 a62f61646d696e", disconnectPacket, "/admin", noID, nil},
		{"83 a474797065 01 a36e7370 a82f61646d696e3f78 a464617461 c0", disconnectPacket, "/admin", noID, nil},
		{"84 a474797065 02 a464617461 92 a3666f6f 01 a26964 0c a36e7370 a12f", eventPacket, "/", 12, []any{"foo", int64(1)}},
		{"84 a474797065 02 a464617461 91 a3666f6f a26964 d40000 a36e7370 a12f", eventPacket, "/", noID, []any{"foo"}},
		{"84 a26964 cd0100 a464617461 91 c4020102 a474797065 03 a36e7370 a12f", ackPacket, "/", 256, []any{[]byte{1, 2}}},
		// ["foo", undefined, new Date(1700000000123), new Date(-1), an ArrayBuffer of 2]
		{"83 a474797065 02 a36e7370 a12f a464617461 95 a3666f6f d40000 d700 0000018bcfe5687b d700 ffffffffffffffff c702000102",
			eventPacket, "/", noID, []any{"foo", nil, time.UnixMilli(1700000000123), time.UnixMilli(-1), []byte{1, 2}}},
	} {
		p, err := readPacked(unhex(t, c.hex), &testLimits)
		if err != nil {
			t.Errorf("%s: %v", c.hex, err)
			continue
		}
		p.is(t, c.hex, c.kind, c.nsp, c.id, c.data)
	}
}

// TestArrayBuffers of every size that has a length of its own.
func TestArrayBuffers(t *testing.T) {
	for _, n := range []int{0, 1, 8, 255, 256, 65535, 65536} {
		b := bytes.Repeat([]byte{0xd4}, n)
		m := unhex(t, "83 a474797065 02 a36e7370 a12f a464617461 92 a178")
		switch {
		case n < 256:
			m = append(m, 0xc7, byte(n), 0)
		case n < 65536:
			m = append(m, 0xc8, byte(n>>8), byte(n), 0)
		default:
			m = append(m, 0xc9, 0, byte(n>>16), byte(n>>8), byte(n), 0)
		}
		p, err := readPacked(append(m, b...), &testLimits)
		if err != nil {
			t.Errorf("%d bytes: %v", n, err)
			continue
		}
		p.is(t, "an ArrayBuffer", eventPacket, "/", noID, []any{"x", b})
	}
}

func TestPackedMalformed(t *testing.T) {
	for h, reason := range map[string]string{
		"":                                 "end before",
		"c0":                               "nil where a map",
		"90":                               "array where a map",
		"80":                               "type",
		"81 a36e7370 a12f":                 "type",
		"82 a474797065 c0 a36e7370 a12f":   "type",
		"82 a474797065 a130 a36e7370 a12f": "type",
		"82 a474797065 ff a36e7370 a12f":   "type",
		"82 a474797065 05 a36e7370 a12f":   "type",
		"82 a474797065 cb3ff8000000000000 a36e7370 a12f": "type",
		"81 a474797065 00":                                                            "without a namespace",
		"82 a474797065 00 a36e7370 c0":                                                "nil where a string",
		"82 a474797065 00 a36e7370 d40000":                                            "nil where a string",
		"82 a474797065 00 a36e7370 a0":                                                "begins with /",
		"82 a474797065 00 a36e7370 a161":                                              "begins with /",
		"82 a474797065 00 a36e7370 a22f0a":                                            "control",
		"82 a474797065 00 a36e7370 a22fff":                                            "UTF-8",
		"82 01 00 a36e7370 a12f":                                                      "number where a string",
		"82 a474797065 00 a36e7370 a12f 00":                                           "after the value",
		"82 a474797065 00 a36e7370 a12f d40000":                                       "after the value",
		"83 a474797065 00 a36e7370 a12f a464617461 90":                                "CONNECT is an object",
		"83 a474797065 00 a36e7370 a12f a464617461 a178":                              "CONNECT is an object",
		"83 a474797065 01 a36e7370 a12f a464617461 80":                                "DISCONNECT",
		"82 a474797065 02 a36e7370 a12f":                                              "array that begins with its name",
		"83 a474797065 02 a36e7370 a12f a464617461 c0":                                "array that begins with its name",
		"83 a474797065 02 a36e7370 a12f a464617461 d40000":                            "array that begins with its name",
		"83 a474797065 02 a36e7370 a12f a464617461 80":                                "array that begins with its name",
		"83 a474797065 02 a36e7370 a12f a464617461 90":                                "array that begins with its name",
		"83 a474797065 02 a36e7370 a12f a464617461 91 01":                             "array that begins with its name",
		"83 a474797065 02 a36e7370 a12f a464617461 91 a7636f6e6e656374":               "reserved",
		"83 a474797065 03 a36e7370 a12f a464617461 90":                                "has an id",
		"84 a474797065 03 a36e7370 a12f a464617461 80 a26964 00":                      "acknowledgement is an array",
		"84 a474797065 02 a36e7370 a12f a464617461 91 a178 a26964 ff":                 "id is",
		"84 a474797065 02 a36e7370 a12f a464617461 91 a178 a26964 a130":               "id is",
		"84 a474797065 02 a36e7370 a12f a464617461 91 a178 a26964 cf0020000000000000": "id is",
		"82 a474797065 04 a36e7370 a12f":                                              "CONNECT_ERROR",
		"83 a474797065 04 a36e7370 a12f a464617461 01":                                "CONNECT_ERROR",
		"83 a474797065 02 a36e7370 a12f a464617461 92 a178":                           "end before",
		"83 a474797065 02 a36e7370 a12f a464617461 92 a178 a2ffff":                    "UTF-8",
		"83 a474797065 02 a36e7370 a12f a464617461 92 a178 d40100":                    "extension",
		"83 a474797065 02 a36e7370 a12f a464617461 92 a178 d40000 00":                 "after the value",
		"83 a474797065 02 a36e7370 a12f a464617461 92 a178 c70900":                    "extension",
		"83 a474797065 02 a36e7370 a12f a464617461 92 a178 81 d40000 00":              "map key",
		"83 a474797065 02 a36e7370 a12f a464617461 92 a178 81 c0 00":                  "map key",
		"83 a474797065 02 a36e7370 a12f a464617461 92 a178 c1":                        "0xc1",
	} {
		_, err := readPacked(unhex(t, h), &testLimits)
		wantError(t, h, err, codec.Malformed, reason)
	}
}

func TestPackedLimits(t *testing.T) {
	small := packetLimits{Bytes: 50, Limits: codec.Limits{Elements: 12, Depth: 6}}
	event := "83 a474797065 02 a36e7370 a12f a464617461 "
	for h, code := range map[string]codec.Code{
		event + "92 a178 91 91 91 01":           codec.TooComplex,
		event + "96 a178 01 01 01 01 01":        codec.TooComplex,
		event + "92 a178 dd00ffffff":            codec.Malformed,
		event + "92 a178 d921" + hexOf(33, 'a'): codec.TooBig,
	} {
		_, err := readPacked(unhex(t, h), &small)
		wantError(t, h, err, code, "")
	}
	for _, h := range []string{event + "92 a178 91 91 90", event + "95 a178 01 01 01 01", event + "92 a178 b1" + hexOf(17, 'a')} {
		if _, err := readPacked(unhex(t, h), &small); err != nil {
			t.Errorf("%s: %v", h, err)
		}
	}
}

func hexOf(n int, c byte) string {
	const hex = "0123456789abcdef"
	return string(bytes.Repeat([]byte{hex[c>>4], hex[c&15]}, n))
}

// TestPackedDates: notepack.io does not know timestamps, only dates of its own.
func TestPackedDates(t *testing.T) {
	for _, c := range []struct {
		at   time.Time
		want string
	}{
		{time.UnixMilli(1700000000123), "d700 0000018bcfe5687b"},
		{time.Unix(1700000000, 123_999_999), "d700 0000018bcfe5687b"},
		{time.Unix(1700000000, 0), "d700 0000018bcfe56800"},
		{time.UnixMilli(-1), "d700 ffffffffffffffff"},
		{time.Unix(1<<34, 0), "d700 00000fa000000000"},
		{time.Unix(maxDate, 0), "c0"},
		{time.Unix(-maxDate-1, 0), "c0"},
		{time.Unix(math.MaxInt32, 0), "d700 000001f3fffffc18"},
	} {
		data, err := appendEvent(nil, "x", []any{int8(-1), c.at, []byte{0xd6, 0xff, 0, 0, 0, 0}, "ÿ"})
		if err != nil {
			t.Fatal(err)
		}
		b := appendPacked(nil, &packet{kind: eventPacket, nsp: "/", id: noID, data: data})
		want := unhex(t, "83 a474797065 02 a36e7370 a12f a464617461 95 a178 ff"+c.want+"c406d6ff00000000 a2c3bf")
		if !bytes.Equal(b, want) {
			t.Errorf("%v: %x, want %x", c.at, b, want)
		}
	}
}

// TestTokens: the sizes of all first bytes agree with codec's.
func TestTokens(t *testing.T) {
	for c := range 256 {
		b := append([]byte{byte(c)}, make([]byte, 40)...)
		if n := token(b); n < 1 {
			t.Errorf("%x: no token", c)
		} else if n > 1 && token(b[:n-1]) != 0 {
			t.Errorf("%x: a token of %d bytes has one less too", c, n)
		}
	}
	for _, v := range []any{1, 200, 70000, 1 << 40, -1, -100, -1000, -100000, -1 << 40, 1.5, float32(1.5), "", "a", hexOf(20, 'a'), hexOf(200, 'a'),
		hexOf(40000, 'a'), []byte{}, make([]byte, 300), make([]byte, 70000), true, nil, time.Unix(1, 0), time.Unix(1, 1), time.Unix(-1, 1)} {
		b := pack(t, v)
		if n := token(append(b, 1, 2, 3)); n != len(b) {
			t.Errorf("%v: %d, want %d", v, n, len(b))
		}
	}
}
