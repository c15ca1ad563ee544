package netio

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"

	"github.com/volley-go/volley/codec"
)

// withHeader writes the transport's header of the frame buf[head:] right before it and returns both.
func (c *Conn) withHeader(buf []byte, head int) []byte {
	n := len(buf) - head
	if c.transport == TCP {
		binary.BigEndian.PutUint32(buf[head-4:], uint32(n))
		return buf[head-4:]
	}
	start := head - headerFor(n)
	appendHeader(buf[:start], opBinary, n)
	return buf[start:]
}

// headerFor is the length of the WebSocket header of a message of n bytes.
func headerFor(n int) int {
	switch {
	case n < 126:
		return 2
	case n < 1<<16:
		return 4
	}
	return 10
}

// appendHeader appends the WebSocket header of a whole message of n bytes.
func appendHeader(b []byte, op byte, n int) []byte {
	b = append(b, 0x80|op)
	switch {
	case n < 126:
		return append(b, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	}
	return binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
}

// appendClose appends a WebSocket close frame. reason must not be longer than codec.MaxReason.
func appendClose(b []byte, code codec.Code, reason string) []byte {
	b = append(b, 0x80|opClose, byte(2+len(reason)), byte(code>>8), byte(code))
	return append(b, reason...)
}

// appendControl appends a WebSocket control frame; p is at most maxControl bytes.
func appendControl(b []byte, op byte, p []byte) []byte {
	return append(append(b, 0x80|op, byte(len(p))), p...)
}

// closeCode checks the payload of a peer's close frame and returns its code; 0 if it has none.
func closeCode(p []byte) (codec.Code, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if len(p) == 1 {
		return 0, errClosePayload
	}
	code := codec.Code(binary.BigEndian.Uint16(p))
	switch {
	case code < 1000, code >= 5000, code >= 1004 && code <= 1006, code >= 1015 && code < 3000:
		return 0, errClosePayload
	case !utf8.Valid(p[2:]):
		return 0, errClosePayload
	}
	return code, nil
}

// isPingPong reports whether a frame is a PING or a PONG, which sessions do not see. Both have a type in its shortest form and
// at least one element more.
func isPingPong(frame []byte) (codec.FrameType, bool) {
	if len(frame) < 3 || frame[0] < 0x92 || frame[0] > 0x9f {
		return 0, false
	}
	t := codec.FrameType(frame[1])
	return t, t == codec.FramePing || t == codec.FramePong
}

// stampOf reads the stamp of a PING or PONG.
func stampOf(frame []byte) (uint64, error) {
	r := codec.NewReader(frame, codec.ClientLimits)
	_, n, err := r.Frame()
	if err != nil {
		return 0, err
	}
	return r.Stamp(n)
}

// smooth is the round trip time after another measurement, in nanoseconds: an average in which the last eight count most.
func smooth(old, measured int64) int64 {
	if old == 0 {
		return max(measured, 1)
	}
	return max(old+(measured-old)/8, 1)
}

// spread turns a count into a fraction of span that differs as much as it can from those of the counts before it, so that
// connections that came together are not pinged together.
func spread(count uint64, span int64) int64 {
	hi, _ := bits.Mul64(count*0x9e3779b97f4a7c15, uint64(span))
	return int64(hi)
}
