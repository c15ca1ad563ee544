package socketio

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/volley-go/volley/codec"
)

// engineText is a text packet in what splitPayload gave; what is binary is a string.
type engineText string

func splitBody(body string, most int) (list []any, err error) {
	err = splitPayload([]byte(body), most, func(binary bool, packet []byte) error {
		if binary {
			list = append(list, string(packet))
		} else {
			list = append(list, engineText(packet))
		}
		return nil
	})
	return list, err
}

func joinBody(list []any) (body []byte) {
	for _, p := range list {
		switch p := p.(type) {
		case engineText:
			body = appendPayload(body, []byte(p), true)
		case string:
			body = appendPayload(body, []byte(p), false)
		}
	}
	return body
}

func TestPayload(t *testing.T) {
	for body, want := range map[string][]any{
		"4hello\x1e2\x1e4world":                 {engineText("4hello"), engineText("2"), engineText("4world")},
		"4hello\x1ebAQIDBA==":                   {engineText("4hello"), "\x01\x02\x03\x04"},
		"4test\x1ebAQIDBA==":                    {engineText("4test"), "\x01\x02\x03\x04"},
		"3":                                     {engineText("3")},
		"b":                                     {""},
		"b\x1ebAA==\x1ebAAA=\x1ebAAAA\x1eb//8=": {"", "\x00", "\x00\x00", "\x00\x00\x00", "\xff\xff"},
		"42[\"hello\"]\x1e42[\"wörld\"]":        {engineText(`42["hello"]`), engineText(`42["wörld"]`)},
		"0\x1e1\x1e2probe\x1e3\x1e4\x1e5\x1e6":  {engineText("0"), engineText("1"), engineText("2probe"), engineText("3"), engineText("4"), engineText("5"), engineText("6")},
	} {
		got, err := splitBody(body, len(want))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q, %v", body, got, err)
		}
		if again := joinBody(want); string(again) != body {
			t.Errorf("%q is written as %q", body, again)
		}
	}
	for body, want := range map[string]string{"bAQIDBA": "\x01\x02\x03\x04", "bAQID\r\nBA==": "\x01\x02\x03\x04"} {
		if got, err := splitBody(body, 1); err != nil || !reflect.DeepEqual(got, []any{want}) {
			t.Errorf("%q: %q, %v", body, got, err)
		}
	}
}

func TestPayloadMalformed(t *testing.T) {
	for body, reason := range map[string]string{
		"": "empty", "\x1e": "empty", "4a\x1e": "empty", "\x1e4a": "empty", "4a\x1e\x1e4b": "empty", "7": "begins with", "x": "begins with", "B": "begins with",
		" 4a": "begins with", "4a\x1e-": "begins with", "b*": "base64", "bA": "base64", "bAAAAA": "base64", "bAQ=ID": "base64", "bé": "base64", "b-_-_": "base64",
		"4\xff": "UTF-8", "4a\x1e4\xed\xa0\x80": "UTF-8",
	} {
		_, err := splitBody(body, 10)
		wantError(t, body, err, codec.Malformed, reason)
	}
	got, err := splitBody("4\x1e4\x1e4", 2)
	wantError(t, "three packets", err, codec.TooComplex, "too many packets")
	if got != nil {
		t.Errorf("%q came nevertheless", got)
	}
	stop, calls := errors.New("stop"), 0
	err = splitPayload([]byte("4\x1e4"), 2, func(bool, []byte) error { calls++; return stop })
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
}

// TestPayloadSeparator: no packet has the separator in it.
func TestPayloadSeparator(t *testing.T) {
	data, err := appendEvent(nil, "a\x1eb", []any{"\x1e", []byte("\x1e")})
	if err != nil {
		t.Fatal(err)
	}
	text, attachments, err := appendText([]byte("4"), &packet{kind: eventPacket, nsp: "/", id: noID, data: data})
	if err != nil || strings.Contains(string(text), "\x1e") {
		t.Fatalf("%q, %v", text, err)
	}
	got, err := splitBody(string(appendPayload(appendPayload(nil, text, true), attachments[0], false)), 2)
	if err != nil || !reflect.DeepEqual(got, []any{engineText(text), "\x1e"}) {
		t.Errorf("%q, %v", got, err)
	}
}
