package socketio

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/volley-go/volley/codec"
)

// rawValue is an argument that is msgpack already.
type rawValue = msgpack.RawMessage

type position struct {
	X, Y float64
	Name string `msgpack:"name"`
}

func TestAppendEvent(t *testing.T) {
	at := time.Unix(1, 2)
	args := []any{nil, true, 1, int64(-5), uint8(200), 2.5, "ä", []byte{1}, []byte(nil), []string{"a"}, position{1, 2.5, "x"}, &position{}, at,
		rawValue{0x93, 1, 2, 3}, map[string]int{"a": 1}, float32(0.5)}
	b, err := appendEvent([]byte("before"), "move", args)
	if err != nil {
		t.Fatal(err)
	}
	want := codec.AppendStr(codec.AppendArray([]byte("before"), 17), "move")
	for _, v := range args {
		want = append(want, pack(t, v)...)
	}
	if !bytes.Equal(b, want) {
		t.Errorf("%x, want %x", b, want)
	}
	name, list := arguments(b[6:], true)
	if name != "move" || len(list) != len(args) {
		t.Fatalf("%s, %d arguments", name, len(list))
	}
	for i, v := range list {
		if !bytes.Equal(v, pack(t, args[i])) {
			t.Errorf("argument %d is %x", i, v)
		}
	}
	if b, err := appendAck([]byte{1}, []any{"ok", 5}); err != nil || !bytes.Equal(b, unhex(t, "01 92 a26f6b 05")) {
		t.Errorf("%x, %v", b, err)
	}
}

func TestAppendEventErrors(t *testing.T) {
	deep := any(1)
	for range codec.MaxDepth {
		deep = []any{deep}
	}
	for _, c := range []struct {
		name string
		arg  any
		want string
	}{
		{"connect", 1, "choose another name"}, {"disconnecting", 1, "choose another name"}, {"\xff", 1, "not UTF-8"},
		{"x", "\xff", "argument 2 of type string"}, {"x", []string{"\xff"}, "argument 2 of type []string"}, {"x", make(chan int), "argument 2 of type chan int"},
		{"x", func() {}, "argument 2 of type func()"}, {"x", rawValue{}, "argument 2"}, {"x", rawValue{0x92, 1}, "bytes end"}, {"x", rawValue{1, 1}, "bytes after"},
		{"x", rawValue{0xc1}, "0xc1"}, {"x", rawValue{0xd4, 0, 0}, "extension"}, {"x", map[bool]int{true: 1}, "map key"}, {"x", deep, "nesting"},
	} {
		b, err := appendEvent([]byte("before"), c.name, []any{"first", c.arg})
		if err == nil || !strings.Contains(err.Error(), c.want) || string(b) != "before" {
			t.Errorf("%s with %T: %q, %v, want %q", c.name, c.arg, b, err, c.want)
		}
	}
	if b, err := appendAck([]byte("before"), []any{make(chan int)}); err == nil || string(b) != "before" {
		t.Errorf("%q, %v", b, err)
	}
}

// TestDeepestArgument: what just passes alone still passes in its event.
func TestDeepestArgument(t *testing.T) {
	for n := codec.MaxDepth - 6; n < codec.MaxDepth; n++ {
		v := append(bytes.Repeat([]byte{0x91}, n), 1)
		if b, err := appendEvent(nil, "x", []any{rawValue(v)}); err == nil && codec.Scan(b, codec.ServerLimits) != nil {
			t.Errorf("%d levels pass as an argument but not in the event", n)
		}
	}
}

func TestArguments(t *testing.T) {
	for _, c := range []struct {
		hex   string
		event bool
		name  string
		args  bytesList
	}{
		{"91 a161", true, "a", nil},
		{"93 a161 01 920203", true, "a", bytesList{{1}, {0x92, 2, 3}}},
		{"90", false, "", nil},
		{"92 a161 c0", false, "", bytesList{{0xa1, 'a'}, {0xc0}}},
		{"dc0001 01", false, "", bytesList{{1}}},
		{"90", true, "", nil},
		{"", true, "", nil},
		{"80", false, "", nil},
		{"93 a161 01", true, "a", nil},
	} {
		if name, args := arguments(unhex(t, c.hex), c.event); name != c.name || !reflect.DeepEqual(args, c.args) {
			t.Errorf("%s: %s, %x", c.hex, name, args)
		}
	}
}
