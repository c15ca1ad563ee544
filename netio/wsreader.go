package netio

import (
	"encoding/binary"
	"unicode/utf8"

	"github.com/volley-go/volley/codec"
)

// event is what a reader found in its input.
type event uint8

const (
	evMore     event = iota // nothing: more input is needed
	evMessage               // a whole message
	evFragment              // a fragment that does not complete its message
	evPing                  // a WebSocket ping
	evPong                  // a WebSocket pong
	evClose                 // a WebSocket close frame
)

const (
	opContinuation = 0
	opText         = 1
	opBinary       = 2
	opClose        = 8
	opPing         = 9
	opPong         = 10

	maxControl   = 125
	maxFragments = 256 // in one message
)

// wsReader takes RFC 6455 frames of a client apart. It is a state machine over the bytes that it is given: no socket, no
// clock. Whole frames are unmasked where they lie; only what is incomplete is copied, to a buffer that grows with the bytes
// received (never with the length declared) and is given back as soon as it is empty. The zero wsReader is ready.
type wsReader struct {
	buf    *[]byte // of the pool: fragments of the message, then the current frame's payload as far as it came; nil: neither
	start  int32   // bytes of buf that are fragments
	length int32   // the current frame's payload
	frags  uint16  // frames of the current message so far

	op         byte // the current frame's
	fin        bool // the current frame's
	inPayload  bool // the current frame's header is complete
	fragmented bool // a message has begun that is not finished
	lent       lent // what of buf went out with the last event

	headerLen uint8
	mask      [4]byte
	header    [14]byte // of which headerLen bytes have come; only for headers that are cut

	foreign bool // Config.Foreign: text and empty messages are taken. Static.
	text    bool // the current message is text, or the last one was
}

// lent is the part of a reader's buffer that the last event gave to the caller, and that the next call takes back.
type lent uint8

const (
	lentNothing lent = iota
	lentControl      // what comes after the fragments
	lentAll
)

// next returns the first event of in, the bytes that belong to it and the input that comes after it. The bytes alias in or
// the reader and are valid until the next call. After evMore all input has been taken. After an error the reader is of
// no use; release it.
func (r *wsReader) next(in []byte, pool *bufPool, limit int) (ev event, p, rest []byte, err error) {
	r.takeBack(pool)
	if !r.inPayload {
		if in, err = r.readHeader(in, limit); err != nil || !r.inPayload {
			return evMore, nil, nil, err
		}
	}
	have, want := 0, int(r.length)
	if r.buf != nil {
		have = len(*r.buf) - int(r.start)
	}
	direct := have == 0 && len(in) >= want
	if direct {
		p, rest = in[:want:want], in[want:]
	} else {
		n := min(want-have, len(in))
		if n > 0 {
			r.buf = pool.Append(r.buf, in[:n]...)
		}
		if have+n < want {
			return evMore, nil, nil, nil
		}
		p, rest = (*r.buf)[r.start:], in[n:]
	}
	unmask(p, r.mask)
	r.inPayload, r.headerLen = false, 0

	if r.op >= opClose {
		if !direct {
			r.lent = lentControl
		}
		return controlEvent(r.op), p, rest, nil
	}
	p, whole := r.message(p, direct, pool)
	if !whole {
		return evFragment, nil, rest, nil
	}
	switch {
	case len(p) == 0 && !r.foreign:
		return evMore, nil, nil, errEmptyMessage
	case r.text && !utf8.Valid(p):
		return evMore, nil, nil, errInvalidText
	}
	return evMessage, p, rest, nil
}

func controlEvent(op byte) event {
	switch op {
	case opPing:
		return evPing
	case opPong:
		return evPong
	}
	return evClose
}

// message adds a data frame's payload to the fragments before it and returns the message if that completes it.
func (r *wsReader) message(p []byte, direct bool, pool *bufPool) (message []byte, whole bool) {
	first := !r.fragmented
	r.fragmented = !r.fin
	if first && r.fin {
		if !direct {
			r.lent = lentAll
		}
		return p, true
	}
	if direct && len(p) > 0 {
		r.buf = pool.Append(r.buf, p...)
	}
	if r.buf != nil {
		r.start = int32(len(*r.buf))
	}
	if !r.fin {
		return nil, false
	}
	if r.buf == nil {
		return nil, true
	}
	r.lent = lentAll
	return *r.buf, true
}

// takeBack ends the caller's use of what the last event lent.
func (r *wsReader) takeBack(pool *bufPool) {
	switch r.lent {
	case lentNothing:
		return
	case lentControl:
		*r.buf = (*r.buf)[:r.start]
	case lentAll:
		r.start = 0
	}
	if r.start == 0 && r.buf != nil {
		pool.Free(r.buf)
		r.buf = nil
	}
	r.lent = lentNothing
}

// release gives the reader's memory back.
func (r *wsReader) release(pool *bufPool) {
	pool.Free(r.buf)
	*r = wsReader{foreign: r.foreign}
}

// readHeader takes a frame's header from in, or as much of it as there is, and returns the rest.
func (r *wsReader) readHeader(in []byte, limit int) ([]byte, error) {
	if r.headerLen == 0 && len(in) >= 2 {
		if err := r.checkHeader(in[0], in[1]); err != nil {
			return nil, err
		}
		if n := headerSize(in[1]); len(in) >= n {
			return in[n:], r.begin(in[:n], limit)
		}
	}
	for len(in) > 0 { // at most twice: two bytes, then as many as they announce
		need := 2
		if r.headerLen >= 2 {
			need = headerSize(r.header[1])
		}
		n := copy(r.header[r.headerLen:need], in)
		r.headerLen += uint8(n)
		in = in[n:]
		if int(r.headerLen) < need {
			break
		}
		if need > 2 {
			return in, r.begin(r.header[:need], limit)
		}
		if err := r.checkHeader(r.header[0], r.header[1]); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// checkHeader is what the first two bytes of a header can say wrong by themselves.
func (r *wsReader) checkHeader(b0, b1 byte) error {
	op := b0 & 0x0f
	switch {
	case b0&0x70 != 0:
		return errReservedBits
	case b1&0x80 == 0:
		return errUnmasked
	case op > opPong || op > opBinary && op < opClose:
		return errOpcode
	case op == opText && !r.foreign:
		return errText
	case op >= opClose && b0&0x80 == 0:
		return errFragmentedControl
	case op >= opClose && b1&0x7f > maxControl:
		return errLongControl
	}
	return nil
}

// headerSize is the length of a client's header by its second byte.
func headerSize(b1 byte) int {
	switch b1 & 0x7f {
	case 126:
		return 8
	case 127:
		return 14
	}
	return 6
}

// begin starts the frame whose whole header is h. The length is checked against the limit before a byte is kept, as
// 64 bits: fragments that are already there plus a declared 2^63-1 do not overflow.
func (r *wsReader) begin(h []byte, limit int) error {
	length := uint64(h[1] & 0x7f)
	switch length {
	case 126:
		if length = uint64(binary.BigEndian.Uint16(h[2:])); length < 126 {
			return errLength
		}
	case 127:
		if length = binary.BigEndian.Uint64(h[2:]); length < 1<<16 || length > 1<<63-1 {
			return errLength
		}
	}
	r.op, r.fin = h[0]&0x0f, h[0]&0x80 != 0
	copy(r.mask[:], h[len(h)-4:])
	if r.op < opClose {
		switch {
		case r.op == opContinuation && !r.fragmented:
			return errContinuation
		case r.op != opContinuation && r.fragmented:
			return errInterleaved
		case length > uint64(limit-int(r.start)):
			return errTooBig
		}
		if r.op != opContinuation {
			r.frags, r.text = 0, r.op == opText
		}
		if r.frags++; r.frags > maxFragments {
			return errFragments
		}
	}
	r.length, r.inPayload = int32(length), true
	return nil
}

// The errors of the readers. They are shared and never changed.
var (
	errReservedBits      = &codec.Error{Code: codec.WebSocketProtocol, Reason: "reserved bits are set"}
	errUnmasked          = &codec.Error{Code: codec.WebSocketProtocol, Reason: "a client's frames are masked"}
	errOpcode            = &codec.Error{Code: codec.WebSocketProtocol, Reason: "unknown opcode"}
	errText              = &codec.Error{Code: codec.TextMessage, Reason: "only binary messages are taken"}
	errFragmentedControl = &codec.Error{Code: codec.WebSocketProtocol, Reason: "a control frame is fragmented"}
	errLongControl       = &codec.Error{Code: codec.WebSocketProtocol, Reason: "a control frame is longer than 125 bytes"}
	errLength            = &codec.Error{Code: codec.WebSocketProtocol, Reason: "a length is not in its shortest form"}
	errContinuation      = &codec.Error{Code: codec.WebSocketProtocol, Reason: "a continuation of nothing"}
	errInterleaved       = &codec.Error{Code: codec.WebSocketProtocol, Reason: "a message begins inside another"}
	errClosePayload      = &codec.Error{Code: codec.WebSocketProtocol, Reason: "a close frame's payload is invalid"}
	errFragments         = &codec.Error{Code: codec.TooComplex, Reason: "too many fragments in a message"}
	errTooBig            = &codec.Error{Code: codec.TooBig, Reason: "a frame is longer than the limit"}
	errEmptyMessage      = &codec.Error{Code: codec.Malformed, Reason: "a message is empty"}
)
