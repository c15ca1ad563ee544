package client

import (
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/volley-go/volley/codec"
)

// TestHostileFrames: what no server may send ends the connection with a code, which a WebSocket server is told.
func TestHostileFrames(t *testing.T) {
	named := func(b []byte) []byte { return volleyTo(0, 101, 0, b) }
	cases := []struct {
		name  string
		frame []byte
		want  codec.Code
	}{
		{"not msgpack", []byte{0xc1}, codec.Malformed},
		{"not an array", []byte{0x01}, codec.Malformed},
		{"an empty array", []byte{0x90}, codec.Malformed},
		{"trailing bytes", append(codec.AppendPing(nil, 1), 0), codec.Malformed},
		{"truncated", codec.AppendPing(nil, 1000)[:3], codec.Malformed},
		{"an unknown type", []byte{0x91, 0x63}, codec.UnexpectedFrame},
		{"a client's frame", codec.AppendLeave(nil, 0), codec.UnexpectedFrame},
		{"a second WELCOME", codec.AppendWelcome(nil, welcome()), codec.UnexpectedFrame},
		{"a second JOINED", joinedFrame(0), codec.BadChannel},
		{"JOINED for nobody", joinedFrame(1), codec.BadChannel},
		{"LEFT for nobody", codec.AppendLeft(nil, 3, codec.Kicked, ""), codec.BadChannel},
		{"NOTICE for nobody", codec.AppendNotice(nil, 60000, codec.UnknownEvent, "", 1), codec.BadChannel},
		{"VOLLEY for nobody", volleyTo(2, 1, 0), codec.BadChannel},
		{"a tick backwards", volleyTo(0, 99, 0), codec.UnexpectedFrame},
		{"an ack of what was never sent", volleyTo(0, 101, 1), codec.UnexpectedFrame},
		{"an event beyond the table", named(eventPacket(len(table), 1)), codec.UnexpectedFrame},
		{"an event of the wrong type", named(eventPacket(iState, "state")), codec.BadPayload},
		{"a billion packets", append(volleyTo(0, 101, 0)[:5], 0xdd, 0x3b, 0x9a, 0xca, 0x00), codec.Malformed},
		{"names with a gap", codec.AppendNames(nil, 9, []string{"x"}), codec.UnexpectedFrame},
		{"names that change", codec.AppendNames(nil, 0, []string{"x"}), codec.UnexpectedFrame},
		{"too deep", append(append([]byte{0x92, 7}, repeat(0x91, 70)...), 0), codec.Malformed},
	}
	for _, scheme := range []string{"ws", "tcp"} {
		for _, tc := range cases {
			t.Run(scheme+"/"+tc.name, func(t *testing.T) {
				heard := make(chan codec.Code, 1)
				url := serve(t, scheme, func(p *peer) {
					p.hello(welcome())
					p.admit(tc.frame)
					_, err := p.read()
					var end *closed
					errors.As(err, &end)
					heard <- end.code
					_ = p.conn.Close()
				})
				_ = expectEnd(t, url, tc.want)
				if got := <-heard; got != tc.want {
					t.Errorf("the server was told %d, want %d", got, tc.want)
				}
			})
		}
	}
}

// expectEnd joins and waits for the connection to end with want.
func expectEnd(t *testing.T, url string, want codec.Code) *CloseError {
	t.Helper()
	c := dialT(t, url, final)
	r, err := c.JoinOrCreate(testContext(t), "pong", nil, func(r *Room) { On(r, state, func(Scene, Meta) {}) })
	<-c.Done()
	var e *CloseError
	if !errors.As(c.Err(), &e) || e.Code != want {
		t.Fatalf("the end: %v, want %d", c.Err(), want)
	}
	if err == nil && code(r.Err()) != want {
		t.Errorf("the room's end: %v, want %d", r.Err(), want)
	}
	return e
}

func repeat(b byte, n int) []byte {
	s := make([]byte, n)
	for i := range s {
		s[i] = b
	}
	return s
}

// TestHostileTransport: the same for what carries frames.
func TestHostileTransport(t *testing.T) {
	ping := codec.AppendPing(nil, 1)
	cases := []struct {
		name, scheme string
		raw          []byte
		want         codec.Code
	}{
		{"empty frame", "tcp", []byte{0, 0, 0, 0}, codec.Malformed},
		{"huge frame", "tcp", []byte{0xff, 0xff, 0xff, 0xff}, codec.TooBig},
		{"half a frame", "tcp", []byte{0, 0, 0, 9, 1}, Lost},
		{"hanging up", "tcp", nil, Lost},
		{"hanging up", "ws", nil, Lost},
		{"masked", "ws", []byte{0x82, 0x83, 1, 2, 3, 4, 5, 6, 7}, codec.WebSocketProtocol},
		{"reserved bit", "ws", wsFrame(0xc2, ping), codec.WebSocketProtocol},
		{"opcode", "ws", wsFrame(0x83, ping), codec.WebSocketProtocol},
		{"control opcode", "ws", wsFrame(0x8b, nil), codec.WebSocketProtocol},
		{"text", "ws", wsFrame(0x81, []byte("hi")), codec.TextMessage},
		{"empty", "ws", wsFrame(0x82, nil), codec.Malformed},
		{"empty in fragments", "ws", append(wsFrame(0x02, nil), wsFrame(0x80, nil)...), codec.Malformed},
		{"fragmented ping", "ws", wsFrame(0x09, nil), codec.WebSocketProtocol},
		{"long ping", "ws", wsFrame(0x89, make([]byte, 126)), codec.WebSocketProtocol},
		{"continuation of nothing", "ws", wsFrame(0x80, ping), codec.WebSocketProtocol},
		{"interleaved", "ws", append(wsFrame(0x02, ping[:1]), wsFrame(0x82, ping)...), codec.WebSocketProtocol},
		{"long length", "ws", []byte{0x82, 126, 0, 3, 1, 2, 3}, codec.WebSocketProtocol},
		{"very long length", "ws", []byte{0x82, 127, 0, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3}, codec.WebSocketProtocol},
		{"negative length", "ws", binary.BigEndian.AppendUint64([]byte{0x82, 127}, 1<<63), codec.WebSocketProtocol},
		{"huge length", "ws", binary.BigEndian.AppendUint64([]byte{0x82, 127}, 1<<62), codec.TooBig},
		{"huge in fragments", "ws", binary.BigEndian.AppendUint64(append(wsFrame(0x02, ping), 0x80, 127), 16<<20), codec.TooBig},
		{"close of one byte", "ws", wsFrame(0x88, []byte{3}), codec.WebSocketProtocol},
		{"close with a forbidden code", "ws", wsFrame(0x88, []byte{3, 0xee}), codec.WebSocketProtocol}, // 1006
		{"close with bad text", "ws", wsFrame(0x88, []byte{3, 0xe8, 0xff}), codec.WebSocketProtocol},
		{"close", "ws", wsFrame(0x88, append([]byte{0x0f, 0xab}, "slow"...)), codec.SlowConsumer},
		{"close without a code", "ws", wsFrame(0x88, nil), NoCode},
	}
	for _, tc := range cases {
		t.Run(tc.scheme+"/"+tc.name, func(t *testing.T) {
			url := serve(t, tc.scheme, func(p *peer) {
				p.hello(welcome())
				p.admit()
				p.raw(tc.raw)
				if tc.want != Lost {
					_, _ = p.read()
				}
				_ = p.conn.Close()
			})
			e := expectEnd(t, url, tc.want)
			if remote := tc.want == codec.SlowConsumer || tc.want == NoCode; e.Remote != remote {
				t.Errorf("remote: %v", e.Remote)
			}
		})
	}
}

// TestFragments: a proxy may cut messages, and put pings between the pieces, which are answered.
func TestFragments(t *testing.T) {
	url := serve(t, "ws", func(p *peer) {
		p.hello(welcome())
		p.admit()
		v := volleyTo(0, 101, 0, eventPacket(iSaid, "in three pieces"))
		p.raw(wsFrame(0x02, v[:5]))
		p.raw(wsFrame(0x89, []byte("are you there")))
		p.raw(wsFrame(0x00, v[5:9]))
		p.raw(wsFrame(0x8a, []byte("unasked")))
		p.raw(wsFrame(0x80, v[9:]))
		op, b, err := p.readWS()
		check(t, err)
		equal(t, "opcode", op, opPong)
		equal(t, "pong", string(b), "are you there")
		p.end()
	})
	c := dialT(t, url, Config{})
	var texts *Inbox[string]
	_, err := c.Join(testContext(t), "pong", nil, func(r *Room) { texts = Collect(r, said) })
	check(t, err)
	got, err := texts.Wait(testContext(t), 1)
	check(t, err)
	equal(t, "text", got[0], "in three pieces")
}

// TestBye: the server's word reaches the user, with the rule for coming back.
func TestBye(t *testing.T) {
	for _, scheme := range []string{"ws", "tcp"} {
		url := serve(t, scheme, func(p *peer) {
			p.hello(welcome())
			p.admit()
			p.send(codec.AppendBye(nil, codec.GoingAway, "update", 1500, ""))
			p.end()
		})
		e := expectEnd(t, url, codec.GoingAway)
		equal(t, "bye", *e, CloseError{Code: codec.GoingAway, Reason: "update", Delay: 1500 * time.Millisecond, Remote: true})
		equal(t, "reconnect", e.Code.Reconnect(), codec.Later)
	}
}

// TestBigFrames: frames beyond the first buffer arrive, and the buffer is given back afterwards.
func TestBigFrames(t *testing.T) {
	for _, scheme := range []string{"ws", "tcp"} {
		big := string(repeat('x', 300<<10))
		url := serve(t, scheme, func(p *peer) {
			p.hello(welcome())
			p.admit(volleyTo(0, 101, 0, eventPacket(iSaid, big)))
			for range patience + 10 {
				p.send(codec.AppendPing(nil, 1))
				p.want(codec.FramePong)
			}
			p.send(volleyTo(0, 102, 0, eventPacket(iSaid, "small")))
			p.end()
		})
		c := dialT(t, url, Config{})
		var texts *Inbox[string]
		buffer := make(chan int, 1)
		_, err := c.Join(testContext(t), "pong", nil, func(r *Room) {
			texts = Collect(r, said)
			r.OnVolley(func(m Meta) {
				if m.Tick == 102 {
					buffer <- cap(c.in.buf)
				}
			})
		})
		check(t, err)
		got, err := texts.Wait(testContext(t), 2)
		check(t, err)
		equal(t, "text", got[0], big)
		equal(t, "buffer", <-buffer, minBuffer)
	}
}
