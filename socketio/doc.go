// Package socketio lets unmodified socket.io-client v4 programs talk to a Volley server: Engine.IO 4 over long-polling and
// WebSocket, Socket.IO 5 with its default parser and with socket.io-msgpack-parser.
//
//	io := socketio.New(socketio.Config{})
//	defer io.Close(context.Background())
//
//	io.OnConnect(func(s *socketio.Socket) {
//		s.Emit("greeting", map[string]string{"message": "hello"})
//	})
//	socketio.On(io, "alpha", func(s *socketio.Socket, n int) { s.Emit("updateClient", n) })
//	socketio.On(io, "beta", func(s *socketio.Socket, n int) { io.Emit("updateAllClients", n) })
//	socketio.On(io, "gamma", func(s *socketio.Socket, n int) { s.Broadcast().Emit("updateAllExceptOne", n) })
//
//	http.Handle("/socket.io/", io)
//	log.Fatal(http.ListenAndServe(":3000", nil))
//
// On a Volley server it is mounted as one of its pages: volley.Config{Pages: mux}.
//
// # Namespaces and rooms
//
// A [Server] is its main namespace, "/"; [Server.Of] makes others. A namespace runs as one event-driven room of package room: its
// callbacks (connections, events, acknowledgements, ends) run one at a time, as JavaScript's do, so that they need no locks, and
// what they emit leaves together. Everything that emits, joins or disconnects may be called from any goroutine. A callback may
// block, but its namespace waits meanwhile: start a goroutine for what takes long.
//
// What Socket.IO calls rooms are names: [Socket.Join] puts a socket under one, [Namespace.To] emits to all who are there.
//
// # Games
//
// [Server.Mount] makes a namespace of a room.Kind of a Volley server. A Socket.IO client that connects to it joins a room of the
// kind, with what it gives as auth as its options, and is a client like any other: the game cannot tell. Its events are the
// kind's events, and its acknowledgements the replies to them. An event's first argument is the payload; none is nil.
//
// # Values
//
// Arguments are converted by package codec: structs by their fields' names or msgpack tags, []byte as binary. What a client
// sends is decoded by value and by field, so that a JSON 1 fits a float64 and 1.5 does not fit an int.
//
// # Who owns what
//
// A Server owns a netio.Engine for its WebSockets, whose pollers run the namespaces, and a session for each client. Requests of
// long-polling run on net/http's goroutines. Everything that a client can make the server hold is bounded by [Config].
package socketio
