package room_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/room/roomtest"
	"github.com/volley-go/volley/tick"
)

// The model of the log and the cursors: for each client a plain list of all that it should hear, written to at the moment of
// each emit. A frame must hold exactly the part of the list that the client does not have yet, without what a newer
// latest-wins event of the same part replaces: whatever connections are lost, with whatever frames on their way.

// heard is one event in a client's list.
type heard struct {
	event  string
	key    uint64
	latest bool
	value  int
	at     int // how many bytes the room had emitted before it
}

// world is one run of the property test.
type world struct {
	*roomtest.Bed
	t     *testing.T
	rng   *rand.Rand
	seed  uint64
	rate  int
	kind  room.Audience // the kind
	sync  bool          // the game begins afresh with those who fell off the log
	limit int           // of the log
	value int
	rooms []*modelGame
	all   []*modelClient
}

// modelGame is a room of the world: the game, and the model's record of it.
type modelGame struct {
	w       *world
	room    *room.Room
	rng     *rand.Rand // its own, because the order among rooms is open
	members []*modelClient
	past    []*modelClient
	bytes   int // emitted so far
	before  int // emitted before the batch of operations under way
	frozen  bool
	timers  []*room.Timer
}

// modelTicker is a modelGame with a rate.
type modelTicker struct{ *modelGame }

func (g modelTicker) Tick(tick.Tick) { g.check(); g.act(g.rng.IntN(3)) }

// modelSync and modelSyncTicker begin afresh with clients that fell off the log.
type modelSync struct{ *modelGame }

type modelSyncTicker struct{ modelTicker }

func (g modelSync) Dropped(c *room.Client)       { g.dropped(c) }
func (g modelSync) Resumed(c *room.Client)       { g.resumed(c) }
func (g modelSync) Resync(c *room.Client)        { g.resync(c) }
func (g modelSyncTicker) Dropped(c *room.Client) { g.dropped(c) }
func (g modelSyncTicker) Resumed(c *room.Client) { g.resumed(c) }
func (g modelSyncTicker) Resync(c *room.Client)  { g.resync(c) }

// collapse leaves out what a newer one replaces.
func collapse(list []heard) (out []heard) {
	for i, h := range list {
		replaced := h.latest && slices.ContainsFunc(list[i+1:], func(o heard) bool {
			return o.latest && o.event == h.event && o.key == h.key
		})
		if !replaced {
			out = append(out, h)
		}
	}
	return out
}

// emit emits to an audience, and writes to the lists of the members that to admits. names is how many clients the audience
// itself names.
func (g *modelGame) emit(to room.Audience, admits func(*modelClient) bool, names int) {
	w := g.w
	w.value++
	h := heard{value: 256 + w.value, at: g.bytes, event: fmt.Sprint("reliable", g.rng.IntN(2))}
	if h.latest = g.rng.IntN(2) == 0; h.latest {
		h.event, h.key = fmt.Sprint("latest", g.rng.IntN(2)), uint64(g.rng.IntN(3))
		room.EmitLatest(to, room.Event[int](h.event), h.key, h.value)
	} else {
		room.Emit(to, room.Event[int](h.event), h.value)
	}
	g.bytes += 1 + 1 + 3 + 4*names // array, index, 16-bit number, the set's numbers
	for _, m := range g.members {
		if admits(m) {
			m.list = append(m.list, h)
		}
	}
}

func everyone(*modelClient) bool { return true }

// pick returns up to n clients of the world: members, clients that are gone, and clients of other rooms.
func (g *modelGame) pick(n int) (clients []*room.Client, models []*modelClient, own int) {
	for range g.rng.IntN(n + 1) {
		from := g.members
		switch g.rng.IntN(8) {
		case 0:
			from = g.past
		case 1:
			from = g.w.all
		}
		if len(from) > 0 {
			m := from[g.rng.IntN(len(from))]
			clients, models = append(clients, m.c), append(models, m)
			if m.game == g {
				own++
			}
		}
	}
	return clients, models, own
}

// act does n random things inside of a callback.
func (g *modelGame) act(n int) {
	for range n {
		clients, models, own := g.pick(3)
		in := func(m *modelClient) bool { return slices.Contains(models, m) }
		switch g.rng.IntN(9) {
		case 0, 1:
			g.emit(g.room, everyone, 0)
		case 2:
			g.emit(g.room.Only(clients...), in, own)
		case 3:
			g.emit(g.room.Except(clients...), func(m *modelClient) bool { return !in(m) }, own)
		case 4, 5:
			if len(clients) > 0 && models[0].game == g {
				g.emit(clients[0], func(m *modelClient) bool { return m == models[0] }, 0)
			}
		case 6:
			if len(clients) > 0 && models[0].game == g {
				g.emit(clients[0].Others(), func(m *modelClient) bool { return m != models[0] }, 0)
			}
		case 7:
			if len(clients) > 0 && models[0].game == g && g.rng.IntN(4) == 0 {
				clients[0].Kick("because")
			}
		case 8:
			wait := time.Duration(g.rng.IntN(200)) * time.Millisecond
			g.room.After(wait, func() { g.check(); g.act(2) })
		}
	}
}

// check compares the room's clients with the model's.
func (g *modelGame) check() {
	clients := g.room.Clients()
	same := len(clients) == len(g.members)
	for i := range g.members {
		same = same && clients[i] == g.members[i].c
	}
	if !same {
		g.w.t.Fatalf("seed %d: %d clients, the model has %d", g.w.seed, len(clients), len(g.members))
	}
}

func (g *modelGame) Join(c *room.Client) error {
	m := c.User().(*modelClient)
	m.game, m.c = g, c
	m.at = position{tick: g.room.Tick() - 1, bytes: g.bytes}
	g.members = append(g.members, m)
	g.check()
	g.act(3)
	if g.rng.IntN(6) == 0 {
		g.members = g.members[:len(g.members)-1]
		return errors.New("not you")
	}
	return nil
}

func (g *modelGame) Leave(c *room.Client) {
	m := c.User().(*modelClient)
	g.check()
	g.act(2)
	m.leaving, m.away = true, false
	g.members = slices.DeleteFunc(g.members, func(o *modelClient) bool { return o == m })
	g.past = append(g.past, m)
}

func (g *modelGame) input(c *room.Client, n int) {
	c.User().(*modelClient).processed++
	g.check()
	g.act(n)
}
