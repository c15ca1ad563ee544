// Command gws is gws (github.com/lxzan/gws), a goroutine per connection, with its Broadcaster for what goes to many. Nothing is
// compressed, and the buffer for reading is as large as the games' messages ask for.
package main

import (
	"bufio"
	"net"
	"net/http"

	"github.com/lxzan/gws"

	"github.com/volley-go/volley/bench/rivals/internal/child"
	"github.com/volley-go/volley/bench/rivals/internal/game"
)

func main() { child.Run(child.Rival{Transport: "ws", Start: start}) }

// conn is a connection.
type conn struct{ *gws.Conn }

func (c conn) Send(message []byte) { _ = c.WriteMessage(gws.OpcodeBinary, message) }

// player is where a connection keeps its player.
const player = "player"

// events are gws's callbacks, on the connection's goroutine.
type events struct{ gws.BuiltinEventHandler }

func (events) OnMessage(c *gws.Conn, message *gws.Message) {
	defer message.Close()
	if p, ok := c.Session().Load(player); ok {
		p.(*game.Player).Receive(message.Bytes())
	}
}

func (events) OnClose(c *gws.Conn, _ error) {
	if p, ok := c.Session().Load(player); ok {
		p.(*game.Player).Leave()
	}
}

func start(spec child.Spec, g *game.Games) (string, error) {
	g.Cast = func(to []*game.Player, message []byte) {
		b := gws.NewBroadcaster(gws.OpcodeBinary, message)
		for _, p := range to {
			_ = b.Broadcast(p.Conn.(conn).Conn)
		}
		_ = b.Close()
	}
	listener, err := child.Listen(spec)
	if err != nil {
		return "", err
	}
	s := gws.NewServer(events{}, &gws.ServerOption{ReadBufferSize: 1024, ReadMaxPayloadSize: 64 << 10})
	s.OnError = func(net.Conn, error) {}
	s.OnRequest = func(c net.Conn, br *bufio.Reader, r *http.Request) {
		kind := r.URL.Path[1:]
		if !g.Knows(kind) {
			_ = c.Close()
			return
		}
		socket, err := s.GetUpgrader().UpgradeFromConn(c, br, r)
		if err != nil {
			return
		}
		socket.Session().Store(player, g.Join(kind, conn{socket}))
		socket.ReadLoop()
	}
	go func() { _ = s.RunListener(listener) }()
	return listener.Addr().String(), nil
}
