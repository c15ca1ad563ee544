package socketio

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"unicode/utf8"

	"github.com/volley-go/volley/codec"
)

// isError checks that what is refused is refused with a code for clients.
func isError(t *testing.T, err error) {
	t.Helper()
	var e *codec.Error
	if !errors.As(err, &e) || e.Code != codec.Malformed && e.Code != codec.TooComplex && e.Code != codec.TooBig || e.Reason == "" {
		t.Fatalf("error %v", err)
	}
}

// checkPacket checks what every packet that was read is.
func checkPacket(t *testing.T, p *packet, l *packetLimits) {
	t.Helper()
	if p.kind > connectErrorPacket || len(p.nsp) == 0 || p.nsp[0] != '/' || p.id < noID || p.id > maxID {
		t.Fatalf("%+v", p)
	}
	if len(p.data) == 0 {
		return
	}
	if err := codec.Scan(p.data, l.Limits); err != nil {
		t.Fatalf("%x: %v", p.data, err)
	}
	if p.kind == eventPacket || p.kind == ackPacket {
		name, args := arguments(p.data, p.kind == eventPacket)
		r := codec.NewReader(p.data, codec.ServerLimits)
		n, err := r.Array()
		if p.kind == eventPacket {
			n--
		}
		if reserved(name) || err != nil || len(args) != n {
			t.Fatalf("%x: event %q, %d arguments, %v", p.data, name, len(args), err)
		}
	}
}

// again writes a packet and reads it again, with both parsers.
func again(t *testing.T, p *packet) (text, packed packet) {
	t.Helper()
	free := packetLimits{Attachments: 1 << 20, Bytes: 1 << 30, Limits: codec.Limits{Depth: codec.MaxDepth, Elements: 1 << 30}}
	b, attachments, err := appendText(nil, p)
	if err != nil {
		if !errors.Is(err, errConfusing) {
			t.Fatalf("%+v: %v", p, err)
		}
		text = *p
	} else {
		var d decoder
		var ok bool
		text, ok, err = d.text(b, &free)
		for _, a := range attachments {
			if ok || err != nil {
				t.Fatalf("%s: %v, %v", b, ok, err)
			}
			text, ok, err = d.binary(a, &free)
		}
		if !ok || err != nil {
			t.Fatalf("%s: %v, %v", b, ok, err)
		}
	}
	packed, err = readPacked(appendPacked(nil, p), &free)
	if err != nil {
		t.Fatal(err)
	}
	return text, packed
}

// sameAgain checks that what was written by either parser, and read, stays as it is.
func sameAgain(t *testing.T, p *packet) {
	t.Helper()
	text, packed := again(t, p)
	for _, q := range []packet{text, packed} {
		if q.kind != p.kind || q.nsp != p.nsp || q.id != p.id || (len(q.data) == 0) != (len(p.data) == 0) {
			t.Fatalf("%+v became %+v", p, q)
		}
	}
	if third, _ := again(t, &text); !reflect.DeepEqual(text, third) {
		t.Fatalf("%+v\nbecame %+v", text, third)
	}
	if _, third := again(t, &packed); !reflect.DeepEqual(packed, third) {
		t.Fatalf("%+v\nbecame %+v", packed, third)
	}
}

var fuzzLimits = packetLimits{Attachments: 3, Bytes: 1 << 16, Limits: codec.Limits{Depth: 12, Elements: 200}}

// FuzzText: a text packet with attachments.
func FuzzText(f *testing.F) {
	for _, c := range packetExamples {
		f.Add([]byte(c.text), []byte("abc"))
	}
	f.Add([]byte(`52-/a?b,7["x",{"a":{"_placeholder":true,"num":1},"a":1,"b":[{"num":0,"_placeholder":true}]}]`), []byte{})
	f.Add([]byte(`4/a,{"message":"\ud800","data":[1e5,-0.5,"\u0000"]}`), []byte{})
	f.Fuzz(func(t *testing.T, text, attachment []byte) {
		var d decoder
		before := bytes.Clone(text)
		p, ok, err := d.text(text, &fuzzLimits)
		for n := 0; !ok && err == nil; n++ {
			if n == fuzzLimits.Attachments {
				t.Fatal("too many are awaited")
			}
			p, ok, err = d.binary(append(bytes.Clone(attachment), byte(n)), &fuzzLimits)
		}
		if !bytes.Equal(text, before) {
			t.Fatal("the text was changed")
		}
		if err != nil {
			isError(t, err)
			return
		}
		if d.wait != nil {
			t.Fatal("more is awaited")
		}
		checkPacket(t, &p, &fuzzLimits)
		sameAgain(t, &p)
	})
}

// FuzzPacked: a message of the msgpack parser.
func FuzzPacked(f *testing.F) {
	for _, c := range packetExamples {
		p, err := readText(c.text, c.attachments...)
		if err != nil {
			f.Fatal(err)
		}
		if len(p.data) < 1000 {
			f.Add(appendPacked(nil, &p))
		}
	}
	f.Add(unhex(f, "83 a474797065 02 a36e7370 a12f a464617461 95 a3666f6f d40000 d700 0000018bcfe5687b d700 ffffffffffffffff c702000102"))
	f.Add(unhex(f, "83 a474797065 02 a36e7370 a12f a464617461 95 a178 d6ff00000001 d7ff0000000100000002 c70cff000000010000000000000001 81 05 ca3f800000"))
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		p, err := readPacked(b, &fuzzLimits)
		if !bytes.Equal(b, before) {
			t.Fatal("the message was changed")
		}
		if err != nil {
			isError(t, err)
			return
		}
		checkPacket(t, &p, &fuzzLimits)
		if plain(p.nsp) {
			sameAgain(t, &p)
		}
	})
}

// plain reports whether the default parser can write a namespace's name.
func plain(nsp string) bool { return !bytes.ContainsRune([]byte(nsp), ',') }

// FuzzJSON: what encoding/json says of a JSON text, msgpack says, and JSON again.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{
		`{"a":[1,-2.5,1e3,null,true,false,"x\n\u00e4\ud83d\ude00"],"b":{},"a":[]}`, "[[[]],{}]", "  1 ", `"\ud800\ud800\udc00"`, "0.1e-2", "-0", "1e400",
		`{"_placeholder":true,"num":0}`, "[1,]", "12345678901234567890", `{"aaaaaaaaa":1,"aaaaaaaab":2,"aaaaaaaaa":3}`, "123456789012345678.5e-10",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, s []byte) {
		if !utf8.Valid(s) {
			return // decoder refuses it before
		}
		var r jsonReader
		err := r.read(s, testLimits.Limits, -1)
		var want any
		wantErr := json.Unmarshal(s, &want)
		if err != nil {
			isError(t, err)
			var e *codec.Error
			if errors.As(err, &e) && wantErr == nil && e.Code == codec.Malformed {
				t.Fatalf("%q is refused: %v", s, err)
			}
			return
		}
		if wantErr != nil {
			t.Fatalf("%q is accepted: %v", s, wantErr)
		}
		if err := codec.Scan(r.out, testLimits.Limits); err != nil {
			t.Fatalf("%q: %x: %v", s, r.out, err)
		}
		var v any
		if err := codec.Unmarshal(r.out, &v); err != nil {
			t.Fatalf("%q: %x: %v", s, r.out, err)
		}
		if got := asFloats(v); !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: %#v, want %#v", s, got, want)
		}
		sameJSON(t, string(s), r.out)
		var tight jsonReader
		limits := codec.Limits{Depth: 5, Elements: 12}
		if tight.read(s, limits, -1) == nil {
			if err := codec.Scan(tight.out, limits); err != nil || !bytes.Equal(tight.out, r.out) {
				t.Fatalf("%q under tight limits: %x: %v", s, tight.out, err)
			}
		}
	})
}

// asFloats is a decoded value with its numbers as encoding/json has them.
func asFloats(v any) any {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case []any:
		for i := range v {
			v[i] = asFloats(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = asFloats(v[k])
		}
	}
	return v
}

// FuzzPayload: a body of long-polling.
func FuzzPayload(f *testing.F) {
	for _, s := range []string{"4hello\x1e2\x1e4world", "4hello\x1ebAQIDBA==", "b", "bAA", "4\x1e", "42[\"a\"]\x1e1"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := splitBody(string(body), 5)
		if err != nil {
			isError(t, err)
			return
		}
		if len(got) == 0 || len(got) > 5 {
			t.Fatalf("%q: %d packets", body, len(got))
		}
		second, err := splitBody(string(joinBody(got)), 5)
		if err != nil || !reflect.DeepEqual(got, second) {
			t.Fatalf("%q: %q, again %q: %v", body, got, second, err)
		}
	})
}
