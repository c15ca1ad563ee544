//go:build linux

package main

import (
	"encoding/binary"
	"errors"
)

// headroom is what a client's frame needs in front of it: the longest header of a WebSocket frame and its masking key.
const headroom = 14

// framing is how frames lie in a stream of bytes.
type framing interface {
	// put writes the header of the frame buf[at:] in front of it and returns where it begins. at is at least headroom.
	put(buf []byte, at int) int
	// next returns the first frame of b and what comes after it; kind is 0 if b holds no whole frame.
	next(b []byte) (kind frameKind, frame, rest []byte, err error)
}

type frameKind uint8

const (
	frameNone frameKind = iota
	frameData
	framePing  // WebSocket's own
	frameClose // its payload is the code and the reason
	frameOther
)

var (
	errMasked  = errors.New("the server masks its frames")
	errTooLong = errors.New("a frame of more than 16 MiB")
	errSplit   = errors.New("the server fragments its messages")
)

const longestFrame = 16 << 20

// webSocket is RFC 6455, as far as a load generator needs it. Its masking key is zero, so that masking is nothing to do.
type webSocket struct{}

func (webSocket) put(buf []byte, at int) int {
	n := len(buf) - at
	at -= 4
	clear(buf[at : at+4])
	switch {
	case n < 126:
		at -= 2
		buf[at+1] = 0x80 | byte(n)
	case n < 1<<16:
		at -= 4
		buf[at+1] = 0x80 | 126
		binary.BigEndian.PutUint16(buf[at+2:], uint16(n))
	default:
		at -= 10
		buf[at+1] = 0x80 | 127
		binary.BigEndian.PutUint64(buf[at+2:], uint64(n))
	}
	buf[at] = 0x82
	return at
}

func (webSocket) next(b []byte) (frameKind, []byte, []byte, error) {
	if len(b) < 2 {
		return frameNone, nil, b, nil
	}
	if b[1]&0x80 != 0 {
		return frameNone, nil, b, errMasked
	}
	n, head := int(b[1]), 2
	switch {
	case n == 126:
		if head = 4; len(b) < head {
			return frameNone, nil, b, nil
		}
		n = int(binary.BigEndian.Uint16(b[2:]))
	case n == 127:
		if head = 10; len(b) < head {
			return frameNone, nil, b, nil
		}
		long := binary.BigEndian.Uint64(b[2:])
		if long > longestFrame {
			return frameNone, nil, b, errTooLong
		}
		n = int(long)
	}
	if len(b) < head+n {
		return frameNone, nil, b, nil
	}
	frame, rest := b[head:head+n], b[head+n:]
	switch b[0] {
	case 0x81, 0x82:
		return frameData, frame, rest, nil
	case 0x88:
		return frameClose, frame, rest, nil
	case 0x89:
		return framePing, frame, rest, nil
	}
	if b[0]&0x80 == 0 || b[0]&0x0f == 0 {
		return frameNone, nil, b, errSplit
	}
	return frameOther, frame, rest, nil
}

// rawTCP is a length and that many bytes.
type rawTCP struct{}

func (rawTCP) put(buf []byte, at int) int {
	binary.BigEndian.PutUint32(buf[at-4:], uint32(len(buf)-at))
	return at - 4
}

func (rawTCP) next(b []byte) (frameKind, []byte, []byte, error) {
	if len(b) < 4 {
		return frameNone, nil, b, nil
	}
	n := int(binary.BigEndian.Uint32(b))
	if n > longestFrame {
		return frameNone, nil, b, errTooLong
	}
	if len(b) < 4+n {
		return frameNone, nil, b, nil
	}
	return frameData, b[4 : 4+n], b[4+n:], nil
}
