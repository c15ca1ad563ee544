package codec

import (
	"bytes"
	"testing"

	"github.com/vmihailenco/msgpack/v5"
)

// The tests of this file hold what this package believes about msgpack/v5. If one fails after an upgrade, read what the
// comment names.

// TestMsgpackKeepsFlagsOnResetWriter: why the Encoder calls Reset, and then sets its flags again.
func TestMsgpackKeepsFlagsOnResetWriter(t *testing.T) {
	var out bytes.Buffer
	e := msgpack.NewEncoder(&out)
	encode := func() int {
		out.Reset()
		if err := e.Encode(int64(1)); err != nil {
			t.Fatal(err)
		}
		return out.Len()
	}
	if n := encode(); n != 9 {
		t.Errorf("an int64 takes %d bytes", n)
	}
	e.UseCompactInts(true)
	e.ResetWriter(&out)
	if n := encode(); n != 1 {
		t.Errorf("after ResetWriter %d bytes", n)
	}
	e.Reset(&out)
	if n := encode(); n != 9 {
		t.Errorf("after Reset %d bytes", n)
	}
}

// TestMsgpackKeepsDecoderFlagsOnResetReader: why delegate calls Reset.
func TestMsgpackKeepsDecoderFlagsOnResetReader(t *testing.T) {
	five := []byte{0x05}
	in := &byteReader{b: five}
	d := msgpack.NewDecoder(in)
	d.UseLooseInterfaceDecoding(true)
	d.ResetReader(in)
	var v any
	if err := d.Decode(&v); err != nil || v != int64(5) {
		t.Errorf("%T, %v", v, err)
	}
	*in = byteReader{b: five}
	d.Reset(in)
	v = nil
	if err := d.Decode(&v); err != nil || v != int8(5) {
		t.Errorf("%T, %v", v, err)
	}
}

// TestMsgpackTakesNoBufferOverAByteReader: it reads no further than the value, so that what it has left can be counted.
func TestMsgpackTakesNoBufferOverAByteReader(t *testing.T) {
	in := &byteReader{b: []byte{0x92, 0x01, 0x02, 0x03}}
	var v []int
	if err := msgpack.NewDecoder(in).Decode(&v); err != nil || in.p != 3 {
		t.Errorf("%v, %v, at %d", v, err, in.p)
	}
}

// TestMsgpackIsLaxWithNumbers: why this package decodes numbers itself.
func TestMsgpackIsLaxWithNumbers(t *testing.T) {
	var u8 uint8
	if err := msgpack.Unmarshal(unhex(t, "cd 012c"), &u8); err != nil || u8 != 44 {
		t.Errorf("300 as uint8: %d, %v", u8, err)
	}
	var u32 uint32
	if err := msgpack.Unmarshal(unhex(t, "ff"), &u32); err != nil || u32 != 1<<32-1 {
		t.Errorf("-1 as uint32: %d, %v", u32, err)
	}
	var f float32
	if err := msgpack.Unmarshal(unhex(t, "cb 3fe0000000000000"), &f); err == nil {
		t.Errorf("0.5 from a float64 as float32: %v", f)
	}
	var s string
	if err := msgpack.Unmarshal(unhex(t, "a1 ff c0"), &s); err != nil || s != "\xff" {
		t.Errorf("text that is not UTF-8, and a byte after it: %q, %v", s, err)
	}
}

// TestMsgpackBelievesExtensions: why barred exists. The four billion entries are only declared here, not made.
func TestMsgpackBelievesExtensions(t *testing.T) {
	n, err := msgpack.NewDecoder(bytes.NewReader(unhex(t, "d7 ff dfffffffff000000"))).DecodeMapLen()
	if err != nil || n != 1<<32-1 {
		t.Errorf("%d entries, %v", n, err)
	}
}

// TestMsgpackWritesKeysTwice: why two fields of one name are refused.
func TestMsgpackWritesKeysTwice(t *testing.T) {
	b, err := msgpack.Marshal(&struct {
		Base
		ID int
	}{})
	if n := bytes.Count(b, []byte("ID")); err != nil || n != 2 {
		t.Errorf("ID is written %d times, %v", n, err)
	}
}

// TestMsgpackInternsStrings: why intern is refused: the second time, a string is an extension.
func TestMsgpackInternsStrings(t *testing.T) {
	type interned struct {
		A, B string `msgpack:",intern"`
	}
	b, err := Marshal(&interned{"long", "long"})
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, Scan(b, ClientLimits), Malformed)
}
