// Package netio is Volley's sockets: WebSocket and TCP, plain and TLS, bytes in and frames out, with a limit on everything
// that a peer can make the server hold or do. It is the only package that knows nbio.
//
// # Who owns what
//
// An [Engine] owns a few pollers (goroutines that wait for the readiness of many sockets), one sweeper (deadlines, pings,
// idleness) and one dispatcher ([Session.Drained] and [Session.Closed]). An accepted socket has a goroutine of its own only
// until its first frame has been handled by [Handler.Open], or with [Config].OpenOnPoller until its upgrade; then the socket
// moves to a poller, and an idle connection costs neither a goroutine nor a timer nor a buffer. Connections that cannot move
// (TLS of the standard library, foreign [net.Conn]s that come in through [Engine.ServeHTTP]) keep one goroutine that reads, and
// have one that writes while there is something to write.
//
// A [Conn] belongs to its Engine. Its Session gets one Message at a time, on a poller, and must not block there: every other
// connection of that poller waits. Send, SendMessages, Close, Pending and RTT may be called from any goroutine, also inside
// Message.
//
// A request that came to the pages of one Engine's Serve may be handed to another Engine's ServeHTTP. The socket is then the
// other one's alone.
//
// # Other protocols
//
// With [Config.Foreign] an Engine's WebSocket connections carry another protocol's messages, text and binary. Limits, budget and
// close codes are the same; BYE, PING and PONG are not sent. [AppendMessage] makes a message once for many connections, and
// [Conn.SendMessages] sends several with one write.
//
// # Example
//
//	type hub struct{}
//
//	func (hub) Open(c *netio.Conn, r *http.Request, first []byte) (netio.Session, error) {
//		return &echo{c}, nil // or a *codec.Error that the client will see
//	}
//
//	type echo struct{ c *netio.Conn }
//
//	func (e *echo) Message(frame []byte) error {
//		buf := append(make([]byte, netio.Headroom), frame...)
//		return e.c.Send(buf, netio.Headroom)
//	}
//	func (e *echo) Drained()         {}
//	func (e *echo) Closed(err error) {}
//
//	engine, err := netio.New(netio.Config{}, hub{})
//	ln, err := net.Listen("tcp", ":8080")
//	err = engine.Serve(ln, nil, "/volley", http.FileServer(http.Dir("web")))
package netio
