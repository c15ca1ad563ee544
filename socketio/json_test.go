package socketio

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/volley-go/volley/codec"
)

// TestJSONValues: JSON to msgpack, in its shortest form, and back.
func TestJSONValues(t *testing.T) {
	for text, want := range map[string]any{
		"0": 0, "-0": 0, "7": 7, "127": 127, "128": 128, "255": 255, "256": 256, "65535": 65535, "65536": 65536,
		"4294967295": 4294967295, "4294967296": 4294967296, "-1": -1, "-32": -32, "-33": -33, "-128": -128, "-129": -129,
		"-32768": -32768, "-32769": -32769, "-2147483648": -2147483648, "-2147483649": -2147483649,
		"9007199254740991": 1<<53 - 1, "9007199254740992": 1 << 53, "-9007199254740992": -1 << 53,
		"9007199254740994": rawFloat(1<<53 + 2), "18446744073709551616": rawFloat(1 << 64), "-9223372036854775809": rawFloat(-1 << 63),
		"99999999999999999999999": rawFloat(1e23), "1.5": 1.5, "-0.25": -0.25, "0.1": 0.1, "1.0": rawFloat(1), "1e0": rawFloat(1),
		"1E2": rawFloat(100), "1e+2": rawFloat(100), "125e-2": 1.25, "1e22": rawFloat(1e22), "1e23": rawFloat(1e23), "1e-7": 1e-7,
		"123456789012345678": rawFloat(123456789012345678), "0.000000000000000000000001": 1e-24, "1e-400": rawFloat(0), "5e-324": 5e-324,
		"1.7976931348623157e308": rawFloat(math.MaxFloat64), "1e00000000001": rawFloat(10), "-1.5e-0": -1.5,
		"179.76931348623157e306": rawFloat(math.MaxFloat64), "9007199254740993": rawFloat(1 << 53), "0.30000000000000004": 0.30000000000000004,
		"true": true, "false": false, "null": nil, `""`: "", `"a"`: "a", `"ä€😀"`: "ä€😀", `"\u2028\u0000\u001f\u007f"`: "\u2028\x00\x1f\x7f",
		`"\"\\\/\b\f\n\r\t"`: "\"\\/\b\f\n\r\t", `"\u00e4\u20AC\ud83d\ude00"`: "ä€😀", `"a\\b"`: `a\b`,
		`"\ud800"`: "\ufffd", `"\ude00\ud83d"`: "\ufffd\ufffd", `"\ud83dx\ude00"`: "\ufffdx\ufffd", `"\ud83d\ud83d\ude00"`: "\ufffd😀",
		`"\ud83d\u0041"`: "\ufffdA", `"\ud83d\n"`: "\ufffd\n", `"\ud83d\"`: nil,
		"[]": []any{}, "[ ]": []any{}, "{}": map[string]any{}, "{\n}": map[string]any{}, "[[],{},[[]]]": []any{[]any{}, map[string]any{}, []any{[]any{}}},
		`{"__proto__":1}`: map[string]int{"__proto__": 1}, `{"":{"\u0061":[1,2]}}`: map[string]any{"": map[string]any{"a": []int{1, 2}}},
	} {
		if text == `"\ud83d\"` { // its end is escaped
			var r jsonReader
			wantError(t, text, r.read([]byte(text), testLimits.Limits, -1), codec.Malformed, "ends before")
			continue
		}
		b := packJSON(t, text)
		if f, ok := want.(rawFloat); ok {
			if v := unpack(t, b); v != float64(f) || b[0] != msgpackFloat {
				t.Errorf("%s: %x, want the float %v", text, b, f)
			}
		} else if !bytes.Equal(b, pack(t, want)) {
			t.Errorf("%s: %x, want %x", text, b, pack(t, want))
		}
		sameJSON(t, text, b)
	}
}

// rawFloat is a float that has no shorter form.
type rawFloat float64

// sameJSON checks that msgpack becomes JSON that says what text says.
func sameJSON(t testing.TB, text string, b []byte) {
	t.Helper()
	var got, want any
	back, err := toJSON(b)
	if err != nil {
		t.Fatalf("%.200s: %x: %v", text, b, err)
	}
	if err := json.Unmarshal(back, &got); err != nil {
		t.Fatalf("%.200s: %s: %v", text, back, err)
	}
	if err := json.Unmarshal([]byte(text), &want); err != nil {
		t.Fatalf("%.200s: %v", text, err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%.200s became %.200s", text, back)
	}
}

func toJSON(b []byte) ([]byte, error) {
	w := jsonWriter{src: b}
	err := w.write()
	return w.out, err
}

func TestJSONMalformed(t *testing.T) {
	for text, reason := range map[string]string{
		"": "ends before", " ": "ends before", "[": "ends before", "{": "ends before", "[1": "ends before", "[1,": "ends before", `{"a"`: "ends before",
		`{"a":`: "ends before", `{"a":1`: "ends before", `{"a":1,`: "ends before", `"`: "ends before", `"a`: "ends before", `"a\`: "ends before",
		"tru": "not JSON", "nul": "not JSON", "True": "not JSON", "undefined": "not JSON", "NaN": "not JSON", "Infinity": "not JSON",
		"'a'": "not JSON", "[1,]": "not JSON", "[,1]": "not JSON", "[1 2]": "not JSON", "[1}": "not JSON", `{"a":1]`: "not JSON", "]": "not JSON",
		"}": "not JSON", ",": "not JSON", "\x00": "not JSON", "\v1": "not JSON", "\u00a01": "not JSON", "\ufeff1": "not JSON", "/**/1": "not JSON",
		`{a:1}`: "key is not a string", `{1:1}`: "key is not a string", `{"a" 1}`: "key is not a string", `{"a":1,}`: "key is not a string",
		`{"a",1}`: "key is not a string", `{,}`: "key is not a string", `{"a":}`: "not JSON", `{null:1}`: "key is not a string",
		"\"\n\"": "control character", "\"\x00\"": "control character", "\"\x1f\"": "control character", `"\x"`: "escape", `"\'"`: "escape",
		`"\u"`: "escape", `"\u12"`: "escape", `"\u123g"`: "escape", `"\U0041"`: "escape", "\"\\\n\"": "escape",
		"-": "number", "+1": "not JSON", "01": "number", "-01": "number", "00": "number", ".5": "not JSON", "-.5": "number", "1.": "number", "1.e1": "number",
		"1e": "number", "1e+": "number", "1e-": "number", "1.5e": "number", "0x10": "text after", "1_000": "text after", "1a": "text after", "--1": "number",
		"1e309": "float64", "-1e309": "float64", "1e999999999999999999999": "float64", "1 1": "text after", "1,": "text after", "[]]": "text after",
		"{}}": "text after", "null null": "text after", `"a"b`: "text after", "1\x00": "text after",
	} {
		var r jsonReader
		wantError(t, text, r.read([]byte(text), testLimits.Limits, -1), codec.Malformed, reason)
	}
}

// TestJSONHeaders: the headers of containers and strings of every size are the shortest ones.
func TestJSONHeaders(t *testing.T) {
	for _, n := range []int{0, 1, 15, 16, 255, 256, 65535, 65536} {
		list, object := make([]int, n), make(map[string]int, n)
		for i := range n {
			list[i] = i
			object[fmt.Sprint("key", i)] = i
		}
		for _, v := range []any{list, []any{list, list, "x"}, map[string]any{"a": list}} {
			text, _ := json.Marshal(v)
			if got := packJSON(t, string(text)); !bytes.Equal(got, pack(t, v)) {
				t.Errorf("%T of %d: %.40x, want %.40x", v, n, got, pack(t, v))
			}
		}
		text, _ := json.Marshal([]any{object, object, "x"})
		b := packJSON(t, string(text))
		if want := pack(t, []any{object, object, "x"}); len(b) != len(want) || !bytes.Equal(b[:2], want[:2]) {
			t.Errorf("objects of %d: %.40x, want %.40x", n, b, want)
		}
		for _, v := range unpack(t, b).([]any)[:2] {
			if v := v.(map[string]any); len(v) != n || n > 0 && v[fmt.Sprint("key", n-1)] != int64(n-1) {
				t.Errorf("objects of %d: one has %d entries", n, len(v))
			}
		}
		for _, s := range []string{strings.Repeat("a", n), strings.Repeat("a", n) + "\n", "\n" + strings.Repeat("a", n), strings.Repeat("\n", n)} {
			for _, v := range []any{s, []string{s, s}, map[string]string{s: s}} {
				text, _ := json.Marshal(v)
				if got := packJSON(t, string(text)); !bytes.Equal(got, pack(t, v)) {
					t.Errorf("%T with %d bytes: %.40x, want %.40x", v, n, got, pack(t, v))
				}
			}
		}
	}
}

// TestPlainLength: at every offset, each byte that is not plain is found first.
func TestPlainLength(t *testing.T) {
	plain := []byte(strings.Repeat("aä€\x7f~ !#[]", 5))
	if n := plainLength(plain); n != len(plain) {
		t.Fatalf("%d of %d", n, len(plain))
	}
	for at := range plain {
		for c := range 256 {
			special := c < ' ' || c == '"' || c == '\\'
			b := bytes.Clone(plain)
			b[at] = byte(c)
			want := len(b)
			if special {
				want = at
			}
			if n := plainLength(b); n != want {
				t.Fatalf("%x at %d: %d, want %d", c, at, n, want)
			}
			b[len(b)-1] = '"'
			if n := plainLength(b); n != min(want, len(b)-1) {
				t.Fatalf("%x at %d and a quote at the end: %d", c, at, n)
			}
		}
	}
}

// TestJSONTwice: of keys that come twice the last one counts.
func TestJSONTwice(t *testing.T) {
	for _, text := range []string{
		`{"a":1,"a":2}`, `{"a":1,"b":2,"a":3}`, `{"a":1,"a":[2,{"b":1,"b":2}],"c":{"a":1}}`, `{"":1,"":2,"a":3}`, `{"a":{"x":1},"a":{"y":2}}`,
		`{"\u0061":1,"a":2}`, `{"a":1,"a":2,"a":3,"a":4}`, `[{"a":1,"a":2},{"a":1},{"b":1,"a":1,"b":3}]`, `{"__proto__":1,"__proto__":2}`,
		`{"longer than eight":1,"longer thaN eight":2,"longer than eight":3}`, `{"12345678":1,"1234567":2,"12345678":3,"1234567":4}`,
	} {
		b := packJSON(t, text)
		sameJSON(t, text, b)
		unpack(t, b) // which refuses keys that come twice
	}
	for _, n := range []int{2, 8, 15, 16, 17, 18, 40, 1000} {
		var all []string
		for i := range 2 * n {
			all = append(all, fmt.Sprintf(`"key %d":[%d,%q]`, i%n, i, strings.Repeat("x", i%50)))
		}
		text := "[{" + strings.Join(all, ",") + `},{"key 1":1}]`
		b := packJSON(t, text)
		sameJSON(t, text, b)
		unpack(t, b)
		text = "{" + strings.Join(all[:n], ",") + "}" // none twice
		sameJSON(t, text, packJSON(t, text))
	}
	// If each of so many keys were compared with each, it would take a minute.
	start := time.Now()
	packJSON(t, `{"x":0`+manyKeys(100_000)+`}`)
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("100,000 keys took %v", d)
	}
}

// manyKeys are n entries of an object, each after a comma.
func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"%x":0`, i)
	}
	return b.String()
}

// TestJSONHoles: attachments keep their places while headers grow and entries go.
func TestJSONHoles(t *testing.T) {
	hole := func(i int) string { return fmt.Sprintf(`{"_placeholder":true,"num":%d}`, i) }
	many := strings.Repeat("0,", 20)
	long := strings.Repeat(`\n`, 300)
	for text, want := range map[string]string{
		`[` + many + hole(0) + `,` + hole(1) + `]`:                                              `[` + many + `"A","B"]`,
		`[` + hole(1) + `,` + many + hole(0) + `,[` + many + `1]]`:                              `["B",` + many + `"A",[` + many + `1]]`,
		`[[` + many + hole(0) + `],` + hole(1) + `]`:                                            `[[` + many + `"A"],"B"]`,
		`["` + long + `",` + hole(0) + `,{"` + long + `":` + hole(1) + `}]`:                     `["` + long + `","A",{"` + long + `":"B"}]`,
		`[` + many + `{"a":` + hole(0) + `,"b":1,"b":` + hole(1) + `,"a2":1,"a2":2}]`:           `[` + many + `{"a":"A","b":"B","a2":2}]`,
		`[{"c":1,"a":` + hole(0) + `,"c":2,"d":[` + many + hole(1) + `],"d2":1}]`:               `[{"a":"A","c":2,"d":[` + many + `"B"],"d2":1}]`,
		`[{"c":[1,2,3],"a":[` + hole(0) + `,{"x":` + hole(1) + `}],"c":[],"e":"end"}]`:          `[{"a":["A",{"x":"B"}],"c":[],"e":"end"}]`,
		`[{"list":[1,2,3],"list":[` + hole(0) + `,` + hole(1) + `]` + manyKeys(20) + `,"1":1}]`: `[{"list":["A","B"]` + manyKeys(20) + `,"1":1}]`,
	} {
		var r jsonReader
		if err := r.read([]byte(text), testLimits.Limits, 2); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if err := codec.Scan(r.out, testLimits.Limits); err != nil {
			t.Errorf("%s: %x: %v", text, r.out, err)
		}
		if !eachOnce(r.holes, 2) {
			t.Errorf("%s: %v", text, r.holes)
			continue
		}
		w := partial{packet: packet{data: r.out}, holes: r.holes, got: bytesList{[]byte("A"), []byte("B")}}
		b := w.join()
		if err := codec.Scan(b, testLimits.Limits); err != nil {
			t.Errorf("%s: %x: %v", text, b, err)
			continue
		}
		out, err := toJSON(b)
		if err != nil {
			t.Errorf("%s: %x: %v", text, b, err)
			continue
		}
		sameJSON(t, strings.NewReplacer(`"A"`, `"QQ=="`, `"B"`, `"Qg=="`).Replace(want), packJSON(t, string(out)))
	}
}

// TestJSONLimits: they are codec.Scan's.
func TestJSONLimits(t *testing.T) {
	for depth := 1; depth <= codec.MaxDepth+1; depth++ {
		for nest := range codec.MaxDepth + 3 {
			for _, text := range []string{
				strings.Repeat("[", nest) + "1" + strings.Repeat("]", nest),
				strings.Repeat("[", nest) + "[]" + strings.Repeat("]", nest),
				strings.Repeat(`{"a":`, nest) + "{}" + strings.Repeat("}", nest),
				strings.Repeat(`[1,`, nest) + "1" + strings.Repeat("]", nest),
			} {
				checkLimits(t, text, codec.Limits{Depth: depth})
			}
		}
	}
	for elements := 1; elements <= 10; elements++ {
		for _, text := range []string{"1", "[]", "[1]", "[1,2]", `{"a":1}`, `{"a":1,"b":[]}`, `[[[]]]`, `{"a":{"b":{}},"c":1}`, "[1,2,3,4,5,6,7,8]"} {
			checkLimits(t, text, codec.Limits{Elements: elements})
		}
	}
	var r jsonReader
	wantError(t, "deep", r.read(bytes.Repeat([]byte("["), 1<<20), testLimits.Limits, -1), codec.TooComplex, "nesting")
	wantError(t, "wide", r.read(append([]byte("["), bytes.Repeat([]byte("1,"), 5000)...), codec.Limits{}, -1), codec.TooComplex, "values")
}

func checkLimits(t *testing.T, text string, limits codec.Limits) {
	t.Helper()
	var r jsonReader
	got := r.read([]byte(text), limits, -1)
	var free jsonReader
	if free.read([]byte(text), codec.Limits{Elements: 1 << 20, Depth: codec.MaxDepth}, -1) != nil {
		if got == nil {
			t.Errorf("%s under %+v is accepted", text, limits)
		}
		return
	}
	want := codec.Scan(free.out, limits)
	if (got == nil) != (want == nil) {
		t.Errorf("%s under %+v: %v, codec says %v", text, limits, got, want)
	}
	if got != nil {
		wantError(t, text, got, codec.TooComplex, "")
	}
}

// TestToJSON: what no JSON becomes, in the format of JavaScript.
func TestToJSON(t *testing.T) {
	for _, c := range []struct {
		v    any
		want string
	}{
		{int64(math.MinInt64), "-9223372036854775808"}, {uint64(math.MaxUint64), "18446744073709551615"}, {int64(math.MaxInt64), "9223372036854775807"},
		{math.NaN(), "null"}, {math.Inf(1), "null"}, {math.Inf(-1), "null"}, {float32(math.Inf(1)), "null"}, {math.Copysign(0, -1), "0"},
		{1e21, "1e+21"}, {1.5e20, "150000000000000000000"}, {1e-7, "1e-7"}, {1e-6, "0.000001"}, {123e-20, "1.23e-18"}, {-1.5e300, "-1.5e+300"},
		{math.MaxFloat64, "1.7976931348623157e+308"}, {5e-324, "5e-324"}, {float32(0.1), "0.1"}, {float32(16777216), "16777216"}, {0.1, "0.1"},
		{float32(1e-7), "1e-7"}, {float32(3e38), "3e+38"},
		{map[int]string{1: "a"}, `{"1":"a"}`}, {map[int]bool{-5000: true}, `{"-5000":true}`}, {map[uint64]int{1 << 63: 1}, `{"9223372036854775808":1}`},
		{time.UnixMilli(1700000000123), `"2023-11-14T22:13:20.123Z"`}, {time.Unix(0, 999_999), `"1970-01-01T00:00:00.000Z"`},
		{time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), `"0001-01-01T00:00:00.000Z"`}, {time.UnixMilli(-1), `"1969-12-31T23:59:59.999Z"`},
		{time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC), `"9999-12-31T23:59:59.999Z"`},
		{time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), "null"}, {time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC), "null"}, {time.Unix(1<<60, 0), "null"},
		{"\x00\x01\x1e\x1f\b\f\n\r\t\"\\/\x7f\u2028<>&", `"\u0000\u0001\u001e\u001f\b\f\n\r\t\"\\/` + "\x7f\u2028" + `<>&"`},
		{[]any{[]any{}, map[string]any{}, nil}, "[[],{},null]"}, {[]byte{1, 2}, `"AQI="`},
	} {
		b, err := toJSON(pack(t, c.v))
		if string(b) != c.want || err != nil || !json.Valid(b) {
			t.Errorf("%v: %s, want %s; %v", c.v, b, c.want, err)
		}
	}
}

// TestToJSONMalformed: what was never checked gives an error, whatever it is.
func TestToJSONMalformed(t *testing.T) {
	for h, want := range map[string]error{
		"": errPackEnd, "91": errPackEnd, "81": errPackEnd, "81 a161": errPackEnd, "a2 61": errPackEnd, "d9": errPackEnd, "da01": errPackEnd, "d905 61": errPackEnd,
		"dbffffffff": errPackEnd, "ddffffffff": errPackEnd, "c4": errPackEnd, "c404 01": errPackEnd, "cb 00": errPackEnd, "cd 00": errPackEnd, "d3 00": errPackEnd,
		"d6 ff": errPackEnd, "c7": errPackEnd, "01 01": errPackTrail, "90 90": errPackTrail, "81 90 01": errPackKey, "81 c0 01": errPackKey, "81 cb 00": errPackKey,
		strings.Repeat("91", 65) + "01": errPackDepth,
	} {
		if out, err := toJSON(unhex(t, h)); !errors.Is(err, want) {
			t.Errorf("%s: %s, %v, want %v", h, out, err, want)
		}
	}
}
