package game

import (
	"encoding/binary"
	"slices"
	"sync"
)

// Player is a connection in a room.
type Player struct {
	Conn Conn
	room *room
	seat int

	// Of a hall, guarded by its mu.
	speaks bool   // it says which broadcast it has
	seen   uint64 // the last one
}

// room is one room of any kind.
type room struct {
	games    *Games
	kind     string
	capacity int // 0: no limit

	// Guarded by games.mu.
	taken int
	seats []bool

	mu      sync.Mutex
	players []*Player // replaced, never changed, so that a cast needs no lock
	state   [stateSize]byte

	// Of a hall.
	speakers      []*Player
	sent          uint64
	burst, window int
	posted        bool // pump is on its way
}

func (r *room) full() bool { return r.capacity > 0 && r.taken == r.capacity }

// reserve takes the lowest free seat; in a room without a limit seats mean nothing.
func (r *room) reserve() int {
	r.taken++
	if r.capacity == 0 {
		return 0
	}
	if r.seats == nil {
		r.seats = make([]bool, r.capacity)
	}
	seat := slices.Index(r.seats, false)
	r.seats[seat] = true
	return seat
}

func (r *room) enter(p *Player) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.players = append(r.players[:len(r.players):len(r.players)], p)
}

// Leave ends the player.
func (p *Player) Leave() {
	r := p.room
	r.mu.Lock()
	is := func(q *Player) bool { return q == p }
	r.players = slices.DeleteFunc(slices.Clone(r.players), is)
	r.speakers = slices.DeleteFunc(r.speakers, is)
	r.mu.Unlock()
	r.games.leave(p)
}

// Receive takes a message of the player's. What is no message of the game is passed over.
func (p *Player) Receive(message []byte) {
	switch {
	case p.room.kind == Rooms && len(message) == inputSize:
		p.room.input(p, message)
	case p.room.kind == Fanout && len(message) == inputSize:
		p.room.hear(p, binary.LittleEndian.Uint64(message[stampSize:]))
	case p.room.kind == Capacity && len(message) == eventSize, p.room.kind == Echo && len(message) == inputSize:
		p.Conn.Send(message)
	}
}

func (r *room) input(p *Player, message []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	copy(r.state[p.seat%stamps*stampSize:], message[:stampSize])
}

// tick sends the state to everybody.
func (r *room) tick() {
	r.mu.Lock()
	r.games.state = r.state
	to := r.players
	r.mu.Unlock()
	r.games.Cast(to, r.games.state[:])
}

// hear takes a listener's word. Who has said it once says it of every broadcast.
func (r *room) hear(p *Player, seen uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !p.speaks {
		p.speaks = true
		r.speakers = append(r.speakers, p)
	}
	p.seen = seen
	r.wake()
}

func (r *room) setPace(burst, window int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.burst, r.window = burst, window
	r.wake()
}

// wake has the hall go on if it may. With mu held.
func (r *room) wake() {
	if !r.posted && r.may() {
		r.posted = true
		r.games.Post(r.pump)
	}
}

// may reports whether the window has room for a volley. With mu held.
func (r *room) may() bool {
	slowest := r.sent
	for _, p := range r.speakers {
		slowest = min(slowest, p.seen)
	}
	return r.burst > 0 && r.sent+uint64(r.burst) <= slowest+uint64(r.window)
}

// pump sends one volley and comes back for the next. No rival in Go batches: every message of a volley is a frame and a write of
// its own, which is what its users get by default.
func (r *room) pump() {
	r.mu.Lock()
	to, burst, first := r.players, r.burst, r.sent+1
	r.sent += uint64(burst)
	r.mu.Unlock()
	b := r.games.state[:]
	for i := range burst {
		binary.LittleEndian.PutUint64(b, uint64(monotonic()))
		binary.LittleEndian.PutUint64(b[stampSize:], first+uint64(i))
		r.games.Cast(to, b)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.posted = false
	r.wake()
}
