package netio

import (
	"crypto/rand"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// mirror echoes without allocating.
type mirror struct {
	c   *Conn
	buf []byte
}

func (m *mirror) Message(frame []byte) error {
	m.buf = append(m.buf[:Headroom], frame...)
	return m.c.Send(m.buf, Headroom)
}
func (m *mirror) Drained()     {}
func (m *mirror) Closed(error) {}

func mirrors(sessions chan *mirror) *hub {
	h := newHub()
	h.open = func(c *Conn, r *http.Request, first []byte) (Session, error) {
		m := &mirror{c, make([]byte, Headroom, 4096)}
		sessions <- m
		return m, nil
	}
	return h
}

var unlimited = Config{MessagesPerSecond: -1, BytesPerSecond: -1, PingInterval: -1}

// roundTrip is a connected peer and a function that sends a frame and reads its echo.
func roundTrip(t testing.TB, m mode) (send func(), trip func()) {
	sessions := make(chan *mirror, 1)
	s := serve(t, m, unlimited, mirrors(sessions))
	p := s.shake(t)
	p.write(p.frame("hello"))
	_ = p.SetDeadline(time.Time{})
	session := <-sessions
	frame := p.frame(strings.Repeat("x", 64))
	header := 2
	if m.tcp {
		header = 4
	}
	echo := make([]byte, header+64)
	read := func() {
		if _, err := io.ReadFull(p.r, echo); err != nil {
			panic(err)
		}
	}
	buf := make([]byte, Headroom+64)
	send = func() {
		if session.c.Send(buf, Headroom) != nil {
			panic("closed")
		}
		read()
	}
	trip = func() {
		if _, err := p.Write(frame); err != nil {
			panic(err)
		}
		read()
	}
	return send, trip
}

// From socket to socket nothing is allocated: received, parsed, handled, sent.
func TestNothingIsAllocated(t *testing.T) {
	for _, m := range []mode{modes[0], modes[2], modes[4]} {
		t.Run(m.name, func(t *testing.T) {
			send, trip := roundTrip(t, m)
			require.Zero(t, testing.AllocsPerRun(2000, send))
			require.Zero(t, testing.AllocsPerRun(2000, trip))
		})
	}
}

func BenchmarkEcho(b *testing.B) {
	for _, m := range modes {
		b.Run(m.name, func(b *testing.B) {
			_, trip := roundTrip(b, m)
			b.ReportAllocs()
			for b.Loop() {
				trip()
			}
		})
	}
}

func BenchmarkSend(b *testing.B) {
	for _, m := range modes {
		b.Run(m.name, func(b *testing.B) {
			send, _ := roundTrip(b, m)
			b.ReportAllocs()
			for b.Loop() {
				send()
			}
		})
	}
}

func TestConnSize(t *testing.T) {
	require.LessOrEqual(t, unsafe.Sizeof(Conn{}), uintptr(384))
	t.Logf("a Conn is %d bytes", unsafe.Sizeof(Conn{}))
}

// What an idle connection of the server holds on the heap.
func BenchmarkIdleMemory(b *testing.B) {
	for _, m := range modes[:4] {
		b.Run(m.name, func(b *testing.B) {
			const conns = 3000 // nbio keeps up to 1,024 dead ones
			sessions := make(chan *mirror, conns)
			h := mirrors(sessions)
			h.open = func(c *Conn, r *http.Request, first []byte) (Session, error) {
				sessions <- nil
				return &mirror{c: c}, nil
			}
			for b.Loop() {
				s := serve(b, m, unlimited, h)
				peers := make([]net.Conn, conns)
				for i := range peers {
					p := s.shake(b)
					p.send("hello")
					<-sessions
					peers[i] = p.Conn
					p.r = nil
				}
				eventually(b, "all have moved", func() bool { return s.Stats().Handshakes == 0 })
				after := heap()
				// The clients alone, with their sockets open.
				s.eachConn(func(c *Conn) { c.cut(ErrClosed) })
				eventually(b, "all are gone", func() bool { return s.Stats().Open == 0 })
				b.ReportMetric(float64(after-heap())/conns, "B/conn")
				for _, nc := range peers {
					_ = nc.Close()
				}
			}
		})
	}
}

// A peer that has not said HELLO yet holds little, whatever it sends.
func TestUnauthenticatedPeersAreCheap(t *testing.T) {
	const conns = 100
	for _, m := range modes[:4] {
		t.Run(m.name, func(t *testing.T) {
			s := serve(t, m, Config{}, newHub())
			before := heap()
			var peers []*peer
			for range conns {
				p := s.shake(t)
				if m.tcp {
					p.write([]byte{0, 1, 0, 0}) // 64 KiB, of which one byte is missing
				} else {
					p.write(longHeader(fin|opBinary, 1<<16))
				}
				junk := make([]byte, 1<<16-1)
				_, _ = rand.Read(junk)
				p.write(junk)
				peers = append(peers, p)
			}
			eventually(t, "it has come", func() bool { return s.Stats().BytesIn >= conns*(1<<16) })
			perPeer := (heap() - before) / conns
			require.Less(t, perPeer, int64(200<<10), "the frame, its rounding, TLS, and the client of this test")
			require.Len(t, peers, conns)
		})
	}
}
