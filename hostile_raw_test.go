package volley_test

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/codec"
)

// What comes of a peer, beside a code in BYE and close frame and a status of HTTP.
const (
	cut      codec.Code = 0 // it was closed without a word
	survives codec.Code = 1 // it is still served
	gone     codec.Code = 3 // it was closed, with or without a word
	limited  codec.Code = 4 // it sent too much: codec.RateLimited, or codec.InboxFull
	parted   codec.Code = 2 // it was closed as one that has taken its leave: by a close frame of 1000, or over TCP without a word
)

// raw is a peer that sends whatever it is told.
type raw struct {
	t    testing.TB
	srv  *running
	conn net.Conn
	in   *bufio.Reader
	ws   bool

	transport string
	token     string     // the last WELCOME's
	closed    codec.Code // of the close frame; 0: none has come
	pings     uint64     // sent
	over      atomic.Bool
}

// dialBare opens a socket to the server, with TLS if it has that, and says nothing.
func dialBare(t testing.TB, srv *running, transport string) *raw {
	t.Helper()
	addr := srv.Addr()
	if transport == "tcp" {
		addr = srv.TCPAddr()
	}
	conn, err := net.Dial("tcp", addr.String())
	require.NoError(t, err)
	if srv.tls != nil {
		conn = tls.Client(conn, srv.tls)
	}
	require.NoError(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	return &raw{t: t, srv: srv, conn: conn, in: bufio.NewReader(conn), ws: transport == "ws", transport: transport}
}

const upgradeRequest = "GET /volley HTTP/1.1\r\nHost: game.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

// dialRaw opens a connection that can send frames.
func dialRaw(t testing.TB, srv *running, transport string) *raw {
	t.Helper()
	r := dialBare(t, srv, transport)
	if r.ws {
		r.write([]byte(upgradeRequest))
		require.EqualValues(t, http.StatusSwitchingProtocols, r.status())
	}
	return r
}

// write sends bytes as they are. The server may have closed already.
func (r *raw) write(b []byte) { _, _ = r.conn.Write(b) }

// status reads an answer of HTTP; cut if there is none.
func (r *raw) status() codec.Code {
	res, err := http.ReadResponse(r.in, nil)
	if err != nil {
		assert.NotErrorIs(r.t, err, os.ErrDeadlineExceeded, "neither an answer nor an end")
		return cut
	}
	if res.StatusCode != http.StatusSwitchingProtocols {
		_, _ = io.Copy(io.Discard, res.Body)
	}
	_ = res.Body.Close()
	return codec.Code(res.StatusCode)
}

// send sends one frame. The server may have closed already.
func (r *raw) send(frame []byte) { r.write(r.framed(frame)) }

// framed is a frame with its transport's header.
func (r *raw) framed(frame []byte) []byte {
	if r.ws {
		return masked(0x82, string(frame))
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(frame))), frame...)
}

// masked is a WebSocket frame of a client.
func masked(b0 byte, payload string) []byte {
	b := []byte{b0, 0x80}
	switch n := len(payload); {
	case n < 126:
		b[1] |= byte(n)
	case n < 1<<16:
		b[1] |= 126
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	default:
		b[1] |= 127
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	key := [4]byte{1, 2, 3, 4}
	b = append(b, key[:]...)
	for i := range len(payload) {
		b = append(b, payload[i]^key[i%4])
	}
	return b
}

// hello says HELLO and takes WELCOME.
func (r *raw) hello(frame []byte) {
	r.t.Helper()
	r.send(frame)
	in := codec.NewReader(r.want(codec.FrameWelcome), codec.ServerLimits)
	_, n, err := in.Frame()
	require.NoError(r.t, err)
	welcome, err := in.Welcome(n)
	require.NoError(r.t, err)
	r.token = welcome.Token
}

// join joins a room of the kind on channel 0.
func (r *raw) join(kind string) {
	r.t.Helper()
	r.send(codec.AppendJoin(nil, 0, codec.JoinOrCreate, kind, nil))
	r.want(codec.FrameJoined)
}

// want returns the next frame of a type and passes over others.
func (r *raw) want(kind codec.FrameType) []byte {
	r.t.Helper()
	var last []byte
	for frame := r.receive(); frame != nil; frame = r.receive() {
		in := codec.NewReader(frame, codec.ServerLimits)
		if got, _, err := in.Frame(); err == nil && got == kind {
			return frame
		}
		last = frame
	}
	require.Failf(r.t, "the connection ended", "before a frame of type %d; the last one was %q, the close frame's code %d", kind, last, r.closed)
	return nil
}

// receive returns the next frame; nil at the end.
func (r *raw) receive() []byte {
	if !r.ws {
		head := r.bytes(4)
		if head == nil {
			return nil
		}
		return r.bytes(int(binary.BigEndian.Uint32(head)))
	}
	for {
		head := r.bytes(2)
		if head == nil {
			return nil
		}
		n := int(head[1])
		switch n {
		case 126:
			n = int(binary.BigEndian.Uint16(r.bytes(2)))
		case 127:
			n = int(binary.BigEndian.Uint64(r.bytes(8)))
		}
		frame := r.bytes(n)
		switch {
		case head[0] == 0x82:
			return frame
		case head[0] == 0x88:
			if len(frame) >= 2 {
				r.closed = codec.Code(binary.BigEndian.Uint16(frame))
			}
			return nil
		}
	}
}

// bytes reads n bytes; nil if the connection ends before.
func (r *raw) bytes(n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(r.in, b); err != nil {
		assert.NotErrorIs(r.t, err, os.ErrDeadlineExceeded, "neither a frame nor an end")
		return nil
	}
	return b
}

// end reads to the connection's end and returns the code that it was told: by BYE and, on WebSocket, by the close frame too.
func (r *raw) end() (code codec.Code) {
	for frame := r.receive(); frame != nil; frame = r.receive() {
		in := codec.NewReader(frame, codec.ServerLimits)
		if kind, n, err := in.Frame(); err == nil && kind == codec.FrameBye {
			bye, err := in.Reasoned(kind, n)
			require.NoError(r.t, err)
			code = bye.Code
		}
	}
	_ = r.conn.Close()
	if r.ws && code != 0 {
		assert.Equal(r.t, code, r.closed, "of the close frame")
	}
	if code == 0 {
		code = r.closed
	}
	return code
}

// alive reports whether the server still answers.
func (r *raw) alive() bool {
	r.pings++
	r.send(codec.AppendPing(nil, 1<<40+r.pings))
	pong := string(codec.AppendPong(nil, 1<<40+r.pings))
	for frame := r.receive(); frame != nil; frame = r.receive() {
		if string(frame) == pong {
			return true
		}
	}
	return false
}

// reset ends the connection with a RST.
func (r *raw) reset() {
	_ = r.socket().SetLinger(0)
	_ = r.socket().Close()
}

// deafen leaves little room for what the peer does not read.
func (r *raw) deafen() { _ = r.socket().SetReadBuffer(8 << 10) }

// socket is the connection without its TLS.
func (r *raw) socket() *net.TCPConn {
	if c, ok := r.conn.(*tls.Conn); ok {
		return c.NetConn().(*net.TCPConn)
	}
	return r.conn.(*net.TCPConn)
}

// another is a further peer that has said HELLO and joined, for attacks that take two.
func (r *raw) another(kind string) *raw {
	r.t.Helper()
	other := dialRaw(r.t, r.srv, r.transport)
	other.hello(codec.AppendHello(nil, nil))
	other.join(kind)
	return other
}

// edited is the good upgrade request with one change in it.
func edited(from, to string) []byte { return []byte(strings.Replace(upgradeRequest, from, to, 1)) }
