package client

import (
	"encoding/binary"

	"github.com/volley-go/volley/codec"
)

// event is what a framing found at the beginning of its input.
type event uint8

const (
	evMore    event = iota // nothing whole: more input is needed
	evFrame                // a frame
	evPing                 // a WebSocket ping
	evClose                // a WebSocket close frame
	evNothing              // something that asks for nothing: a fragment, a pong
)

// headroom is the room that header needs in front of a frame.
const headroom = 14

// framing is how a transport marks frames. It keeps no socket and no clock. Owned by the goroutine that reads, but for header,
// which keeps no state.
type framing interface {
	// next finds the first event in b and the bytes that belong to it, and how much of b is done with. The bytes alias b or
	// the framing and are valid until the next call.
	next(b []byte) (ev event, p []byte, n int, err error)
	// header writes the header of the frame buf[start:] before it and, on WebSocket, masks the frame. It returns where the
	// header begins. start must be at least headroom.
	header(buf []byte, start int) int
}

// tcpFraming is a 4-byte length before each frame.
type tcpFraming struct {
	limit int
}

func (f *tcpFraming) next(b []byte) (event, []byte, int, error) {
	if len(b) < 4 {
		return evMore, nil, 0, nil
	}
	size := uint64(binary.BigEndian.Uint32(b))
	switch {
	case size == 0:
		return 0, nil, 0, errEmpty
	case size > uint64(f.limit):
		return 0, nil, 0, errTooBig
	case uint64(len(b)-4) < size:
		return evMore, nil, 0, nil
	}
	n := 4 + int(size)
	return evFrame, b[4:n:n], n, nil
}

func (f *tcpFraming) header(buf []byte, start int) int {
	binary.BigEndian.PutUint32(buf[start-4:], uint32(len(buf)-start))
	return start - 4
}

var (
	errEmpty  = codec.Errorf(codec.Malformed, "the server sent an empty frame")
	errTooBig = codec.Errorf(codec.TooBig, "the server sent a frame that is longer than the limit")
)
