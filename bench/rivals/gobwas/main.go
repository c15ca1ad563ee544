// Command gobwas is gobwas/ws (github.com/gobwas/ws): its zero-copy upgrade, a goroutine per connection with a small buffer in
// which masks are undone in place, and frames that are compiled once for all their receivers. A write waits for the kernel.
package main

import (
	"bufio"
	"net"

	"github.com/gobwas/ws"

	"github.com/volley-go/volley/bench/rivals/internal/child"
	"github.com/volley-go/volley/bench/rivals/internal/game"
)

func main() { child.Run(child.Rival{Transport: "ws", Start: start}) }

// bufferSize holds the longest message of the games with its header, so that reading it takes one system call.
const bufferSize = 1024

// conn is a connection. Whole frames are written in one piece, by its own goroutine or by that of a room; the net package lets
// one write in at a time.
type conn struct{ net.Conn }

func (c conn) Send(message []byte) { _, _ = c.Write(ws.MustCompileFrame(ws.NewBinaryFrame(message))) }

func start(spec child.Spec, g *game.Games) (string, error) {
	g.Cast = func(to []*game.Player, message []byte) {
		frame := ws.MustCompileFrame(ws.NewBinaryFrame(message))
		for _, p := range to {
			_, _ = p.Conn.(conn).Write(frame)
		}
	}
	listener, err := child.Listen(spec)
	if err != nil {
		return "", err
	}
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				continue
			}
			go serve(c, g)
		}
	}()
	return listener.Addr().String(), nil
}

// serve is a connection's life.
func serve(c net.Conn, g *game.Games) {
	defer c.Close()
	kind := ""
	up := ws.Upgrader{OnRequest: func(uri []byte) error {
		if kind = string(uri[1:]); !g.Knows(kind) {
			return ws.RejectConnectionError(ws.RejectionStatus(404))
		}
		return nil
	}}
	if _, err := up.Upgrade(c); err != nil {
		return
	}
	p := g.Join(kind, conn{c})
	defer p.Leave()
	for in := bufio.NewReaderSize(c, bufferSize); receive(in, c, p) == nil; {
	}
}

// receive takes one frame.
func receive(in *bufio.Reader, c net.Conn, p *game.Player) error {
	h, err := ws.ReadHeader(in)
	if err != nil {
		return err
	}
	if err := ws.CheckHeader(h, ws.StateServerSide); err != nil {
		return err
	}
	message, err := in.Peek(int(h.Length))
	if err != nil {
		return err // it has ended, or is longer than anything that we know
	}
	ws.Cipher(message, h.Mask, 0)
	switch h.OpCode {
	case ws.OpBinary, ws.OpText:
		p.Receive(message)
	case ws.OpPing:
		err = ws.WriteFrame(c, ws.NewPongFrame(message))
	case ws.OpClose:
		_ = ws.WriteFrame(c, ws.NewCloseFrame(message))
		return net.ErrClosed
	}
	if err == nil {
		_, err = in.Discard(len(message))
	}
	return err
}
