package volley_test

import (
	"bytes"
	"encoding/binary"
	"strings"

	"github.com/volley-go/volley/codec"
)

const (
	opContinuation = 0
	opText         = 1
	opBinary       = 2
	opClose        = 8
	opPing         = 9
	opPong         = 10
	fin            = 0x80
)

// declared is the header of a WebSocket frame that says how long it is, in 64 bits, and has nothing behind it.
func declared(b0 byte, length uint64) []byte {
	return append(binary.BigEndian.AppendUint64([]byte{b0, 0xff}, length), 1, 2, 3, 4)
}

// webSocketAttacks are frames of WebSocket that break its rules, or stretch them.
func webSocketAttacks() (list []attack) {
	ping := string(codec.AppendPing(nil, 7))
	for _, bad := range []struct {
		name  string
		bytes []byte
		want  codec.Code
	}{
		{"length overflow: 2^63-1 behind a fragment of 16 bytes", bytes.Join([][]byte{
			masked(opBinary, strings.Repeat("x", 16)), declared(fin|opContinuation, 1<<63-1)}, nil), codec.TooBig},
		{"length 2^63-1", declared(fin|opBinary, 1<<63-1), codec.TooBig},
		{"length 2^63", declared(fin|opBinary, 1<<63), codec.WebSocketProtocol},
		{"length 2^64-1", declared(fin|opBinary, 1<<64-1), codec.WebSocketProtocol},
		{"a byte more than the limit", declared(fin|opBinary, 1<<16+1), codec.TooBig},
		{"a length in a longer form than need be", declared(fin|opBinary, 5), codec.WebSocketProtocol},
		{"unmasked", append([]byte{fin | opBinary, byte(len(ping))}, ping...), codec.WebSocketProtocol},
		{"RSV1: compressed, which nobody has agreed to", masked(fin|0x40|opBinary, ping), codec.WebSocketProtocol},
		{"RSV2", masked(fin|0x20|opBinary, ping), codec.WebSocketProtocol},
		{"RSV3", masked(fin|0x10|opBinary, ping), codec.WebSocketProtocol},
		{"opcode 3", masked(fin|3, ping), codec.WebSocketProtocol},
		{"opcode 15", masked(fin|15, ping), codec.WebSocketProtocol},
		{"text", masked(fin|opText, "hello"), codec.TextMessage},
		{"text in fragments", masked(opText, "hel"), codec.TextMessage},
		{"a message of no bytes", masked(fin|opBinary, ""), codec.Malformed},
		{"a message of no bytes, in fragments", append(masked(opBinary, ""), masked(fin|opContinuation, "")...), codec.Malformed},
		{"continuation of nothing", masked(fin|opContinuation, ping), codec.WebSocketProtocol},
		{"a message inside another", append(masked(opBinary, ping), masked(fin|opBinary, ping)...), codec.WebSocketProtocol},
		{"fragments without end", append(masked(opBinary, "x"), bytes.Repeat(masked(opContinuation, "x"), 300)...), codec.TooComplex},
		{"empty fragments without end", append(masked(opBinary, ""), bytes.Repeat(masked(opContinuation, ""), 300)...), codec.TooComplex},
		{"fragments that grow beyond the limit", append(masked(opBinary, "x"),
			bytes.Repeat(masked(opContinuation, strings.Repeat("x", 1<<13)), 9)...), codec.TooBig},
		{"a ping of 126 bytes", masked(fin|opPing, strings.Repeat("x", 126)), codec.WebSocketProtocol},
		{"a ping of 2^63-1 bytes", declared(fin|opPing, 1<<63-1), codec.WebSocketProtocol},
		{"a ping in fragments", masked(opPing, "x"), codec.WebSocketProtocol},
		{"a close in fragments", masked(opClose, "\x03\xe8"), codec.WebSocketProtocol},
		{"a close of 1 byte", masked(fin|opClose, "\x03"), codec.WebSocketProtocol},
		{"a close of 126 bytes", masked(fin|opClose, "\x03\xe8"+strings.Repeat("x", 124)), codec.WebSocketProtocol},
		{"a close with code 0", masked(fin|opClose, "\x00\x00"), codec.WebSocketProtocol},
		{"a close with code 1005", masked(fin|opClose, "\x03\xed"), codec.WebSocketProtocol},
		{"a close with code 1006", masked(fin|opClose, "\x03\xee"), codec.WebSocketProtocol},
		{"a close with code 1015", masked(fin|opClose, "\x03\xf7"), codec.WebSocketProtocol},
		{"a close with code 5000", masked(fin|opClose, "\x13\x88"), codec.WebSocketProtocol},
		{"a close with code 65535", masked(fin|opClose, "\xff\xff"), codec.WebSocketProtocol},
		{"a close whose reason is not UTF-8", masked(fin|opClose, "\x03\xe8\xc3\x28"), codec.WebSocketProtocol},
		{"a close, and frames behind it", append(masked(fin|opClose, "\x03\xe8"), bytes.Repeat(masked(fin|opBinary, ping), 100)...), codec.Normal},
		{"two closes", append(masked(fin|opClose, "\x03\xe8"), masked(fin|opClose, "\x0f\xa0")...), codec.Normal},
		{"a close with a code of the server's", masked(fin|opClose, "\x0f\xad"), 4013},
		{"another request of HTTP", []byte(upgradeRequest), codec.WebSocketProtocol},
		{"the end of a chunked body", []byte("0\r\n\r\n"), codec.WebSocketProtocol},
		{"a handshake of TLS", unhex("16 0301 0200 01 0001fc 0303"), codec.WebSocketProtocol},
		{"a flood of pings", bytes.Repeat(masked(fin|opPing, "x"), 1500), codec.RateLimited},
		{"a flood of pongs", bytes.Repeat(masked(fin|opPong, "x"), 1500), codec.RateLimited},
		{"a flood of messages of two fragments", bytes.Repeat(append(masked(opBinary, ping[:1]), masked(fin|opContinuation, ping[1:])...), 800), codec.RateLimited},
		{"pings inside a message, and its end", bytes.Join([][]byte{
			masked(opBinary, ping[:1]), bytes.Repeat(masked(fin|opPing, "x"), 50), masked(fin|opContinuation, ping[1:])}, nil), survives},
		{"pongs that nobody has asked for", bytes.Repeat(masked(fin|opPong, strings.Repeat("x", 125)), 50), survives},
	} {
		list = append(list, attack{name: bad.name, state: "pen", do: write(bad.bytes), want: bad.want})
	}
	for _, bad := range []struct {
		name  string
		bytes []byte
		want  codec.Code
	}{
		{"before HELLO: unmasked", []byte{fin | opBinary, 1, 'x'}, codec.WebSocketProtocol},
		{"before HELLO: length overflow", append(masked(opBinary, "0123456789abcdef"), declared(fin|opContinuation, 1<<63-1)...), codec.TooBig},
		{"before HELLO: a flood of pings", bytes.Repeat(masked(fin|opPing, "x"), 1500), codec.RateLimited},
		{"before HELLO: fragments without end", append(masked(opBinary, "x"), bytes.Repeat(masked(opContinuation, "x"), 300)...), codec.TooComplex},
		{"before HELLO: text", masked(fin|opText, "hello"), codec.TextMessage},
		{"before HELLO: a close", masked(fin|opClose, ""), cut},
	} {
		list = append(list, attack{name: bad.name, state: "new", do: write(bad.bytes), want: bad.want})
	}
	return list
}
