// Command gnet is gnet (github.com/panjf2000/gnet/v2) over TCP, where a message is its length, four bytes, and itself; it has no
// WebSockets of its own. One event loop does everything, ticks and broadcasts too, so a write is a system call and nothing else.
package main

import (
	"context"
	"encoding/binary"
	"net"
	"sync/atomic"
	"time"

	"github.com/panjf2000/gnet/v2"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"github.com/volley-go/volley/bench/rivals/internal/child"
	"github.com/volley-go/volley/bench/rivals/internal/game"
)

func main() { child.Run(child.Rival{Transport: "tcp", Ticks: true, Start: start}) }

const (
	head    = 4
	longest = 64 << 10
)

// conn is a connection.
type conn struct {
	gnet.Conn
	player *game.Player // nil: the first message, the kind of its room, has not come
	out    *[]byte      // the loop's
}

func (c *conn) Send(message []byte) {
	*c.out = frame((*c.out)[:0], message)
	_, _ = c.Write(*c.out)
}

func frame(b, message []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(message))), message...)
}

// server has gnet's callbacks.
type server struct {
	gnet.BuiltinEventEngine
	games *game.Games
	loop  atomic.Value // gnet.EventLoop, once there is a connection
	addr  chan string
	out   []byte // what a frame is built in
}

func start(spec child.Spec, g *game.Games) (string, error) {
	s := &server{games: g, addr: make(chan string, 1)}
	var out []byte
	g.Cast = func(to []*game.Player, message []byte) {
		out = frame(out[:0], message)
		for _, p := range to {
			_, _ = p.Conn.(*conn).Write(out)
		}
	}
	g.Post = func(f func()) { s.do(f) }
	failed := make(chan error, 1)
	go func() {
		failed <- gnet.Run(s, "tcp://"+spec.Addr, gnet.WithNumEventLoop(1), gnet.WithReusePort(spec.ReusePort),
			gnet.WithTCPNoDelay(gnet.TCPNoDelay), gnet.WithLogger(zap.NewNop().Sugar()), gnet.WithTicker(spec.Workload == game.Rooms))
	}()
	select {
	case addr := <-s.addr:
		return addr, nil
	case err := <-failed:
		return "", err
	}
}

// do runs f on the loop.
func (s *server) do(f func()) {
	if loop, ok := s.loop.Load().(gnet.EventLoop); ok {
		_ = loop.Execute(context.Background(), gnet.RunnableFunc(func(context.Context) error {
			f()
			return nil
		}))
	}
}

func (s *server) OnBoot(e gnet.Engine) gnet.Action {
	addr, err := bound(e)
	if err != nil {
		return gnet.Shutdown
	}
	s.addr <- addr
	return gnet.None
}

// bound is where the engine listens; the kernel has chosen the port.
func bound(e gnet.Engine) (string, error) {
	fd, err := e.Dup()
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return "", err
	}
	a, ok := sa.(*unix.SockaddrInet4)
	if !ok {
		return "", net.InvalidAddrError("not an IPv4 address")
	}
	return (&net.TCPAddr{IP: a.Addr[:], Port: a.Port}).String(), nil
}

// OnTick has the loop run what is due, once a millisecond: the ticker is a goroutine of its own.
func (s *server) OnTick() (time.Duration, gnet.Action) {
	s.do(s.games.RunDue)
	return game.Grain, gnet.None
}

func (s *server) OnOpen(c gnet.Conn) ([]byte, gnet.Action) {
	s.loop.CompareAndSwap(nil, c.EventLoop())
	c.SetContext(&conn{Conn: c, out: &s.out})
	return nil, gnet.None
}

func (s *server) OnClose(c gnet.Conn, _ error) gnet.Action {
	if my, ok := c.Context().(*conn); ok && my.player != nil {
		my.player.Leave()
	}
	return gnet.None
}

func (s *server) OnTraffic(c gnet.Conn) gnet.Action {
	my := c.Context().(*conn)
	for c.InboundBuffered() >= head {
		b, err := c.Peek(head)
		if err != nil {
			return gnet.Close
		}
		n := int(binary.BigEndian.Uint32(b))
		if n > longest {
			return gnet.Close
		}
		if c.InboundBuffered() < head+n {
			return gnet.None
		}
		if b, err = c.Next(head + n); err != nil {
			return gnet.Close
		}
		if my.player == nil {
			my.player = s.games.Join(string(b[head:]), my)
		} else {
			my.player.Receive(b[head:])
		}
		if my.player == nil {
			return gnet.Close
		}
	}
	return gnet.None
}
