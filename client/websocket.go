package client

import (
	"encoding/binary"
	"math/rand/v2"
	"unicode/utf8"

	"github.com/volley-go/volley/codec"
)

const (
	opContinuation = 0
	opText         = 1
	opBinary       = 2
	opClose        = 8
	opPing         = 9
	opPong         = 10

	maxControl   = 125
	maxFragments = 4096 // in one message
)

// wsFraming is the client's side of RFC 6455: it takes a server's frames apart and masks what goes out. No extensions. The
// server never fragments a message; a proxy on the way may.
type wsFraming struct {
	limit int

	fragments []byte // of the message under way
	frags     int    // frames of the message under way; 0: there is none
}

func wsFault(reason string) error { return &codec.Error{Code: codec.WebSocketProtocol, Reason: reason} }

func (f *wsFraming) next(b []byte) (event, []byte, int, error) {
	if len(b) < 2 {
		return evMore, nil, 0, nil
	}
	if err := f.check(b[0], b[1]); err != nil {
		return 0, nil, 0, err
	}
	at, size := 2, uint64(b[1])
	switch size {
	case 126:
		if at = 4; len(b) < at {
			return evMore, nil, 0, nil
		}
		if size = uint64(binary.BigEndian.Uint16(b[2:])); size < 126 {
			return 0, nil, 0, wsFault("a length is not in its shortest form")
		}
	case 127:
		if at = 10; len(b) < at {
			return evMore, nil, 0, nil
		}
		if size = binary.BigEndian.Uint64(b[2:]); size < 1<<16 || size > 1<<63-1 {
			return 0, nil, 0, wsFault("a length is not in its shortest form")
		}
	}
	if b[0]&0x0f < opClose && size > uint64(f.limit-len(f.fragments)) {
		return 0, nil, 0, errTooBig
	}
	if uint64(len(b)-at) < size {
		return evMore, nil, 0, nil
	}
	n := at + int(size)
	ev, p, err := f.frame(b[0], b[at:n:n])
	return ev, p, n, err
}

// check is what the first two bytes can say wrong by themselves, and in the state of the message.
func (f *wsFraming) check(b0, b1 byte) error {
	op := b0 & 0x0f
	switch {
	case b0&0x70 != 0:
		return wsFault("reserved bits are set")
	case b1&0x80 != 0:
		return wsFault("a server's frames are not masked")
	case op > opPong || op > opBinary && op < opClose:
		return wsFault("unknown opcode")
	case op == opText:
		return &codec.Error{Code: codec.TextMessage, Reason: "the server sent a text message"}
	case op >= opClose && b0&0x80 == 0:
		return wsFault("a control frame is fragmented")
	case op >= opClose && b1 > maxControl:
		return wsFault("a control frame is longer than 125 bytes")
	case op == opContinuation && f.frags == 0:
		return wsFault("a continuation of nothing")
	case op == opBinary && f.frags > 0:
		return wsFault("a message begins inside another")
	}
	return nil
}

// frame takes one whole frame.
func (f *wsFraming) frame(b0 byte, p []byte) (event, []byte, error) {
	switch b0 & 0x0f {
	case opPing:
		return evPing, p, nil
	case opPong:
		return evNothing, nil, nil
	case opClose:
		return evClose, p, nil
	}
	final := b0&0x80 != 0
	if f.frags == 0 {
		if final {
			return whole(p)
		}
	}
	f.fragments = append(f.fragments, p...)
	if f.frags++; f.frags > maxFragments {
		return 0, nil, &codec.Error{Code: codec.TooComplex, Reason: "too many fragments in a message"}
	}
	if !final {
		return evNothing, nil, nil
	}
	p, f.frags, f.fragments = f.fragments, 0, nil
	return whole(p)
}

func whole(p []byte) (event, []byte, error) {
	if len(p) == 0 {
		return 0, nil, errEmpty
	}
	return evFrame, p, nil
}

func (f *wsFraming) header(buf []byte, start int) int {
	return putHeader(buf, start, opBinary)
}

// putHeader writes the header of a client's frame before buf[start:], masks it, and returns where the header begins.
func putHeader(buf []byte, start int, op byte) int {
	size, at := len(buf)-start, start-6
	switch {
	case size <= 125:
		buf[at+1] = byte(size)
	case size <= 1<<16-1:
		at -= 2
		buf[at+1] = 126
		binary.BigEndian.PutUint16(buf[at+2:], uint16(size))
	default:
		at -= 8
		buf[at+1] = 127
		binary.BigEndian.PutUint64(buf[at+2:], uint64(size))
	}
	buf[at] = 0x80 | op
	buf[at+1] |= 0x80
	key := rand.Uint32() // the runtime's ChaCha8: nobody can predict it, as the RFC demands
	binary.LittleEndian.PutUint32(buf[start-4:], key)
	mask(buf[start:], key)
	return at
}

// mask XORs b with the key, whose first byte on the wire is its lowest.
func mask(b []byte, key uint32) {
	k := uint64(key)<<32 | uint64(key)
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^k)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= byte(k >> (8 * i))
	}
}

// control is a whole control frame, of at most 125 bytes of payload.
func control(op byte, payload []byte) []byte {
	b := append(make([]byte, headroom, headroom+maxControl), payload...)
	return b[putHeader(b, headroom, op):]
}

// closeFrame is a whole close frame.
func closeFrame(code codec.Code, reason string) []byte {
	if !sendable(code) {
		return control(opClose, nil)
	}
	return control(opClose, append(binary.BigEndian.AppendUint16(nil, uint16(code)), codec.CutReason(reason)...))
}

// sendable says whether RFC 6455 lets a code be in a close frame.
func sendable(code codec.Code) bool {
	return code >= 1000 && code <= 1014 && (code < 1004 || code > 1006) || code >= 3000 && code <= 4999
}

// parseClose reads a close frame's payload.
func parseClose(p []byte) (*CloseError, error) {
	if len(p) == 0 {
		return &CloseError{Code: NoCode, Remote: true}, nil
	}
	if len(p) < 2 || !sendable(codec.Code(binary.BigEndian.Uint16(p))) || !utf8.Valid(p[2:]) {
		return nil, wsFault("a close frame's payload is invalid")
	}
	return &CloseError{Code: codec.Code(binary.BigEndian.Uint16(p)), Reason: string(p[2:]), Remote: true}, nil
}
