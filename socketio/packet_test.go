package socketio

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/volley-go/volley/codec"
)

var testLimits = packetLimits{Attachments: 4, Bytes: 1 << 20, Limits: codec.Limits{Elements: 1 << 20, Depth: codec.MaxDepth}}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// pack is the msgpack of a Go value.
func pack(t testing.TB, v any) []byte {
	t.Helper()
	b, err := codec.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// packJSON is the msgpack of a JSON text.
func packJSON(t testing.TB, text string) []byte {
	t.Helper()
	var r jsonReader
	if err := r.read([]byte(text), testLimits.Limits, -1); err != nil {
		t.Fatalf("%.100s: %v", text, err)
	}
	return r.out
}

// unpack is the Go value of checked msgpack; nothing is nil.
func unpack(t testing.TB, b []byte) (v any) {
	t.Helper()
	if len(b) == 0 {
		return nil
	}
	if err := codec.Unmarshal(b, &v); err != nil {
		t.Fatalf("%x: %v", b, err)
	}
	return v
}

// wantError checks the code and a part of the reason.
func wantError(t testing.TB, what string, err error, code codec.Code, reason string) {
	t.Helper()
	var e *codec.Error
	if !errors.As(err, &e) || e.Code != code || !strings.Contains(e.Reason, reason) {
		t.Errorf("%.200q: error %v, want %v with %q", what, err, code, reason)
	}
}

// readText reads a text with its attachments.
func readText(text string, attachments ...[]byte) (packet, error) {
	var d decoder
	p, ok, err := d.text([]byte(text), &testLimits)
	for _, b := range attachments {
		if err != nil {
			return p, err
		}
		if ok {
			return p, errors.New("an attachment too many")
		}
		p, ok, err = d.binary(b, &testLimits)
	}
	if err == nil && !ok {
		err = errors.New("an attachment is missing")
	}
	return p, err
}

type bytesList = [][]byte

// packetExamples are those of the protocol's document, and more: what is read from a text is written as that text again.
var packetExamples = []struct {
	text        string
	attachments bytesList
	kind        packetType
	nsp         string
	id          int64
	data        any
}{
	{"0", nil, connectPacket, "/", noID, nil},
	{"0/admin,", nil, connectPacket, "/admin", noID, nil},
	{`0{"token":"123"}`, nil, connectPacket, "/", noID, map[string]any{"token": "123"}},
	{`0/admin,{"sid":"oSO0OpakMV_3jnilAAAA"}`, nil, connectPacket, "/admin", noID, map[string]any{"sid": "oSO0OpakMV_3jnilAAAA"}},
	{`4{"message":"Not authorized"}`, nil, connectErrorPacket, "/", noID, map[string]any{"message": "Not authorized"}},
	{`4/woot,"Unauthorized"`, nil, connectErrorPacket, "/woot", noID, "Unauthorized"},
	{"1", nil, disconnectPacket, "/", noID, nil},
	{"1/admin,", nil, disconnectPacket, "/admin", noID, nil},
	{`2["foo"]`, nil, eventPacket, "/", noID, []any{"foo"}},
	{`2/admin,["bar"]`, nil, eventPacket, "/admin", noID, []any{"bar"}},
	{`212["foo"]`, nil, eventPacket, "/", 12, []any{"foo"}},
	{`2/admin,13["foo"]`, nil, eventPacket, "/admin", 13, []any{"foo"}},
	{`30[]`, nil, ackPacket, "/", 0, []any{}},
	{`3/admin,13["bar"]`, nil, ackPacket, "/admin", 13, []any{"bar"}},
	{`29007199254740991["foo"]`, nil, eventPacket, "/", 1<<53 - 1, []any{"foo"}},
	{`2["hey","Jude",1,-2.5,null,true,false,[],{},{"a":[{"b":"\"\\\n"}]}]`, nil, eventPacket, "/", noID, []any{
		"hey", "Jude", int64(1), -2.5, nil, true, false, []any{}, map[string]any{}, map[string]any{"a": []any{map[string]any{"b": "\"\\\n"}}},
	}},
	{`2["x",{"_placeholder":true,"num":0}]`, nil, eventPacket, "/", noID, []any{
		"x", map[string]any{"_placeholder": true, "num": int64(0)},
	}},
	{`51-["baz",{"_placeholder":true,"num":0}]`, bytesList{{1, 2, 3, 4}}, eventPacket, "/", noID, []any{"baz", []byte{1, 2, 3, 4}}},
	{`52-/admin,["baz",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`, bytesList{{1, 2}, {3, 4}}, eventPacket, "/admin",
		noID, []any{"baz", []byte{1, 2}, []byte{3, 4}}},
	{`61-15["bar",{"_placeholder":true,"num":0}]`, bytesList{{1, 2, 3, 4}}, ackPacket, "/", 15, []any{"bar", []byte{1, 2, 3, 4}}},
	{`61-/admin,1[{"_placeholder":true,"num":0}]`, bytesList{{}}, ackPacket, "/admin", 1, []any{[]byte{}}},
	{`51-["a",{"b":[1,{"_placeholder":true,"num":0}]},2]`, bytesList{make([]byte, 70000)}, eventPacket, "/", noID, []any{
		"a", map[string]any{"b": []any{int64(1), make([]byte, 70000)}}, int64(2),
	}},
}

func (p packet) is(t *testing.T, what string, kind packetType, nsp string, id int64, data any) {
	t.Helper()
	if p.kind != kind || p.nsp != nsp || p.id != id || !reflect.DeepEqual(unpack(t, p.data), data) {
		t.Errorf("%.200s: type %d, namespace %s, id %d, %.200x; want %d, %s, %d, %v", what, p.kind, p.nsp, p.id, p.data, kind, nsp, id, data)
	}
	if err := codec.Scan(p.data, testLimits.Limits); len(p.data) > 0 && err != nil {
		t.Errorf("%.200s: %.200x: %v", what, p.data, err)
	}
}

func TestTextExamples(t *testing.T) {
	for _, c := range packetExamples {
		p, err := readText(c.text, c.attachments...)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		p.is(t, c.text, c.kind, c.nsp, c.id, c.data)
		text, attachments, err := appendText([]byte("4"), &p)
		if err != nil || string(text) != "4"+c.text || len(attachments) != len(c.attachments) {
			t.Errorf("%s is written as %s with %d attachments: %v", c.text, text, len(attachments), err)
			continue
		}
		for i, b := range attachments {
			if string(b) != string(c.attachments[i]) {
				t.Errorf("%s: attachment %d is %.50x", c.text, i, b)
			}
		}
	}
}

func TestPackedExamples(t *testing.T) {
	for _, c := range packetExamples {
		p, err := readText(c.text, c.attachments...)
		if err != nil {
			t.Fatal(c.text, err)
		}
		p, err = readPacked(appendPacked(nil, &p), &testLimits)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		p.is(t, c.text, c.kind, c.nsp, c.id, c.data)
	}
}

// TestTextTolerance: what other clients may write.
func TestTextTolerance(t *testing.T) {
	for _, c := range []struct {
		text        string
		attachments bytesList
		nsp         string
		id          int64
		data        any
	}{
		{"0/admin", nil, "/admin", noID, nil},
		{"0null", nil, "/", noID, nil},
		{`0/admin?token=a/b,{"a":1}`, nil, "/admin", noID, map[string]any{"a": int64(1)}},
		{"1/?x=1", nil, "/", noID, nil},
		{`2/,7["a"]`, nil, "/", 7, []any{"a"}},
		{`2/a/b c,007["a"]`, nil, "/a/b c", 7, []any{"a"}},
		{`50-["a"]`, nil, "/", noID, []any{"a"}},
		{"2 [ \"a\" , { \"b\" :\t[ ] } ,\r\n1.0 ] ", nil, "/", noID, []any{"a", map[string]any{"b": []any{}}, 1.0}},
		{`51-["a",{ "num" : 0, "_placeholder" : true }]`, bytesList{{5}}, "/", noID, []any{"a", []byte{5}}},
		{`52-["a",{"_placeholder":true,"num":1},{"num":0,"_placeholder":true,"x":[1,2]}]`, bytesList{{5}, {6}}, "/", noID,
			[]any{"a", []byte{6}, []byte{5}}},
		{`51-["a",{"_placeholder":false},{"_placeholder":true,"num":0},{"num":true,"_placeholder":1}]`, bytesList{{5}}, "/", noID, []any{
			"a", map[string]any{"_placeholder": false}, []byte{5}, map[string]any{"num": true, "_placeholder": int64(1)},
		}},
		{`51-["a",{"x":1,"x":{"_placeholder":true,"num":0},"y":2}]`, bytesList{{5}}, "/", noID, []any{
			"a", map[string]any{"x": []byte{5}, "y": int64(2)},
		}},
	} {
		p, err := readText(c.text, c.attachments...)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		p.is(t, c.text, p.kind, c.nsp, c.id, c.data)
	}
}

func TestTextMalformed(t *testing.T) {
	for text, reason := range map[string]string{
		"":                                       "no type",
		"7":                                      "no type",
		"999":                                    "no type",
		"-1":                                     "no type",
		`"2[]"`:                                  "no type",
		"2":                                      "without a payload",
		"2/admin":                                "without a payload",
		"2/admin,":                               "without a payload",
		"212":                                    "without a payload",
		"31":                                     "without a payload",
		"4":                                      "without a payload",
		"50-":                                    "without a payload",
		"51-":                                    "without a payload",
		"2admin,[\"a\"]":                         "not JSON",
		"2/a\nb,[\"a\"]":                         "control",
		"2/a\x7f,[\"a\"]":                        "control",
		"0/" + strings.Repeat("a", 1024):         "too long",
		`29007199254740992["a"]`:                 "id",
		`299999999999999999999["a"]`:             "id",
		`2-1["a"]`:                               "text after",
		`21.5["a"]`:                              "not JSON",
		`0"admin"`:                               "CONNECT is an object",
		"0[]":                                    "CONNECT is an object",
		"0true":                                  "CONNECT is an object",
		"1{}":                                    "DISCONNECT",
		"1/admin,{}":                             "DISCONNECT",
		"2{}":                                    "array that begins with its name",
		"2[]":                                    "array that begins with its name",
		"2null":                                  "array that begins with its name",
		`2"a"`:                                   "array that begins with its name",
		"2[1]":                                   "array that begins with its name",
		`2[null,"bar"]`:                          "array that begins with its name",
		`2[true,"foo"]`:                          "array that begins with its name",
		`2[{"toString":"foo"}]`:                  "array that begins with its name",
		`2["connect"]`:                           "reserved",
		`2["connect_error",1]`:                   "reserved",
		`2["disconnect","123"]`:                  "reserved",
		`2["disconnecting"]`:                     "reserved",
		`2["newListener"]`:                       "reserved",
		`2["removeListener"]`:                    "reserved",
		`2["\u0063onnect"]`:                      "reserved",
		`3["a"]`:                                 "has an id",
		"31{}":                                   "acknowledgement is an array",
		"4[]":                                    "CONNECT_ERROR",
		"41":                                     "without a payload",
		"5":                                      "number of its attachments",
		"51":                                     "number of its attachments",
		"5a-":                                    "number of its attachments",
		"5-[\"a\"]":                              "number of its attachments",
		"51.23-":                                 "number of its attachments",
		"5-1-[\"a\"]":                            "number of its attachments",
		`5["a"]`:                                 "number of its attachments",
		`51-["a"]`:                               "one placeholder",
		`50-["a",{"_placeholder":true,"num":0}]`: "placeholder for no attachment",
		`51-["a",{"_placeholder":true,"num":1}]`: "placeholder for no attachment",
		`51-["a",{"_placeholder":true,"num":-1}]`:                                   "placeholder for no attachment",
		`51-["a",{"_placeholder":true,"num":0.5}]`:                                  "placeholder for no attachment",
		`51-["a",{"_placeholder":true,"num":"0"}]`:                                  "placeholder for no attachment",
		`51-["a",{"_placeholder":true}]`:                                            "placeholder for no attachment",
		`51-["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]`:      "one placeholder",
		`52-["a",{"_placeholder":true,"num":1},{"_placeholder":true,"num":1}]`:      "one placeholder",
		`51-["a",{"x":{"_placeholder":true,"num":0},"x":1}]`:                        "one placeholder",
		`51-["a",{"_placeholder":true,"num":0,"x":{"_placeholder":true,"num":0}}]{`: "text after",
		`51-[{"_placeholder":true,"num":0}]`:                                        "array that begins with its name",
		`2["some","data"`:                                                           "ends before",
		`2/admin,"invalid`:                                                          "ends before",
		`2["a"]x`:                                                                   "text after",
		`2["a"]` + "\x00":                                                           "text after",
		`2["a"]["b"]`:                                                               "text after",
		"2[\"a\xff\"]":                                                              "UTF-8",
		"2[\"\xed\xa0\x80\"]":                                                       "UTF-8",
	} {
		var d decoder
		_, _, err := d.text([]byte(text), &testLimits)
		wantError(t, text, err, codec.Malformed, reason)
	}
}

func TestTextLimits(t *testing.T) {
	var d decoder
	small := packetLimits{Attachments: 2, Bytes: 60, Limits: codec.Limits{Elements: 8, Depth: 6}}
	for text, code := range map[string]codec.Code{
		`2["` + strings.Repeat("a", 56) + `"]`: codec.TooBig,
		`53-["a"]`:                             codec.TooComplex,
		`599999999999999999999-["a"]`:          codec.TooComplex,
		`2["a",1,2,3,4,5,6,7]`:                 codec.TooComplex,
		`2["a",[[[1]]]]`:                       codec.TooComplex,
	} {
		_, _, err := d.text([]byte(text), &small)
		wantError(t, text, err, code, "")
	}
	for _, text := range []string{`2["` + strings.Repeat("a", 55) + `"]`, `2["a",1,2,3,4,5,6]`, `2["a",[[]]]`, `2["a",{"b":[1]}]`} {
		if _, ok, err := d.text([]byte(text), &small); !ok || err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestAttachments(t *testing.T) {
	var d decoder
	small := packetLimits{Attachments: 2, Bytes: 100}
	_, _, err := d.binary([]byte{1}, &small)
	wantError(t, "nothing awaited", err, codec.Malformed, "none is awaited")

	text := []byte(`52-["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`)
	begin := func() {
		t.Helper()
		d = decoder{}
		if _, ok, err := d.text(text, &small); ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	begin()
	_, _, err = d.text([]byte(`2["a"]`), &small)
	wantError(t, "a text in between", err, codec.Malformed, "attachment is awaited")

	begin()
	left := make([]byte, small.Bytes-len(text))
	if _, ok, err := d.binary(left[1:], &small); ok || err != nil {
		t.Fatal(ok, err)
	}
	if p, ok, err := d.binary(left[:1], &small); !ok || err != nil || len(p.data) < len(left) {
		t.Fatal(ok, err)
	}
	begin()
	_, _, err = d.binary(append(left, 0), &small)
	wantError(t, "too many bytes", err, codec.TooBig, "")
	begin()
	_, _, _ = d.binary(left, &small)
	_, _, err = d.binary(left[:1], &small)
	wantError(t, "too many bytes in all", err, codec.TooBig, "")

	// What the caller does with its buffers afterwards changes nothing.
	begin()
	first, second := []byte{1, 2}, []byte{3}
	_, _, _ = d.binary(first, &small)
	first[0] = 9
	p, _, _ := d.binary(second, &small)
	second[0], text[5] = 9, 'b'
	p.is(t, "reused buffers", eventPacket, "/", noID, []any{"a", []byte{1, 2}, []byte{3}})
	if _, _, err := d.binary(nil, &small); err == nil {
		t.Error("one more is taken")
	}
}

// TestPacketsAreOwned: a packet does not alias what it was read from.
func TestPacketsAreOwned(t *testing.T) {
	var d decoder
	text := []byte(`2/admin,["abc"]`)
	p, _, err := d.text(text, &testLimits)
	if err != nil {
		t.Fatal(err)
	}
	again, _, _ := d.text([]byte(`2/admin,["xyz"]`), &testLimits)
	clear(text)
	p.is(t, "text", eventPacket, "/admin", noID, []any{"abc"})
	again.is(t, "text", eventPacket, "/admin", noID, []any{"xyz"})
	b := appendPacked(nil, &p)
	if p, err = readPacked(b, &testLimits); err != nil {
		t.Fatal(err)
	}
	clear(b)
	p.is(t, "packed", eventPacket, "/admin", noID, []any{"abc"})
}

// TestBinaryWithoutAttachments: what cannot have attachments has base64.
func TestBinaryWithoutAttachments(t *testing.T) {
	p := packet{kind: connectErrorPacket, nsp: "/", id: noID, data: pack(t, map[string]any{"data": []byte{1, 2, 3, 4}})}
	text, attachments, err := appendText(nil, &p)
	if string(text) != `4{"data":"AQIDBA=="}` || attachments != nil || err != nil {
		t.Errorf("%s, %x, %v", text, attachments, err)
	}
}

// TestConfusingMaps: no client can make another take a map for a placeholder.
func TestConfusingMaps(t *testing.T) {
	fake := packJSON(t, `{"_placeholder":true,"num":7}`)
	data, err := appendEvent(nil, "x", []any{rawValue(fake), []byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := appendText([]byte("4"), &packet{kind: eventPacket, nsp: "/", id: noID, data: data})
	if !errors.Is(err, errConfusing) || string(b) != "4" {
		t.Errorf("%s, %v", b, err)
	}
	data, _ = appendEvent(nil, "x", []any{rawValue(fake)})
	if b, _, err = appendText(nil, &packet{kind: eventPacket, nsp: "/", id: noID, data: data}); err != nil || !json.Valid(b[1:]) {
		t.Errorf("%s, %v", b, err)
	}
}

// TestManyAttachments: their number can have several digits.
func TestManyAttachments(t *testing.T) {
	args := make([]any, 123)
	for i := range args {
		args[i] = []byte{byte(i)}
	}
	data, err := appendEvent(nil, "x", args)
	if err != nil {
		t.Fatal(err)
	}
	text, attachments, err := appendText([]byte("4"), &packet{kind: eventPacket, nsp: "/a", id: 5, data: data})
	if err != nil || len(attachments) != 123 || !strings.HasPrefix(string(text), `45123-/a,5["x",{"_placeholder":true,"num":0},{`) {
		t.Fatalf("%.100s, %d, %v", text, len(attachments), err)
	}
	var d decoder
	limits := packetLimits{Attachments: 123, Bytes: 1 << 20}
	p, ok, err := d.text(text[1:], &limits)
	for _, b := range attachments {
		if ok || err != nil {
			t.Fatal(ok, err)
		}
		p, ok, err = d.binary(b, &limits)
	}
	if !ok || err != nil || string(p.data) != string(data) || p.nsp != "/a" || p.id != 5 {
		t.Fatal(ok, err, p)
	}
}
