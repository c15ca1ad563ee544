package client

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The events of the tests, in the order of the fake server's table.
type Move struct{ DX, DY float32 }

type Scene struct{ Ball, Paddle [2]float32 }

const (
	move   room.Event[Move]          = "move"
	state  room.Event[Scene]         = "state"
	said   room.Event[string]        = "said"
	double room.Call[int, int]       = "double"
	greet  room.Call[string, string] = "greet"
	rare   room.Event[int]           = "rare" // not in the table
)

var table = []string{"move", "state", "said", "double", "greet"}

const (
	iMove = iota
	iState
	iSaid
	iDouble
	iGreet
)

func welcome() codec.Welcome {
	return codec.Welcome{
		Version: 1, Session: "s1", Ping: 25000, Names: table, Limits: codec.ClientLimits, Rooms: 4, Requests: 8,
	}
}

// peer is the fake server's end of one connection. What it hears is returned, not judged; a connection that breaks fails the test
// that did not expect it.
type peer struct {
	tb   testing.TB
	conn net.Conn
	r    *bufio.Reader
	ws   bool
	head *http.Request // of a WebSocket's upgrade
}

// accept makes conn a peer, with the WebSocket handshake if ws.
func accept(tb testing.TB, conn net.Conn, ws bool) *peer {
	p := &peer{tb: tb, conn: conn, r: bufio.NewReader(conn), ws: ws}
	if !ws {
		return p
	}
	req, err := http.ReadRequest(p.r)
	if err != nil {
		tb.Errorf("upgrade: %v", err)
		return p
	}
	p.head = req
	sum := sha1.Sum([]byte(req.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"+
		"Sec-WebSocket-Accept: %s\r\n\r\n", base64.StdEncoding.EncodeToString(sum[:]))
	return p
}

// raw writes bytes as they are.
func (p *peer) raw(b []byte) {
	if _, err := p.conn.Write(b); err != nil {
		p.tb.Logf("peer: write: %v", err)
	}
}

// send writes frames, each framed for the transport, with one write.
func (p *peer) send(frames ...[]byte) {
	var b []byte
	for _, f := range frames {
		b = append(b, p.framed(f)...)
	}
	p.raw(b)
}

func (p *peer) framed(f []byte) []byte {
	if p.ws {
		return wsFrame(0x80|opBinary, f)
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(f))), f...)
}

// wsFrame is a server's frame, unmasked.
func wsFrame(b0 byte, p []byte) []byte {
	b := []byte{b0}
	switch n := len(p); {
	case n <= 125:
		b = append(b, byte(n))
	case n <= 1<<16-1:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	return append(b, p...)
}

// closed is what read returns for the end: a close frame, a BYE, or the end of the stream.
type closed struct {
	code   codec.Code
	reason string
	eof    bool
}

func (c *closed) Error() string { return fmt.Sprintf("closed: %d %s eof %v", c.code, c.reason, c.eof) }

// read returns the next frame of the client.
func (p *peer) read() ([]byte, error) {
	if !p.ws {
		var size [4]byte
		if _, err := io.ReadFull(p.r, size[:]); err != nil {
			return nil, &closed{eof: true}
		}
		b := make([]byte, binary.BigEndian.Uint32(size[:]))
		_, err := io.ReadFull(p.r, b)
		r := codec.NewReader(b, codec.ClientLimits)
		if t, n, e := r.Frame(); e == nil && t == codec.FrameBye {
			bye, e := r.ClientBye(n)
			if e != nil {
				return nil, e
			}
			return nil, &closed{code: bye.Code, reason: bye.Reason}
		}
		return b, err
	}
	op, b, err := p.readWS()
	switch {
	case err != nil:
		return nil, &closed{eof: true}
	case op == opBinary:
		return b, nil
	case op == opClose && len(b) >= 2:
		return nil, &closed{code: codec.Code(binary.BigEndian.Uint16(b)), reason: string(b[2:])}
	case op == opClose:
		return nil, &closed{code: NoCode}
	}
	return nil, fmt.Errorf("opcode %d", op)
}

// readWS reads one frame and insists on what the RFC demands of a client.
func (p *peer) readWS() (op byte, payload []byte, err error) {
	var h [2]byte
	if _, err = io.ReadFull(p.r, h[:]); err != nil {
		return 0, nil, err
	}
	if h[0]&0xf0 != 0x80 || h[1]&0x80 == 0 {
		p.tb.Errorf("peer: header % x: want a final, masked frame", h)
	}
	size := uint64(h[1] & 0x7f)
	switch size {
	case 126:
		var b [2]byte
		_, err = io.ReadFull(p.r, b[:])
		size = uint64(binary.BigEndian.Uint16(b[:]))
	case 127:
		var b [8]byte
		_, err = io.ReadFull(p.r, b[:])
		size = binary.BigEndian.Uint64(b[:])
	}
	var key [4]byte
	if err == nil {
		_, err = io.ReadFull(p.r, key[:])
	}
	payload = make([]byte, size)
	if err == nil {
		_, err = io.ReadFull(p.r, payload)
	}
	for i := range payload {
		payload[i] ^= key[i&3]
	}
	return h[0] & 0x0f, payload, err
}

// want reads a frame that must be of type t and returns a reader behind the type.
func (p *peer) want(t codec.FrameType) (codec.Reader, int) {
	p.tb.Helper()
	b, err := p.read()
	if err != nil {
		p.tb.Errorf("peer: want frame type %d: %v", t, err)
		return codec.Reader{}, 0
	}
	r := codec.NewReader(b, codec.ClientLimits)
	got, n, err := r.Frame()
	if err != nil || got != t {
		p.tb.Errorf("peer: got frame type %d (% x), error %v; want type %d", got, b, err, t)
	}
	return r, n
}

// volley is a VOLLEY of the client.
type volley struct {
	codec.Volley
	packets []codec.Packet
}

func (p *peer) wantVolley() volley {
	p.tb.Helper()
	r, n := p.want(codec.FrameVolley)
	v, err := r.ClientVolley(n)
	if err != nil {
		p.tb.Errorf("peer: %v", err)
		return volley{}
	}
	packets, err := r.Packets(n, nil)
	if err != nil {
		p.tb.Errorf("peer: %v", err)
	}
	return volley{v, packets}
}

// hello takes HELLO and answers it.
func (p *peer) hello(w codec.Welcome) codec.Hello {
	p.tb.Helper()
	r, n := p.want(codec.FrameHello)
	h, err := r.Hello(n)
	if err != nil {
		p.tb.Errorf("peer: hello: %v", err)
	}
	p.send(codec.AppendWelcome(nil, w))
	return h
}

// admit takes JOIN and answers it, with more frames behind the answer in the same write.
func (p *peer) admit(more ...[]byte) codec.JoinRequest {
	p.tb.Helper()
	r, n := p.want(codec.FrameJoin)
	j, err := r.Join(n)
	if err != nil {
		p.tb.Errorf("peer: join: %v", err)
	}
	p.send(append([][]byte{joinedFrame(j.Channel)}, more...)...)
	return j
}

func joinedFrame(channel uint32) []byte {
	return codec.AppendJoined(nil, codec.Joined{
		Channel: channel, Room: "r1", Kind: "pong", Client: 7, Tick: 100, Rate: 60, Acks: 1000,
	})
}

// end reads until the client has hung up.
func (p *peer) end() {
	for {
		if _, err := p.read(); err != nil {
			var c *closed
			if errors.As(err, &c) && c.eof {
				_ = p.conn.Close()
				return
			}
			if c != nil && p.ws {
				_, _ = p.conn.Write(wsFrame(0x80|opClose, nil)) // the client, and with it the test, may have ended
				_ = p.conn.Close()
				return
			}
		}
	}
}

// volleyTo is a VOLLEY of the server.
func volleyTo(channel uint32, tick, ack uint64, packets ...[]byte) []byte {
	buf := make([]byte, codec.MaxPrefix)
	for _, p := range packets {
		buf = append(buf, p...)
	}
	return buf[codec.PutVolley(buf, codec.MaxPrefix, channel, tick, ack, len(packets)):]
}

func eventPacket(index int, v any) []byte { return append(codec.AppendEvent(nil, index), must(v)...) }

func requestPacket(index int, v any, id uint64) []byte {
	return codec.AppendUint(append(codec.AppendRequest(nil, index, ""), must(v)...), id)
}

func replyPacket(v any, id uint64) []byte {
	return codec.AppendUint(append(codec.AppendReply(nil), must(v)...), id)
}

func must(v any) []byte {
	b, err := codec.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// serve runs script for the one connection to a loopback server and returns the server's URL. The script has ended when the test
// has.
func serve(tb testing.TB, scheme string, script func(p *peer)) string {
	tb.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		script(accept(tb, conn, strings.HasPrefix(scheme, "ws")))
	}()
	tb.Cleanup(func() {
		_ = ln.Close()
		<-ended
	})
	return scheme + "://" + ln.Addr().String() + "/volley"
}

// pipe returns a Config that connects to script over memory. The script runs until it returns; it owns its end.
func pipe(tb testing.TB, ws bool, script func(p *peer)) Config {
	return Config{NetDial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			script(accept(tb, theirs, ws))
		}()
		return ours, nil
	}}
}

// final is for clients whose first connection is their last.
var final = Config{Reconnect: Reconnect{Off: true}}

func testContext(tb testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	tb.Cleanup(cancel)
	return ctx
}

func dialT(tb testing.TB, url string, cfg Config) *Client {
	tb.Helper()
	c, err := Dial(testContext(tb), url, cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = c.Close()
		<-c.Done()
	})
	return c
}

// code returns the code of err's *codec.Error, 0 if it has none.
func code(err error) codec.Code {
	var e *codec.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func equal[T comparable](tb testing.TB, what string, got, want T) {
	tb.Helper()
	if got != want {
		tb.Errorf("%s: got %v, want %v", what, got, want)
	}
}
