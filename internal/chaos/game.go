package main

import (
	"fmt"
	"sync"
	"time"

	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/tick"
)

// Say is an event of a client's. Shout, if not 0, is the number of what the room tells everyone because of it.
type Say struct{ N, Shout int }

// Told is an event to everyone in a room, because of client From's.
type Told struct{ From, N int }

const (
	say   room.Event[Say]     = "say"   // client → room
	call  room.Call[int, int] = "call"  // client → room
	told  room.Event[Told]    = "told"  // room → everyone
	tell  room.Event[int]     = "tell"  // room → one client
	ask   room.Call[int, int] = "ask"   // room → one client
	clock room.Event[int]     = "clock" // room → everyone, only the newest counts
)

const (
	askFor = 10 * time.Minute // longer than a run
	owed   = 32               // requests to one client that are unanswered at once; a room allows 64
)

// seat is what rooms know of one client, by its index: it outlives memberships.
type seat struct {
	index int
	due   each

	mu      sync.Mutex
	says    stream // that came
	calls   stream // requests that came
	replied int    // replies to those that were sent
	answers stream // replies to asks that came
	tells   int    // sent
	asks    int    // sent
	shouts  int    // that were told everyone
}

// hall is the game of one room.
type hall struct {
	room  *room.Room
	run   *run
	seats map[*room.Client]*seat
}

// Entry is what a client joins with.
type Entry struct{ Index int }

// Join finds the client's seat.
func (h *hall) Join(c *room.Client) error {
	e, err := room.Options[Entry](c)
	if err != nil {
		return err
	}
	if e.Index < 0 || e.Index >= len(h.run.seats) {
		return fmt.Errorf("there is no seat %d", e.Index)
	}
	h.seats[c] = h.run.seats[e.Index]
	return nil
}

// Leave forgets who sat there.
func (h *hall) Leave(c *room.Client) { delete(h.seats, c) }

// Say takes an event, and tells everyone if it is to.
func (h *hall) Say(c *room.Client, v Say) {
	s := h.seats[c]
	s.mu.Lock()
	defer s.mu.Unlock()
	h.run.came(s.says.take(v.N), "say", v.N)
	if v.Shout > 0 {
		s.shouts++
		room.Emit(h.room, told, Told{From: s.index, N: v.Shout})
	}
}

// Call takes a request. Its reply is its number.
func (h *hall) Call(c *room.Client, n int) (int, error) {
	s := h.seats[c]
	s.mu.Lock()
	defer s.mu.Unlock()
	h.run.came(s.calls.take(n), "call", n)
	s.replied++
	return n, nil
}

// serve sends a client what it is due: in the same measure in which it has sent what is its part.
func (h *hall) serve(c *room.Client, s *seat) {
	s.mu.Lock()
	defer s.mu.Unlock()
	part, whole := s.says.high+s.calls.high, s.due.says+s.due.calls
	for tells := part * s.due.tells / whole; s.tells < tells; {
		s.tells++
		room.Emit(c, tell, s.tells)
	}
	for asks := part * s.due.asks / whole; s.asks < asks && s.asks-s.answers.high < owed; {
		s.asks++
		n := s.asks
		room.Ask(c, ask, n, askFor, func(got int, err error) {
			if err != nil || got != n {
				h.run.note("request %d to client %d was answered by %d, %v", n, s.index, got, err)
				return
			}
			s.mu.Lock()
			h.run.came(s.answers.take(n), "answer", n)
			s.mu.Unlock()
			if h.room.Rate() == 0 && h.seats[c] == s {
				h.serve(c, s)
			}
		})
	}
}

// prompt is a hall that runs when something arrives.
type prompt struct{ *hall }

// Say serves the client at once.
func (p prompt) Say(c *room.Client, v Say) {
	p.hall.Say(c, v)
	p.serve(c, p.seats[c])
}

// Call serves the client at once, too.
func (p prompt) Call(c *room.Client, n int) (int, error) {
	defer p.serve(c, p.seats[c])
	return p.hall.Call(c, n)
}

// ticking is a hall that serves everyone in its ticks.
type ticking struct{ *hall }

// Tick serves everyone.
func (t ticking) Tick(now tick.Tick) {
	for c, s := range t.seats {
		t.serve(c, s)
	}
	room.EmitLatest(t.room, clock, 0, int(now.N))
}

// game is either of the two.
type game interface {
	room.Game
	Say(c *room.Client, v Say)
	Call(c *room.Client, n int) (int, error)
}

// kindNames are the kinds of rooms; the rooms of a run take turns.
var kindNames = [...]string{"ticking", "prompt"}

// kinds defines them. What is at stake is left at its defaults: the grace, the log, the inbox.
func (r *run) kinds() []room.AnyKind {
	cfg := room.Config{EmptyFor: time.Minute, Grace: r.cfg.grace}
	newHall := func(at *room.Room) *hall { return &hall{room: at, run: r, seats: map[*room.Client]*seat{}} }
	second := cfg
	cfg.Rate = 20
	return []room.AnyKind{
		handled(room.Define(kindNames[0], func(at *room.Room) ticking { return ticking{newHall(at)} }, cfg)),
		handled(room.Define(kindNames[1], func(at *room.Room) prompt { return prompt{newHall(at)} }, second)),
	}
}

func handled[G game](k *room.Kind[G]) *room.Kind[G] {
	room.On(k, say, func(g G, c *room.Client, v Say) { g.Say(c, v) })
	room.Handle(k, call, func(g G, c *room.Client, n int) (int, error) { return g.Call(c, n) })
	return k
}
