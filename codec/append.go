package codec

import (
	"encoding/binary"
	"math"
)

// The Append functions add one msgpack value, in its shortest form, and return the longer slice.

// AppendNil appends nil.
func AppendNil(b []byte) []byte { return append(b, 0xc0) }

// AppendBool appends a boolean.
func AppendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 0xc3)
	}
	return append(b, 0xc2)
}

// AppendUint appends a non-negative integer.
func AppendUint(b []byte, u uint64) []byte {
	switch {
	case u <= 0x7f:
		return append(b, byte(u))
	case u <= math.MaxUint8:
		return append(b, 0xcc, byte(u))
	case u <= math.MaxUint16:
		return append(b, 0xcd, byte(u>>8), byte(u))
	case u <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, 0xce), uint32(u))
	}
	return binary.BigEndian.AppendUint64(append(b, 0xcf), u)
}

// AppendInt appends an integer.
func AppendInt(b []byte, i int64) []byte {
	switch {
	case i >= 0:
		return AppendUint(b, uint64(i))
	case i >= -32:
		return append(b, byte(i))
	case i >= math.MinInt8:
		return append(b, 0xd0, byte(i))
	case i >= math.MinInt16:
		return append(b, 0xd1, byte(i>>8), byte(i))
	case i >= math.MinInt32:
		return binary.BigEndian.AppendUint32(append(b, 0xd2), uint32(i))
	}
	return binary.BigEndian.AppendUint64(append(b, 0xd3), uint64(i))
}

// AppendStr appends a string, which must be valid UTF-8.
func AppendStr(b []byte, s string) []byte {
	n := len(s)
	switch {
	case n <= 31:
		b = append(b, 0xa0|byte(n))
	case n <= math.MaxUint8:
		b = append(b, 0xd9, byte(n))
	case n <= math.MaxUint16:
		b = append(b, 0xda, byte(n>>8), byte(n))
	default:
		b = binary.BigEndian.AppendUint32(append(b, 0xdb), uint32(n))
	}
	return append(b, s...)
}

// AppendArray appends the header of an array of n elements, which the caller appends next.
func AppendArray(b []byte, n int) []byte {
	return appendHeader(b, n, 0x90, 0xdc)
}

// AppendMap appends the header of a map of n entries, whose keys and values the caller appends next.
func AppendMap(b []byte, n int) []byte {
	return appendHeader(b, n, 0x80, 0xde)
}

func appendHeader(b []byte, n int, fix, wide byte) []byte {
	switch {
	case n <= 15:
		return append(b, fix|byte(n))
	case n <= math.MaxUint16:
		return append(b, wide, byte(n>>8), byte(n))
	}
	return binary.BigEndian.AppendUint32(append(b, wide+1), uint32(n))
}

// AppendFrame appends the beginning of a frame with n elements after its type, which the caller appends next.
func AppendFrame(b []byte, t FrameType, n int) []byte {
	return append(AppendArray(b, n+1), byte(t))
}

// AppendHello appends a HELLO. auth is one msgpack value, or nil to say nothing.
func AppendHello(b, auth []byte) []byte {
	b = append(AppendFrame(b, FrameHello, 2), Version)
	if auth == nil {
		return AppendMap(b, 0)
	}
	return append(AppendStr(AppendMap(b, 1), "auth"), auth...)
}

// AppendJoin appends a JOIN. options is one msgpack value, or nil for nil.
func AppendJoin(b []byte, channel uint32, how How, name string, options []byte) []byte {
	b = AppendUint(AppendFrame(b, FrameJoin, 4), uint64(channel))
	b = AppendStr(append(b, byte(how)), name)
	if options == nil {
		return AppendNil(b)
	}
	return append(b, options...)
}

// AppendLeave appends a LEAVE.
func AppendLeave(b []byte, channel uint32) []byte {
	return AppendUint(AppendFrame(b, FrameLeave, 1), uint64(channel))
}

// AppendLeft appends a LEFT; a reason longer than MaxReason is cut.
func AppendLeft(b []byte, channel uint32, code Code, reason string) []byte {
	b = AppendUint(AppendFrame(b, FrameLeft, 3), uint64(channel))
	return AppendStr(AppendUint(b, uint64(code)), CutReason(reason))
}

// AppendNotice appends a NOTICE about packet seq; a reason longer than MaxReason is cut.
func AppendNotice(b []byte, channel uint32, code Code, reason string, seq uint64) []byte {
	b = AppendUint(AppendFrame(b, FrameNotice, 4), uint64(channel))
	b = AppendStr(AppendUint(b, uint64(code)), CutReason(reason))
	return AppendUint(b, seq)
}

// AppendBye appends a server's BYE; a reason longer than MaxReason is cut. delay is how long the client should stay away, in
// milliseconds; address is where it should come back to, empty for the same place.
func AppendBye(b []byte, code Code, reason string, delay int, address string) []byte {
	b = AppendUint(AppendFrame(b, FrameBye, 4), uint64(code))
	b = AppendUint(AppendStr(b, CutReason(reason)), uint64(min(max(delay, 0), 1<<31-1)))
	return AppendStr(b, address)
}

// AppendPing appends a PING.
func AppendPing(b []byte, stamp uint64) []byte {
	return AppendUint(AppendFrame(b, FramePing, 1), stamp)
}

// AppendPong appends a PONG.
func AppendPong(b []byte, stamp uint64) []byte {
	return AppendUint(AppendFrame(b, FramePong, 1), stamp)
}

// AppendNames appends a NAMES.
func AppendNames(b []byte, first int, names []string) []byte {
	b = AppendUint(AppendFrame(b, FrameNames, 2), uint64(first))
	b = AppendArray(b, len(names))
	for _, name := range names {
		b = AppendStr(b, name)
	}
	return b
}
