// Package game holds the games that the bench plays, as far as a server without a protocol needs them: a message is
// a payload, and the first one that a player gets is one byte, its seat. What they do is what bench/games.go does on Volley.
//
// A rival hands in its connections (Join), what comes from them (Player.Receive) and that they have ended (Player.Leave), from
// any goroutine. How a message leaves is the rival's own business: Conn.Send for one player, Games.Cast for a whole room.
package game

import "sync"

// The kinds of room, and the bytes of their messages.
const (
	Rooms    = "rooms"    // inputs in, a state per tick out
	Fanout   = "fanout"   // broadcasts
	Capacity = "capacity" // an event in, the same event out, to its sender
	Echo     = "echo"     // the same, smaller

	inputSize = 24
	stateSize = 200
	eventSize = 512
	stampSize = 8
	stamps    = stateSize/stampSize - 1 // players of a room who find the stamp of their last input in a state

	capacitySeats = 10
)

// Conn is a connection as a rival has it.
type Conn interface {
	// Send sends one message. The bytes are the caller's again when it returns. An error needs no answer: the
	// connection ends, and then there is a Leave.
	Send(message []byte)
}

// Games are all rooms of a server.
type Games struct {
	// Cast sends one message to all of them. One goroutine at a time calls it.
	Cast func(to []*Player, message []byte)
	// Post runs f soon, after what has been posted before. New sets it to a goroutine that does nothing else.
	Post func(f func())

	rate  int // ticks a second
	seats int // of a room of the kind Rooms
	clock clock
	state [stateSize]byte // what Cast is given; its caller's

	mu    sync.Mutex
	open  map[string][]*room // those with a seat left
	halls []*room
}

// New makes games whose rooms have so many seats and tick at so many Hz.
func New(rate, seats int) *Games {
	g := &Games{rate: max(rate, 1), seats: max(seats, 1), open: map[string][]*room{}}
	var once sync.Once
	posts := make(chan func(), 64)
	g.Post = func(f func()) {
		once.Do(func() {
			go func() {
				for f := range posts {
					f()
				}
			}()
		})
		posts <- f
	}
	return g
}

// capacity is how many seats a room of the kind has; 0: as many as are wanted; -1: there is no such kind.
func (g *Games) capacity(kind string) int {
	switch kind {
	case Rooms:
		return g.seats
	case Capacity:
		return capacitySeats
	case Fanout, Echo:
		return 0
	}
	return -1
}

// Knows reports whether there is such a kind of room.
func (g *Games) Knows(kind string) bool { return g.capacity(kind) >= 0 }

// Join gives a connection a seat, tells it which, and returns its player; nil if there is no such kind of room.
func (g *Games) Join(kind string, c Conn) *Player {
	if !g.Knows(kind) {
		return nil
	}
	p := &Player{Conn: c}
	g.mu.Lock()
	p.room = g.room(kind)
	p.seat = p.room.reserve()
	if p.room.full() {
		g.open[kind] = g.open[kind][:len(g.open[kind])-1]
	}
	g.mu.Unlock()
	c.Send([]byte{byte(p.seat)})
	p.room.enter(p)
	return p
}

// room is the room that the next player of a kind gets. With mu held.
func (g *Games) room(kind string) *room {
	open := g.open[kind]
	if len(open) > 0 {
		return open[len(open)-1]
	}
	r := &room{games: g, kind: kind, capacity: g.capacity(kind)}
	g.open[kind] = append(open, r)
	switch kind {
	case Rooms:
		g.clock.add(r, g.rate)
	case Fanout:
		g.halls = append(g.halls, r)
	}
	return r
}

// leave gives a seat back.
func (g *Games) leave(p *Player) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := p.room
	if r.full() {
		g.open[r.kind] = append(g.open[r.kind], r)
	}
	r.taken--
	if r.capacity > 0 {
		r.seats[p.seat] = false
	}
}

// Broadcast sets the pace of all halls; a burst of 0 is silence.
func (g *Games) Broadcast(burst, window int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range g.halls {
		r.setPace(burst, max(window, burst))
	}
}
