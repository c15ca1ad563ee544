//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// talk is a connection of a load process whose other end the test holds.
type talk struct {
	*load
	c    *conn
	peer int
}

func newTalk(t testing.TB, dialect string) *talk {
	t.Helper()
	l, err := newLoad(loadSpec{
		Dialect: dialect, Kind: kindRooms, Event: string(inputEvent), Send: inputSize, Receive: stateSize, Style: stylePaced,
		Seats: seats, Addr: "127.0.0.1:1",
	})
	require.NoError(t, err)
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	l.now = 3000
	k := &talk{l, &conn{fd: pair[0], phase: connecting}, pair[1]}
	t.Cleanup(func() {
		l.close()
		_ = unix.Close(k.peer)
		if k.c.phase != closedPhase { // losing it has closed it
			_ = unix.Close(k.c.fd)
		}
	})
	return k
}

// hear gives the connection bytes, whatever it has already.
func (k *talk) hear(b []byte) { k.received(k.c, append(bytes.Clone(k.c.in), b...)) }

// said is what the connection has written since the last time.
func (k *talk) said() []byte {
	b := make([]byte, 4096)
	n, _ := unix.Read(k.peer, b)
	return b[:max(n, 0)]
}

const switched = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"

// clientFrame is a frame as the load generator writes it, masked with a key of zeros.
func clientFrame(first byte, payload string) []byte {
	b := append(make([]byte, headroom), payload...)
	at := webSocket{}.put(b, headroom)
	b[at] = first
	return b[at:]
}

func stateWith(slot int, stamp int64) []byte {
	b := make([]byte, stateSize)
	putStamp(b[slot*stampSize:], stamp)
	return b
}

// socketIOFrames are what a server says with each parser: the session, the seat, a ping, a state.
func socketIOFrames(dialect string, seat int, state []byte) (open, connected, ping, event []byte) {
	open, ping = frameOf(0x81, []byte(`0{"sid":"x","pingInterval":25000}`)), frameOf(0x81, []byte("2"))
	if dialect == dialectSocketIOPack {
		connected = frameOf(0x82, []byte("\x83\xa4type\x00\xa4data\x81\xa3sid\xa1y\xa3nsp\xa1/"))
		connected = append(connected, frameOf(0x82, fmt.Appendf(nil, "\x83\xa4type\x02\xa4data\x92\xa4seat%c\xa3nsp\xa1/", seat))...)
		event = frameOf(0x82, fmt.Appendf(nil, "\x83\xa4type\x02\xa4data\x92\xa5state\xc4\xc8%s\xa3nsp\xa1/", state))
		return open, connected, ping, event
	}
	connected = append(frameOf(0x81, []byte(`40{"sid":"y"}`)), frameOf(0x81, fmt.Appendf(nil, `42["seat",%d]`, seat))...)
	event = append(frameOf(0x81, []byte(`451-["state",{"_placeholder":true,"num":0}]`)), frameOf(0x82, state)...)
	return open, connected, ping, event
}

func TestSocketIO(t *testing.T) {
	for dialect, connect := range map[string][]byte{
		dialectSocketIO:     clientFrame(0x81, "40"),
		dialectSocketIOPack: clientFrame(0x82, "\x82\xa4type\x00\xa3nsp\xa1/"),
	} {
		t.Run(dialect, func(t *testing.T) {
			k := newTalk(t, dialect)
			open, connected, ping, event := socketIOFrames(dialect, 13, stateWith(13, 1000))
			k.greet(k.c)
			require.Contains(t, string(k.said()), "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n")
			k.hear([]byte(switched))
			require.Empty(t, k.said(), "the server opens the session")
			k.hear(open)
			require.Equal(t, connect, k.said())
			require.Equal(t, joining, k.c.phase)
			k.hear(connected)
			require.Equal(t, playing, k.c.phase)
			require.EqualValues(t, 13, k.c.slot)
			k.hear(ping)
			require.Equal(t, clientFrame(0x81, "3"), k.said())
			for cut := range event { // a state is counted once, however it is cut
				k.hear(event[:cut])
				k.hear(event[cut:])
				require.EqualValues(t, cut+1, k.frames)
			}
			require.EqualValues(t, len(event), k.messages)
			require.EqualValues(t, 1, k.answers)
			require.InDelta(t, 2.0, k.latency.us(100), 0.01)
		})
	}
}

func TestSocketIOInput(t *testing.T) {
	payload := binary.LittleEndian.AppendUint64(nil, 77)
	payload = append(binary.LittleEndian.AppendUint64(payload, 5), make([]byte, inputSize-2*stampSize)...)
	text := clientFrame(0x81, `451-["input",{"_placeholder":true,"num":0}]`)
	for dialect, want := range map[string][]byte{
		dialectSocketIO: append(text, clientFrame(0x82, string(payload))...),
		dialectSocketIOPack: clientFrame(0x82, "\x84\xa4type\x02\xa4data\x92\xa5input\xc4\x18"+string(payload)+
			"\xa7options\x81\xa8compress\xc3\xa3nsp\xa1/"),
	} {
		k := newTalk(t, dialect)
		k.dialect.join(k.load)
		require.Equal(t, want, k.dialect.input(k.load, k.c, 77, 5), dialect)
	}
}

func TestColyseus(t *testing.T) {
	k := newTalk(t, dialectColyseus)
	k.greet(k.c)
	require.True(t, strings.HasPrefix(string(k.said()), "POST /matchmake/joinOrCreate/rooms HTTP/1.1\r\n"))
	body := `{"name":"rooms","sessionId":"s+1","roomId":"r","processId":"p"}`
	answer := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\ncontent-length: %d\r\n\r\n%s", len(body), body)
	for _, b := range []byte(answer) { // in pieces
		require.Equal(t, asking, k.c.phase)
		k.hear([]byte{b})
	}
	require.Equal(t, upgrading, k.c.phase)
	require.True(t, strings.HasPrefix(string(k.said()), "GET /p/r?sessionId=s%2B1 HTTP/1.1\r\n"))
	k.hear(append([]byte(switched), frameOf(0x82, []byte("\x0a\x01t\x04none\x00"))...))
	require.Equal(t, clientFrame(0x82, "\x0a"), k.said())
	k.hear(frameOf(0x82, []byte("\x11\xa4seat\x03")))
	require.Equal(t, playing, k.c.phase)
	require.EqualValues(t, 3, k.c.slot)
	event := frameOf(0x82, append([]byte("\x11\xa5state"), stateWith(3, 1000)...))
	for cut := range event {
		k.hear(event[:cut])
		k.hear(event[cut:])
		require.EqualValues(t, cut+1, k.frames)
	}
	require.EqualValues(t, 1, k.answers)
	require.Equal(t, clientFrame(0x82, "\x11\xa5input\x4d"+strings.Repeat("\x00", inputSize-1)), k.dialect.input(k.load, k.c, 77, 0))
}

// What a server refuses ends the attempt, and says why.
func TestRefusals(t *testing.T) {
	full := "HTTP/1.1 522 \r\nContent-Length: 4\r\n\r\nfull"
	for _, c := range []struct{ name, dialect, says, want string }{
		{"namespace", dialectSocketIO, switched + string(frameOf(0x81, []byte(`44{"message":"no"}`))), `{"message":"no"}`},
		{"disconnect", dialectSocketIO, switched + string(frameOf(0x81, []byte("41"))), "refuses"},
		{"attachments", dialectSocketIO, switched + string(frameOf(0x81, []byte("45x-[]"))), "how many"},
		{"close", dialectSocketIO, switched + string(frameOf(0x81, []byte("1"))), "closes"},
		{"empty", dialectSocketIO, switched + string(frameOf(0x81, nil)), "empty"},
		{"packed", dialectSocketIOPack, switched + string(frameOf(0x82, []byte("\x83\xa4type\x04\xa4data\xa2no\xa3nsp\xa1/"))), "no"},
		{"no seat", dialectColyseus, full, "full"},
		{"no ids", dialectColyseus, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "no seat"},
		{"no JSON", dialectColyseus, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n<", "invalid"},
		{"no HTTP", dialectColyseus, "hello there\r\n\r\n", "malformed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newTalk(t, c.dialect)
			k.greet(k.c)
			k.hear([]byte(c.says))
			require.Equal(t, closedPhase, k.c.phase)
			require.Len(t, k.closed, 1)
			for why := range k.closed {
				require.Contains(t, why, c.want)
			}
		})
	}
}

func FuzzDialects(f *testing.F) {
	names := []string{dialectSocketIO, dialectSocketIOPack, dialectColyseus, dialectBare}
	for i, dialect := range names[:2] {
		open, connected, ping, event := socketIOFrames(dialect, 13, stateWith(13, 1000))
		f.Add(byte(i), slices.Concat([]byte(switched), open, connected, ping, event))
	}
	f.Add(byte(2), []byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"))
	f.Add(byte(3), append([]byte(switched), frameOf(0x82, []byte{1})...))
	f.Fuzz(func(t *testing.T, which byte, says []byte) {
		k := newTalk(t, names[int(which)%len(names)])
		k.greet(k.c)
		k.hear(says)
		if k.c.phase != closedPhase {
			k.hear(says)
		}
	})
}
