package netio

import (
	"bufio"
	stdtls "crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/codec"
)

// peer is a client that writes and reads frames by hand.
type peer struct {
	net.Conn
	t   testing.TB
	tcp bool
	r   *bufio.Reader
}

const upgradeRequest = "GET /volley HTTP/1.1\r\nHost: game.example\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

// dial connects and, on TLS, shakes hands.
func (s *server) dial(t testing.TB) *peer {
	t.Helper()
	if s.hub != nil {
		s.hub.ordered()
	}
	nc, err := net.Dial("tcp", s.addr)
	require.NoError(t, err)
	if s.secure {
		nc = stdtls.Client(nc, &stdtls.Config{InsecureSkipVerify: true})
	}
	t.Cleanup(func() { _ = nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(10 * time.Second))
	return &peer{Conn: nc, t: t, tcp: s.tcp, r: bufio.NewReader(nc)}
}

// shake is dial, and the upgrade; what is given goes out with its request.
func (s *server) shake(t testing.TB, with ...byte) *peer {
	t.Helper()
	p := s.dial(t)
	if s.tcp {
		p.write(with)
		return p
	}
	p.write(append([]byte(upgradeRequest+"\r\n"), with...))
	res, err := http.ReadResponse(p.r, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusSwitchingProtocols, res.StatusCode)
	require.Equal(t, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", res.Header.Get("Sec-WebSocket-Accept"))
	return p
}

// connect is shake, and a first frame; it returns the server's session too.
func (s *server) connect(t *testing.T) (*peer, *recorder) {
	t.Helper()
	p := s.shake(t)
	p.send("hello")
	return p, s.hub.next(t)
}

func (p *peer) write(b []byte) {
	p.t.Helper()
	_, err := p.Write(b)
	require.NoError(p.t, err)
}

// frame is a message as this peer's transport carries it.
func (p *peer) frame(body string) []byte {
	if p.tcp {
		return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
	}
	return masked(0x80|opBinary, body)
}

func (p *peer) send(body string) {
	p.t.Helper()
	p.write(p.frame(body))
}

// masked is a WebSocket frame of a client with the first byte b0 and the shortest length.
func masked(b0 byte, body string) []byte {
	b := []byte{b0}
	switch n := len(body); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = append(b, 0x80|126, byte(n>>8), byte(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	return maskInto(b, body)
}

func maskInto(b []byte, body string) []byte {
	key := [4]byte{0x12, 0x34, 0x56, 0x78}
	b = append(b, key[:]...)
	for i := range len(body) {
		b = append(b, body[i]^key[i&3])
	}
	return b
}

// read returns the next frame: its WebSocket opcode (TCP: binary) and its body.
func (p *peer) read() (op byte, body string, err error) {
	var h [8]byte
	if p.tcp {
		if _, err = io.ReadFull(p.r, h[:4]); err != nil {
			return 0, "", err
		}
		b := make([]byte, binary.BigEndian.Uint32(h[:]))
		_, err = io.ReadFull(p.r, b)
		return opBinary, string(b), err
	}
	if _, err = io.ReadFull(p.r, h[:2]); err != nil {
		return 0, "", err
	}
	if h[0]&0xf0 != 0x80 || h[1]&0x80 != 0 {
		return 0, "", errors.New("the server fragmented, masked or set a reserved bit")
	}
	op = h[0] & 0x0f
	n := uint64(h[1])
	switch n {
	case 126:
		_, err = io.ReadFull(p.r, h[:2])
		n = uint64(binary.BigEndian.Uint16(h[:]))
	case 127:
		_, err = io.ReadFull(p.r, h[:8])
		n = binary.BigEndian.Uint64(h[:])
	}
	if err != nil {
		return 0, "", err
	}
	b := make([]byte, n)
	_, err = io.ReadFull(p.r, b)
	return op, string(b), err
}

// want reads one message.
func (p *peer) want(body string) {
	p.t.Helper()
	op, got, err := p.read()
	require.NoError(p.t, err)
	require.Equal(p.t, byte(opBinary), op)
	require.Equal(p.t, body, got)
}

// wantEnd reads up to the end of the connection: messages, BYE with the code, on WebSocket a close frame with the code, and
// then a proper end of the stream.
func (p *peer) wantEnd(code codec.Code) {
	p.t.Helper()
	last := ""
	for {
		op, body, err := p.read()
		if p.tcp && err != nil {
			require.ErrorIs(p.t, err, io.EOF)
			break
		}
		require.NoError(p.t, err)
		if op == opClose {
			require.GreaterOrEqual(p.t, len(body), 2)
			require.Equal(p.t, code, codec.Code(binary.BigEndian.Uint16([]byte(body))), "close frame: %q", body)
			_, _, err = p.read()
			require.ErrorIs(p.t, err, io.EOF)
			break
		}
		if op == opBinary {
			last = body
		}
	}
	r := codec.NewReader([]byte(last), codec.ServerLimits)
	ft, n, err := r.Frame()
	require.NoError(p.t, err)
	require.Equal(p.t, codec.FrameBye, ft)
	bye, err := r.Reasoned(ft, n)
	require.NoError(p.t, err)
	require.Equal(p.t, code, bye.Code, "BYE: %+v", bye)
}
