package client

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// FuzzFraming: whatever a server's bytes are and however the network cuts them, a framing finds the same, keeps to its limit and
// takes each byte once.
func FuzzFraming(f *testing.F) {
	f.Add(true, wsFrame(0x82, []byte("frame")), uint8(3))
	f.Add(true, append(append(wsFrame(0x02, []byte("a")), wsFrame(0x89, []byte("p"))...), wsFrame(0x80, []byte("b"))...), uint8(1))
	f.Add(true, wsFrame(0x88, []byte{3, 0xe8, 'x'}), uint8(2))
	f.Add(true, wsFrame(0x82, make([]byte, 70000)), uint8(200))
	f.Add(false, append(binary.BigEndian.AppendUint32(nil, 3), "abcdefg"...), uint8(1))
	const limit = 1000
	f.Fuzz(func(t *testing.T, ws bool, input []byte, step uint8) {
		open := func() framing {
			if ws {
				return &wsFraming{limit: limit}
			}
			return &tcpFraming{limit: limit}
		}
		whole := events(t, open(), input, len(input), limit)
		pieces := events(t, open(), input, int(step)+1, limit)
		if !bytes.Equal(whole, pieces) {
			t.Errorf("at once %q, in pieces %q", whole, pieces)
		}
	})
}

// events is what a framing found, as text.
func events(t *testing.T, f framing, input []byte, step, limit int) []byte {
	var found, b []byte
	for len(input) > 0 {
		n := min(step, len(input))
		b, input = append(b, input[:n]...), input[n:]
		for len(b) > 0 {
			ev, p, n, err := f.next(b)
			if err != nil {
				return append(found, err.Error()...)
			}
			if n > len(b) || (ev == evMore) != (n == 0) || len(p) > limit {
				t.Fatalf("event %d: %d bytes of %d, a payload of %d", ev, n, len(b), len(p))
			}
			if ev == evMore {
				break
			}
			found = append(append(found, byte('0'+ev)), p...)
			b = b[n:]
		}
	}
	return found
}

// TestMask: putHeader against the RFC's definition, at every length class.
func TestMask(t *testing.T) {
	for _, n := range []int{0, 1, 3, 7, 8, 9, 125, 126, 127, 1<<16 - 1, 1 << 16, 1<<16 + 3} {
		buf := make([]byte, headroom+n)
		for i := range n {
			buf[headroom+i] = byte(i)
		}
		frame := buf[putHeader(buf, headroom, opBinary):]
		key := buf[headroom-4 : headroom]
		for i, c := range buf[headroom:] {
			if c^key[i%4] != byte(i) {
				t.Fatalf("%d bytes: byte %d is wrong", n, i)
			}
		}
		want := wsFrame(0x82, make([]byte, n))
		want = want[:len(want)-n]
		want[1] |= 0x80
		if got := frame[:len(frame)-n-4]; !bytes.Equal(got, want) {
			t.Errorf("%d bytes: header % x, want % x", n, got, want)
		}
	}
}
