// Package client is Volley's client for Go: for tests, bots and load generators, thousands in one process. It speaks the wire
// of docs/protocol.md over WebSocket and TCP, plain and TLS.
//
// Events are the same typed constants that the game uses:
//
//	type Move struct{ DY float32 }
//	type State struct{ Ball, Paddle [2]float32 }
//
//	const (
//		move  room.Event[Move]           = "move"
//		state room.Event[State]          = "state"
//		score room.Call[string, float64] = "score"
//	)
//
//	c, err := client.Dial(ctx, "ws://127.0.0.1:8080/volley", client.Config{})
//	if err != nil { ... }
//	defer c.Close()
//	r, err := c.JoinOrCreate(ctx, "pong", Options{Name: "Ann"}, func(r *client.Room) {
//		client.On(r, state, func(s State, m client.Meta) { ... })
//	})
//	if err != nil { ... }
//	err = client.Emit(r, move, Move{DY: 1})
//	points, err := client.Request(ctx, r, score, "Ann")
//
// # Nothing is missed: set up before the join
//
// A game may send events with the very first frame after a join. Each join therefore takes functions that set the room up
// before the server is asked: what is registered there sees everything. What is registered on a room that has been joined
// already sees what arrives from then on. An event for which nothing is registered is passed over. Nothing can be
// sent in a setup.
//
// # Who runs what
//
// A [Client] has one goroutine, which reads. It runs every callback of the client and its rooms, one at a time, in the order in
// which the frames arrived; so callbacks need no locks among themselves, and must not wait: while one runs, nothing is
// read, acknowledged or answered. A callback may [Emit], [Ask], register and [Client.Close]. What waits for the server – joins,
// [Request], [Room.Leave], [Client.Ping], a receive from [Client.Done] – never ends there: start a goroutine for it,
// or use [Ask]. All functions and methods may be called from any goroutine.
//
// Writing happens on the goroutine that emits, and waits while the connection takes no more, for Config.WriteTimeout at most.
//
// # A bot
//
// A bot is a callback that emits:
//
//	c.JoinOrCreate(ctx, "pong", nil, func(r *client.Room) {
//		client.On(r, state, func(s State, m client.Meta) {
//			client.Emit(r, move, Move{DY: s.Ball[1] - s.Paddle[0]})
//		})
//	})
//	<-c.Done()
//
// # A lost connection
//
// A client outlives its connections. When one is lost, or the server asks to come back later, it waits – a random time below a
// limit that doubles with each try, see [Reconnect] – connects again, and carries its session on, rooms and all:
//
//   - Events, requests and replies arrive exactly once and in order, in both directions; of the room's latest-wins events the
//     newest arrives. Nothing needs to be done about it.
//   - Meanwhile [Emit] and requests go on: they wait, up to Config.Unacknowledged, beyond which they fail with [ErrFull]. What
//     only counts while it is new, such as a player's input, is better not emitted unless [Client.State] is [Connected].
//   - Joins, [Room.Leave] and [Request] go on waiting, for as long as their contexts allow. Only [Client.Ping] fails, with
//     [ErrOffline].
//
// Three things may happen instead, and each is told:
//
//   - This client was away for longer than a room remembers: [Room.OnResync]. What is known of the room is void, and it tells
//     its state anew. Requests whose reply is lost fail with [ErrReplyLost].
//   - The server has given up the session – it was restarted, this client was away beyond the grace period, or was told to begin
//     anew – or the seat in a room: the client joins again by itself, the same room or, if that refuses, by the call that led
//     there, and [Room.OnRejoin] tells. Or, with Reconnect.NoRejoin, the room is over: [Room.OnLeft].
//   - The server's code says not to come back, Reconnect.Tries are used up, or Reconnect.Off is set: the client ends.
//
// [Client.OnState] tells all of it as it happens.
//
// # The end
//
// A client ends once, with a [*CloseError]: the code and the reason that the server gave, or what went wrong here. Everything
// that waits then fails with it, the rooms' OnLeft and the client's OnClose run, and [Client.Done] is closed. [Client.Close]
// gives up the seats at once; a program that just stops keeps them for the grace period.
package client
