package codec

import (
	"errors"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

// selfDecoder reads two numbers.
type selfDecoder struct{ X, Y int }

func (v *selfDecoder) EncodeMsgpack(e *msgpack.Encoder) error {
	if err := e.EncodeArrayLen(2); err != nil {
		return err
	}
	if err := e.EncodeInt(int64(v.X)); err != nil {
		return err
	}
	return e.EncodeInt(int64(v.Y))
}

func (v *selfDecoder) DecodeMsgpack(d *msgpack.Decoder) (err error) {
	if _, err = d.DecodeArrayLen(); err != nil {
		return err
	}
	if v.X, err = d.DecodeInt(); err != nil {
		return err
	}
	v.Y, err = d.DecodeInt()
	return err
}

// odd misbehaves as its payload, a string, says.
type odd struct {
	Value any
	Map   map[string]any
}

var errOdd = errors.New("an odd error")

func (v *odd) DecodeMsgpack(d *msgpack.Decoder) error {
	what, err := d.DecodeString()
	switch what {
	case "panic":
		panic("odd")
	case "error":
		return errOdd
	case "code":
		return Errorf(BadPayload, "its own words")
	case "flags":
		d.UseLooseInterfaceDecoding(true)
		d.DisallowUnknownFields(true)
		d.SetCustomStructTag("json")
		d.SetMapDecoder(func(*msgpack.Decoder) (any, error) { return nil, errOdd })
	}
	return err
}

// looseAny is decoded by msgpack/v5's own interface decoding, which flags change.
type looseAny struct{ Value any }

func (v *looseAny) DecodeMsgpack(d *msgpack.Decoder) (err error) {
	v.Value, err = d.DecodeInterface()
	if _, isMap := v.Value.(map[string]any); err == nil && !isMap {
		return errors.New("no map")
	}
	return err
}

// mapMethod reads a map with the method of msgpack/v5 that believes extensions.
type mapMethod struct{ m map[string]any }

func (v *mapMethod) DecodeMsgpack(d *msgpack.Decoder) (err error) {
	v.m, err = d.DecodeMap()
	return err
}

// list reads an array of one value, then a map.
type list struct {
	at time.Time
	m  map[string]any
}

func (v *list) DecodeMsgpack(d *msgpack.Decoder) (err error) {
	if _, err = d.DecodeArrayLen(); err != nil {
		return err
	}
	if v.at, err = d.DecodeTime(); err != nil {
		return err
	}
	v.m, err = d.DecodeMap()
	return err
}

type upper string

func (u *upper) UnmarshalText(b []byte) error {
	if string(b) == "no" {
		return errOdd
	}
	*u = upper("text " + string(b))
	return nil
}

type raw []byte

func (r *raw) UnmarshalMsgpack(b []byte) error {
	*r = append(raw{}, b...)
	return nil
}

type blob struct{ n int }

func (v *blob) UnmarshalBinary(b []byte) error { v.n = len(b); return nil }

func TestTypesThatDecodeThemselves(t *testing.T) {
	type all struct {
		Self   selfDecoder
		Ptr    *selfDecoder
		List   []selfDecoder
		Text   upper
		Texts  map[string]upper
		Raw    raw
		Binary blob
		After  int
	}
	b, err := Marshal(map[string]any{
		"Self": []int{1, 2}, "Ptr": []int{3, 4}, "List": [][]int{{5, 6}, {7, 8}}, "Text": "a",
		"Texts": map[string]string{"k": "b"}, "Raw": map[string]int{"x": 1}, "Binary": []byte("abc"), "After": 9,
	})
	if err != nil {
		t.Fatal(err)
	}
	var v all
	if err := Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if v.Self != (selfDecoder{1, 2}) || *v.Ptr != (selfDecoder{3, 4}) || v.List[1] != (selfDecoder{7, 8}) || v.Text != "text a" ||
		v.Texts["k"] != "text b" || string(v.Raw) != "\x81\xa1x\x01" || v.Binary.n != 3 || v.After != 9 {
		t.Errorf("%+v", v)
	}
	if err := Unmarshal(unhex(t, "82 a4 53656c66 c0 a3 507472 c0"), &v); err != nil || v.Ptr != nil || v.Self != (selfDecoder{}) {
		t.Errorf("nil: %+v, %v", v, err)
	}
}

func TestDelegateErrors(t *testing.T) {
	cases := []struct {
		name, text string
		decode     func([]byte) error
		hex        string
	}{
		{"its own error", "bad-payload: F: an odd error", decodeInto[struct{ F odd }](t), "81 a1 46 a5 6572726f72"},
		{"its own *Error", "bad-payload: F: its own words", decodeInto[struct{ F odd }](t), "81 a1 46 a4 636f6465"},
		{"at the root", "bad-payload: an odd error", decodeInto[odd](t), "a5 6572726f72"},
		{"bytes left unread", "bad-payload: F[0]: *codec.selfDecoder left 1 bytes of its payload unread",
			decodeInto[struct{ F []selfDecoder }](t), "81 a1 46 91 93 01 02 03"},
		{"text", "bad-payload: an odd error", decodeInto[upper](t), "a2 6e6f"},
		{"another kind", "bad-payload: msgpack: invalid code=5 decoding array length", decodeInto[selfDecoder](t), "05"},
		{"not well-formed", "malformed: the bytes end before the value does", decodeInto[selfDecoder](t), "92 01"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if err := c.decode(unhex(t, c.hex)); err == nil || err.Error() != c.text {
				t.Errorf("%v, want %s", err, c.text)
			}
		})
	}
}

// TestPanicsAndFlagsDoNotReachTheNextValue, in the same goroutine and so most likely in the same pooled state.
func TestPanicsAndFlagsDoNotReachTheNextValue(t *testing.T) {
	d := decodeInto[odd](t)
	loose := decodeInto[looseAny](t)
	good := decodeInto[selfDecoder](t)
	for range 100 {
		func() {
			defer func() {
				if recover() == nil {
					t.Fatal("no panic")
				}
			}()
			d(unhex(t, "a5 70616e6963"))
		}()
		if err := d(unhex(t, "a5 666c616773")); err != nil {
			t.Fatal(err)
		}
		if err := loose(unhex(t, "81 a1 78 05")); err != nil {
			t.Fatal(err)
		}
		if err := good(unhex(t, "92 01 02")); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTimestampsAreNotMaps: see barred.
func TestTimestampsAreNotMaps(t *testing.T) {
	for _, s := range []string{
		"d7 ff dfffffffff000000", "d6 ff dfffffff", "c7 0c ff dfffffffff00000000000000",
	} {
		b := unhex(t, s)
		wantCode(t, Scan(b, ClientLimits), 0)
		wantCode(t, decodeInto[mapMethod](t)(b), BadPayload)
		wantCode(t, decodeInto[[]mapMethod](t)(append([]byte{0x92, 0x80}, b...)), BadPayload)
		wantCode(t, decodeInto[list](t)(append(unhex(t, "92 d6 ff 00000001"), b...)), BadPayload)
	}
	// A timestamp where one is wanted is none the worse for its bytes.
	var v list
	if err := Unmarshal(unhex(t, "92 d7 ff dfc000006553f100 81 a1 78 01"), &v); err != nil || v.at.Unix() != 0x6553f100 || len(v.m) != 1 {
		t.Errorf("%+v, %v", v, err)
	}
	if v.at.Nanosecond() != 0xdfc00000>>2 {
		t.Errorf("%d nanoseconds", v.at.Nanosecond())
	}
}
