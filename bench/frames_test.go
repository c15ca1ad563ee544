//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

// frameOf is an unmasked WebSocket frame, as a server sends it.
func frameOf(first byte, payload []byte) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	return append(b, payload...)
}

func TestWebSocketNext(t *testing.T) {
	for _, n := range []int{0, 1, 125, 126, 127, 65535, 65536, 70000} {
		payload := bytes.Repeat([]byte{0xab}, n)
		whole := frameOf(0x82, payload)
		for _, cut := range []int{0, 1, 2, 3, 9, len(whole) - 1} {
			if cut >= len(whole) || cut < 0 {
				continue
			}
			kind, _, rest, err := webSocket{}.next(whole[:cut])
			require.NoError(t, err)
			require.Equal(t, frameNone, kind, "%d of %d bytes", cut, len(whole))
			require.Len(t, rest, cut)
		}
		kind, frame, rest, err := webSocket{}.next(append(whole, 7, 7))
		require.NoError(t, err)
		require.Equal(t, frameData, kind)
		require.Equal(t, payload, append([]byte{}, frame...))
		require.Equal(t, []byte{7, 7}, rest)
	}
}

func TestWebSocketNextKinds(t *testing.T) {
	for first, want := range map[byte]frameKind{0x81: frameData, 0x82: frameData, 0x88: frameClose, 0x89: framePing, 0x8a: frameOther} {
		kind, _, _, err := webSocket{}.next(frameOf(first, []byte("x")))
		require.NoError(t, err)
		require.Equal(t, want, kind, "%#x", first)
	}
	for name, c := range map[string]struct {
		bytes []byte
		want  error
	}{
		"masked":         {[]byte{0x82, 0x81, 0, 0, 0, 0, 1}, errMasked},
		"too long":       {[]byte{0x82, 127, 0xff, 0, 0, 0, 0, 0, 0, 0}, errTooLong},
		"a fragment":     {frameOf(0x02, []byte("x")), errSplit},
		"a continuation": {frameOf(0x80, []byte("x")), errSplit},
	} {
		_, _, _, err := webSocket{}.next(c.bytes)
		require.ErrorIs(t, err, c.want, name)
	}
}

// A frame that was put must be what a server reads: masked, with a key of zero.
func TestWebSocketPut(t *testing.T) {
	for _, n := range []int{0, 1, 125, 126, 65535, 65536} {
		payload := bytes.Repeat([]byte{0x5a}, n)
		b := append(bytes.Repeat([]byte{0xee}, headroom), payload...)
		b = b[webSocket{}.put(b, headroom):]
		require.Equal(t, byte(0x82), b[0])
		require.NotZero(t, b[1]&0x80)
		b[1] &^= 0x80
		head := len(b) - n
		require.Equal(t, make([]byte, 4), b[head-4:head], "the masking key")
		kind, frame, rest, err := webSocket{}.next(append(b[:head-4:head-4], payload...))
		require.NoError(t, err)
		require.Equal(t, frameData, kind)
		require.Len(t, frame, n)
		require.Empty(t, rest)
	}
}

func TestRawTCP(t *testing.T) {
	b := append(make([]byte, headroom), "hello"...)
	b = b[rawTCP{}.put(b, headroom):]
	for cut := range len(b) {
		kind, _, _, err := rawTCP{}.next(b[:cut])
		require.NoError(t, err)
		require.Equal(t, frameNone, kind)
	}
	kind, frame, rest, err := rawTCP{}.next(append(b, 1))
	require.NoError(t, err)
	require.Equal(t, frameData, kind)
	require.Equal(t, "hello", string(frame))
	require.Equal(t, []byte{1}, rest)
	_, _, _, err = rawTCP{}.next([]byte{0x7f, 0, 0, 0})
	require.ErrorIs(t, err, errTooLong)
}

func FuzzWebSocketNext(f *testing.F) {
	f.Add(frameOf(0x82, []byte("hello")))
	f.Add([]byte{0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		for {
			kind, frame, rest, err := webSocket{}.next(b)
			if err != nil || kind == frameNone {
				return
			}
			if len(frame)+len(rest) >= len(b) {
				t.Fatalf("%d and %d of %d bytes", len(frame), len(rest), len(b))
			}
			b = rest
		}
	})
}
