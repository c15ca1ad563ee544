// Command nbio is nbio (github.com/lesismal/nbio) as its README has it: nbhttp and its websocket package, all defaults.
package main

import (
	"net"
	"net/http"

	"github.com/lesismal/nbio/logging"
	"github.com/lesismal/nbio/nbhttp"
	"github.com/lesismal/nbio/nbhttp/websocket"

	"github.com/volley-go/volley/bench/rivals/internal/child"
	"github.com/volley-go/volley/bench/rivals/internal/game"
)

func main() {
	logging.SetLevel(logging.LevelError)
	child.Run(child.Rival{Transport: "ws", Start: start})
}

// conn is a connection.
type conn struct{ *websocket.Conn }

func (c conn) Send(message []byte) { _ = c.WriteMessage(websocket.BinaryMessage, message) }

func start(spec child.Spec, g *game.Games) (string, error) {
	g.Cast = func(to []*game.Player, message []byte) {
		for _, p := range to {
			p.Conn.Send(message)
		}
	}
	up := websocket.NewUpgrader()
	up.OnMessage(func(c *websocket.Conn, _ websocket.MessageType, message []byte) {
		if p, ok := c.Session().(*game.Player); ok {
			p.Receive(message)
		}
	})
	up.OnClose(func(c *websocket.Conn, _ error) {
		if p, ok := c.Session().(*game.Player); ok {
			p.Leave()
		}
	})
	listener, err := child.Listen(spec)
	if err != nil {
		return "", err
	}
	engine := nbhttp.NewEngine(nbhttp.Config{
		Network: "tcp", Addrs: []string{spec.Addr},
		Listen: func(string, string) (net.Listener, error) { return listener, nil },
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			kind := r.URL.Path[1:]
			if !g.Knows(kind) {
				http.NotFound(w, r)
				return
			}
			if c, err := up.Upgrade(w, r, nil); err == nil {
				c.SetSession(g.Join(kind, conn{c}))
			}
		}),
	})
	return listener.Addr().String(), engine.Start()
}
