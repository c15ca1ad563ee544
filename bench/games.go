//go:build linux

package main

import (
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/volley-go/volley/netio"
	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/tick"
)

// The kinds of room, and the bytes of their events' payloads.
const (
	kindRooms    = "rooms"    // inputs in, a state per tick out
	kindCapacity = "capacity" // an event in, the same event out, to its sender
	kindEcho     = "echo"     // the same, smaller
	kindEchoTick = "echo60"   // the same, 60 times a second
	kindFanout   = "fanout"   // broadcasts

	inputSize = 24
	stateSize = 200
	eventSize = 512

	stampSize = 8
	// seats is how many clients of a room find the stamp of their last input in a state.
	seats = stateSize/stampSize - 1
)

// What comes from clients is an array, which a handler gets without an allocation; what goes to them a slice of a buffer that the
// game keeps.
const (
	inputEvent     room.Event[[inputSize]byte] = "input"
	stateEvent     room.Event[[]byte]          = "state"
	eventEvent     room.Event[[eventSize]byte] = "event"
	answerEvent    room.Event[[]byte]          = "answer"
	pingEvent      room.Event[[inputSize]byte] = "ping"
	pongEvent      room.Event[[]byte]          = "pong"
	seenEvent      room.Event[[inputSize]byte] = "seen" // a listener's word on the broadcasts that it has
	broadcastEvent room.Event[[]byte]          = "broadcast"
	seatEvent      room.Event[int]             = "seat" // of a client of Socket.IO, as its servers on Node tell it
)

// games are the kinds of one server, and what they measure.
type games struct {
	seats bool // newcomers are told their seats: clients of Volley find them in JOINED

	late    atomic.Pointer[tick.Histogram] // of the window
	skipped atomic.Uint64                  // ticks, since the server began
	steps   atomic.Uint64

	mu    sync.Mutex
	halls []*hall
}

// kinds defines them. Rooms have clients seats and rate ticks a second.
func (g *games) kinds(rate, clients int) []room.AnyKind {
	g.late.Store(&tick.Histogram{})
	rooms := room.Define(kindRooms, func(r *room.Room) *arena { return &arena{games: g, room: r} },
		room.Config{Rate: max(rate, 1), Capacity: clients})
	room.On(rooms, inputEvent, (*arena).Input)

	capacity := room.Define(kindCapacity, func(*room.Room) *mirror { return &mirror{games: g} }, room.Config{Capacity: capacityRoom})
	room.On(capacity, eventEvent, (*mirror).Event)

	echo := room.Define(kindEcho, func(*room.Room) *mirror { return &mirror{games: g} }, room.Config{})
	room.On(echo, pingEvent, (*mirror).Ping)

	echoTick := room.Define(kindEchoTick, func(*room.Room) *tickingMirror { return &tickingMirror{mirror{games: g}} },
		room.Config{Rate: 60})
	room.On(echoTick, pingEvent, (*tickingMirror).Ping)

	fanout := room.Define(kindFanout, g.newHall, room.Config{Log: 1 << 20})
	room.On(fanout, seenEvent, (*hall).Seen)
	return []room.AnyKind{rooms, capacity, echo, echoTick, fanout}
}

// arena is a game of the workload rooms. Its state holds, for each seat, the stamp of the last input: a client that finds its
// own knows how long that input took to become visible.
type arena struct {
	games *games
	room  *room.Room
	state [stateSize]byte
}

func (a *arena) Join(c *room.Client) error { a.games.seat(c); return nil }
func (a *arena) Leave(*room.Client)        {}

func (a *arena) Input(c *room.Client, in [inputSize]byte) {
	copy(a.state[seatOf(c.ID())*stampSize:], in[:stampSize])
}

func (a *arena) Tick(t tick.Tick) {
	a.games.late.Load().Record(t.Late)
	a.games.steps.Add(1)
	if t.Skipped > 0 {
		a.games.skipped.Add(uint64(t.Skipped))
	}
	room.Emit(a.room, stateEvent, a.state[:])
}

// seat tells a newcomer its seat, if that is the custom.
func (g *games) seat(c *room.Client) {
	if g.seats {
		room.Emit(c, seatEvent, seatOf(c.ID()))
	}
}

// seatOf is the place of a client's stamp.
func seatOf(id uint32) int { return int(id-1) % seats }

// mirror answers an event by itself.
type mirror struct {
	games *games
	buf   []byte
}

func (m *mirror) Join(c *room.Client) error { m.games.seat(c); return nil }
func (*mirror) Leave(*room.Client)          {}

func (m *mirror) Event(c *room.Client, v [eventSize]byte) {
	m.buf = append(m.buf[:0], v[:]...)
	room.Emit(c, answerEvent, m.buf)
}

func (m *mirror) Ping(c *room.Client, v [inputSize]byte) {
	m.buf = append(m.buf[:0], v[:]...)
	room.Emit(c, pongEvent, m.buf)
}

// tickingMirror does so at its ticks.
type tickingMirror struct{ mirror }

func (m *tickingMirror) Ping(c *room.Client, v [inputSize]byte) { m.mirror.Ping(c, v) }
func (*tickingMirror) Tick(tick.Tick)                           {}

// hall is a room that broadcasts as fast as its listeners take it. A few of them say which broadcast they have; the hall is
// never further ahead of the slowest of these than its window.
type hall struct {
	games  *games
	room   *room.Room
	seen   map[uint32]uint64 // by client: the last broadcast it has
	sent   uint64
	burst  int // messages in one volley; 0: silence
	window int
	posted bool // pump is on its way
	state  [stateSize]byte
}

func (g *games) newHall(r *room.Room) *hall {
	h := &hall{games: g, room: r, seen: map[uint32]uint64{}}
	g.mu.Lock()
	g.halls = append(g.halls, h)
	g.mu.Unlock()
	return h
}

func (h *hall) Join(c *room.Client) error { h.games.seat(c); return nil }
func (h *hall) Leave(c *room.Client)      { delete(h.seen, c.ID()) }

// Seen takes a listener's word. Who has said it once says it of every volley.
func (h *hall) Seen(c *room.Client, v [inputSize]byte) {
	h.seen[c.ID()] = binary.LittleEndian.Uint64(v[stampSize:])
	h.pump()
}

// pump sends one volley, if the window allows it, and comes back for the next.
func (h *hall) pump() {
	if h.posted || h.burst == 0 || h.sent+uint64(h.burst) > h.slowest()+uint64(h.window) {
		return
	}
	for range h.burst {
		h.sent++
		binary.LittleEndian.PutUint64(h.state[:], uint64(monotonic()))
		binary.LittleEndian.PutUint64(h.state[stampSize:], h.sent)
		room.Emit(h.room, broadcastEvent, h.state[:])
	}
	h.posted = h.room.Post(h.again)
}

func (h *hall) again() {
	h.posted = false
	h.pump()
}

// slowest is the last broadcast that every listener who speaks of it has.
func (h *hall) slowest() uint64 {
	least := h.sent
	for _, n := range h.seen {
		least = min(least, n)
	}
	return least
}

// broadcast sets the pace of all halls; a burst of 0 is silence.
func (g *games) broadcast(burst, window int) {
	g.mu.Lock()
	halls := slices.Clone(g.halls)
	g.mu.Unlock()
	for _, h := range halls {
		h.room.Post(func() {
			h.burst, h.window = burst, max(window, burst)
			h.pump()
		})
	}
}

// idle is a task of the workload tick: it measures and does nothing else.
type idle struct{ games *games }

func (s *idle) Step(t tick.Tick) {
	s.games.late.Load().Record(t.Late)
	s.games.steps.Add(1)
	if t.Skipped > 0 {
		s.games.skipped.Add(uint64(t.Skipped))
	}
}

func (s *idle) Name() string { return "idle" }

// newAlarm is what the workers of a volley.Server sleep on.
func newAlarm() tick.Alarm {
	a, err := netio.NewAlarm()
	if err != nil {
		return nil // Go's timers do
	}
	return a
}

// schedule adds the workload's tasks to a scheduler of their own, spread over a period as rooms that open one by one are.
func (g *games) schedule(rooms, rate, workers int) *tick.Scheduler {
	g.late.Store(&tick.Histogram{})
	s := tick.New(tick.Config{Workers: workers, Alarm: newAlarm})
	period := time.Second / time.Duration(rate)
	began := time.Now()
	for i := range rooms {
		if i%64 == 0 { // the grid of a task begins when it is added
			time.Sleep(time.Until(began.Add(period * time.Duration(i) / time.Duration(rooms))))
		}
		s.Add(&idle{g}, rate, tick.Skip, nil)
	}
	return s
}
