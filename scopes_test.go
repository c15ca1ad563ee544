package volley_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley"
	"github.com/volley-go/volley/client"
	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/tick"
)

// Fifty clients in five rooms of two kinds, half of them over WebSocket and half over TCP, ask for every emit scope, and
// each one has to get exactly what it should: nothing less, nothing more, in order, one frame per tick.

const (
	scopeRooms = 5
	perRoom    = 10
	rounds     = 8
)

type order struct {
	Scope string
	Round int
}

type shout struct {
	Room, Scope string
	From        uint32 // the sender's number in its room
	Round       int
	Count       int // of the sender's room: how many it has emitted
}

const (
	ask   room.Event[order] = "order"
	heard room.Event[shout] = "shout"
)

var allScopes = []string{"self", "room", "others", "only", "except", "kind", "server"}

// scoped is a game that emits to whatever scope its clients order.
type scoped struct {
	room  *room.Room
	kind  room.Audience
	srv   *running
	count int
}

func (g *scoped) Join(*room.Client) error { return nil }
func (g *scoped) Leave(*room.Client)      {}

func (g *scoped) Order(c *room.Client, o order) {
	g.count++
	v := shout{Room: g.room.ID(), Scope: o.Scope, From: c.ID(), Round: o.Round, Count: g.count}
	var low []*room.Client // those with numbers up to three
	for _, o := range g.room.Clients() {
		if o.ID() <= 3 {
			low = append(low, o)
		}
	}
	room.Emit(map[string]room.Audience{
		"self": c, "room": g.room, "others": c.Others(), "only": g.room.Only(low...), "except": g.room.Except(low...),
		"kind": g.kind, "server": g.srv,
	}[o.Scope], heard, v)
}

// tickedScoped is scoped at a rate.
type tickedScoped struct{ *scoped }

func (tickedScoped) Tick(tick.Tick) {}

// hears says who hears what, in one line per scope: the rule that the test holds the server to.
func hears(scope string, sameRoom, sameKind bool, from, to uint32) bool {
	switch scope {
	case "self":
		return sameRoom && from == to
	case "room":
		return sameRoom
	case "others":
		return sameRoom && from != to
	case "only":
		return sameRoom && to <= 3
	case "except":
		return sameRoom && to > 3
	case "kind":
		return sameKind
	}
	return true
}

// listener is one client of the test and what it heard.
type listener struct {
	room  *client.Room
	mu    sync.Mutex
	got   []shout  // guarded by mu
	ticks []uint64 // of the frames; guarded by mu
}

func TestEmitScopes(t *testing.T) {
	bothWays(t, func(t *testing.T, cfg volley.Config) {
		var srv running
		event, ticked := defineScoped(&srv)
		srv.adopt(serve(t, cfg, event, ticked))
		listeners := joinAll(t, &srv)
		byRoom := map[string]int{}
		for _, l := range listeners {
			byRoom[l.room.ID()]++
		}
		require.Len(t, byRoom, scopeRooms)

		for round := range rounds {
			for _, l := range listeners {
				for _, scope := range allScopes {
					require.NoError(t, client.Emit(l.room, ask, order{scope, round}))
				}
			}
		}
		for i, l := range listeners {
			want := map[string]int{}
			for _, from := range listeners {
				for _, scope := range allScopes {
					if hears(scope, from.room.ID() == l.room.ID(), from.room.Kind() == l.room.Kind(), from.room.ClientID(), l.room.ClientID()) {
						want[fmt.Sprint(from.room.ID(), from.room.ClientID(), scope)] = rounds
					}
				}
			}
			l.check(t, i, want)
		}
	})
}

// defineScoped makes the two kinds: one event-driven, one at a rate.
func defineScoped(srv *running) (*room.Kind[*scoped], *room.Kind[tickedScoped]) {
	var event *room.Kind[*scoped]
	var ticked *room.Kind[tickedScoped]
	event = room.Define("event", func(r *room.Room) *scoped {
		return &scoped{room: r, kind: event, srv: srv}
	}, room.Config{Capacity: perRoom})
	room.On(event, ask, (*scoped).Order)
	ticked = room.Define("ticked", func(r *room.Room) tickedScoped {
		return tickedScoped{&scoped{room: r, kind: ticked, srv: srv}}
	}, room.Config{Rate: 60, Capacity: perRoom})
	room.On(ticked, ask, func(g tickedScoped, c *room.Client, o order) { g.Order(c, o) })
	return event, ticked
}

func (r *running) adopt(other *running) { *r = *other }

// joinAll joins ten clients to each of two event-driven rooms and three ticking ones.
func joinAll(t *testing.T, srv *running) (all []*listener) {
	for i := range scopeRooms * perRoom {
		kind := "event"
		if i/perRoom >= 2 {
			kind = "ticked"
		}
		l := &listener{}
		c := srv.dial(t, []string{"ws", "tcp"}[i%2], nil)
		r, err := c.JoinOrCreate(within(t), kind, nil, func(r *client.Room) {
			client.On(r, heard, func(s shout, _ client.Meta) {
				l.mu.Lock()
				defer l.mu.Unlock()
				l.got = append(l.got, s)
			})
			r.OnVolley(func(m client.Meta) {
				l.mu.Lock()
				defer l.mu.Unlock()
				l.ticks = append(l.ticks, m.Tick)
			})
		})
		require.NoError(t, err)
		l.room = r
		all = append(all, l)
	}
	return all
}

// check waits until l has heard as much as it should, and then wants it to be exactly that.
func (l *listener) check(t *testing.T, i int, want map[string]int) {
	total := 0
	for _, n := range want {
		total += n
	}
	require.Eventually(t, func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.got) >= total
	}, 20*time.Second, 5*time.Millisecond, "client %d", i)
	time.Sleep(20 * time.Millisecond) // for what should not come
	l.mu.Lock()
	defer l.mu.Unlock()
	got, last, count := map[string]int{}, map[string]int{}, 0
	for _, s := range l.got {
		key := fmt.Sprint(s.Room, s.From, s.Scope)
		assert.Equal(t, last[key], s.Round, "client %d: the rounds of %s in order", i, key)
		last[key]++
		got[key]++
		if s.Room == l.room.ID() && s.Scope != "kind" && s.Scope != "server" {
			assert.Greater(t, s.Count, count, "client %d: what its room emits, in the order of emitting", i)
			count = s.Count
		}
	}
	assert.Equal(t, want, got, "client %d", i)
	for j := 1; j < len(l.ticks); j++ {
		assert.Greater(t, l.ticks[j], l.ticks[j-1], "client %d: one frame per tick", i)
	}
}
