// Package room runs games. A game is a plain struct with callbacks; its [Room] runs them one at a time, at a fixed rate or as
// soon as something arrives, and turns everything that they emit in a tick into one frame per client.
//
//	type Move struct{ DY float32 }
//	type State struct{ Ball, Paddle [2]float32 }
//
//	const (
//		move  room.Event[Move]  = "move"  // from clients
//		seat  room.Event[int]   = "seat"  // to the newcomer
//		state room.Event[State] = "state" // to everyone, each tick
//	)
//
//	type pong struct {
//		room  *room.Room
//		State
//	}
//
//	func newPong(r *room.Room) *pong { return &pong{room: r} }
//
//	func (p *pong) Join(c *room.Client) error {
//		room.Emit(c, seat, len(p.room.Clients()))
//		return nil
//	}
//	func (p *pong) Leave(c *room.Client)        {}
//	func (p *pong) Move(c *room.Client, m Move) { p.Paddle[0] += m.DY }
//	func (p *pong) Tick(t tick.Tick)            { room.Emit(p.room, state, p.State) }
//
//	pongKind := room.Define("pong", newPong, room.Config{Rate: 60, Capacity: 2})
//	room.On(pongKind, move, (*pong).Move)
//
// # Kinds, rooms, clients
//
// A [Kind] is defined once, with its handlers; it is immutable from the moment that a [Host] (a server) takes it. A Room
// is one running game of a kind. A [Client] is one connection's membership of one room; a connection may have several.
//
// # Who runs what
//
// Every callback of a room, the constructor included, runs on the room's owner, one at a time: joins, leaves, handlers,
// timers, posts, ticks, in the order in which they arrived. So a game needs no locks. Methods that say so may be called from
// any goroutine; everything else, [Emit] to a client or a room included, belongs in a callback. Code outside enters by
// [Room.Post]. A callback that panics ends its room, and no other.
//
// # What payloads look like
//
// An [Event] carries any Go value that msgpack can hold. Structs travel as maps of their exported fields' names, which is what
// a browser sees. The tag `msgpack:"x"` renames a field and "-" leaves it out; a field _msgpack struct{} with the tag
// `msgpack:",as_array"` sends the values alone, in order, which is shorter. An Event[struct{}] has no payload. A nil slice or
// map arrives as null. What clients send is checked against the type, by value and by field; see package codec.
//
// # What clients hear
//
// One verb, [Emit], and an [Audience]: a client (self), its room, c.Others() (all but the sender), r.Only and r.Except (a
// set), a kind or a host (every room of it). What a tick emits is encoded at once, in order, into the room's log; at the
// tick's end each client gets the log from its cursor to now, as one frame and one write. A client whose connection
// still has unsent bytes is passed over: its cursor stays, and when the connection has drained, one frame carries the gap, all
// reliable packets in order and of each [EmitLatest] key only the newest. So a slow client costs no memory of its own, and
// when it falls off the log it is closed with codec.SlowConsumer.
package room
