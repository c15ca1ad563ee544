// Command nbio-tuned is nbio (github.com/lesismal/nbio) with what measurably helps on one core: one poller, messages handled on
// it instead of on goroutines, payloads given back, and frames that are built once for all their receivers. Ticks run on a
// goroutine; it needs a second P (GOMAXPROCS=2), since a poller in epoll_wait keeps its P for a while.
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

// poller is what the one poller needs.
type poller struct{ frame []byte }

// conn is a connection. Its Send is called on the poller alone. A whole frame goes to nbio's connection below the WebSocket,
// which copies what the kernel does not take.
type conn struct {
	*websocket.Conn
	poller *poller
}

func (c *conn) Send(message []byte) {
	c.poller.frame = child.Frame(c.poller.frame[:0], message)
	_, _ = c.Conn.Conn.Write(c.poller.frame)
}

func start(spec child.Spec, g *game.Games) (string, error) {
	var frame []byte
	g.Cast = func(to []*game.Player, message []byte) {
		frame = child.Frame(frame[:0], message)
		for _, p := range to {
			_, _ = p.Conn.(*conn).Conn.Conn.Write(frame)
		}
	}
	listener, err := child.Listen(spec)
	if err != nil {
		return "", err
	}
	engine := nbhttp.NewEngine(nbhttp.Config{
		Network: "tcp", Addrs: []string{spec.Addr},
		Listen:            func(string, string) (net.Listener, error) { return listener, nil },
		IOMod:             nbhttp.IOModNonBlocking,
		NPoller:           1,
		ServerExecutor:    func(f func()) { f() },
		SupportServerOnly: true,
		ReadLimit:         64 << 10, MaxWriteBufferSize: 4 << 20,
		ReleaseWebsocketPayload: true,
		Handler:                 handler(g),
	})
	return listener.Addr().String(), engine.Start()
}

// handler upgrades, on the poller.
func handler(g *game.Games) http.Handler {
	up := websocket.NewUpgrader()
	up.KeepaliveTime = 0 // a timer for each connection costs memory
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
	var one poller
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind := r.URL.Path[1:]
		if !g.Knows(kind) {
			http.NotFound(w, r)
			return
		}
		if c, err := up.Upgrade(w, r, nil); err == nil {
			c.SetSession(g.Join(kind, &conn{c, &one}))
		}
	})
}
