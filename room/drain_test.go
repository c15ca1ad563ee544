package room_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/room/roomtest"
	"github.com/volley-go/volley/tick"
)

// finale is a game that wants to play to its end.
type finale struct {
	room     *room.Room
	drained  []time.Duration // how long it was told to have left
	closed   bool
	ticks    int
	endAfter time.Duration // of the drain; 0: it does not end by itself
}

func (g *finale) Join(*room.Client) error { return nil }
func (g *finale) Leave(*room.Client)      {}
func (g *finale) Close()                  { g.closed = true }
func (g *finale) Drain(deadline time.Time) {
	g.drained = append(g.drained, deadline.Sub(g.room.Now()))
	room.Emit(g.room, hello, "last round")
	if g.endAfter > 0 {
		g.room.After(g.endAfter, func() {
			room.Emit(g.room, hello, "it is over")
			g.room.Close("the match is over")
		})
	}
}

type tickingFinale struct{ *finale }

func (g tickingFinale) Tick(tick.Tick) { g.ticks++ }

type abrupt struct{ room *room.Room }

func (g *abrupt) Join(*room.Client) error { return nil }
func (g *abrupt) Leave(*room.Client)      {}

const hello room.Event[string] = "hello"

// drainBed has a kind that ticks and one that runs on events, both of which want to finish, and one that does not care.
func drainBed(t *testing.T, endAfter time.Duration) (bed *roomtest.Bed, games *[]*finale) {
	games = &[]*finale{}
	newFinale := func(r *room.Room) *finale {
		g := &finale{room: r, endAfter: endAfter}
		*games = append(*games, g)
		return g
	}
	bed = roomtest.New(t,
		room.Define("ticking", func(r *room.Room) tickingFinale { return tickingFinale{newFinale(r)} }, room.Config{Rate: 20, EmptyFor: -1}),
		room.Define("events", newFinale, room.Config{EmptyFor: -1}),
		room.Define("abrupt", func(r *room.Room) *abrupt { return &abrupt{r} }, room.Config{}))
	return bed, games
}

// A game with the hook plays on until it closes its room; one without ends at once.
func TestDrainLetsGamesFinish(t *testing.T) {
	bed, games := drainBed(t, 3*time.Second)
	ticking, events, abrupt := bed.Join("ticking", nil), bed.Join("events", nil), bed.Join("abrupt", nil)
	bed.Run(second)
	bed.Drain(10 * time.Second)
	bed.Run(time.Second / 10)
	require.NotNil(t, abrupt.Left)
	assert.Equal(t, codec.RoomClosed, abrupt.Left.Code)
	for _, g := range *games {
		require.Len(t, g.drained, 1)
		assert.InDelta(t, 10, g.drained[0].Seconds(), 0.5)
		assert.False(t, g.closed)
	}
	for _, kind := range []string{"ticking", "events", "abrupt"} {
		late := bed.TryJoin(codec.JoinOrCreate, kind, nil, nil)
		require.NotNil(t, late.Left, "nobody new comes in")
		assert.Equal(t, codec.RoomClosed, late.Left.Code)
	}
	byID := bed.TryJoin(codec.JoinByID, ticking.Client.Room().ID(), nil, nil)
	require.NotNil(t, byID.Left)

	before := (*games)[0].ticks
	bed.Run(2 * second)
	assert.Nil(t, ticking.Left)
	assert.Nil(t, events.Left)
	assert.InDelta(t, 40, (*games)[0].ticks-before, 2, "it goes on ticking")
	bed.Drain(5 * time.Second) // told again, it need not be told
	bed.Run(2 * second)
	for i, p := range []*roomtest.Player{ticking, events} {
		require.NotNil(t, p.Left)
		assert.Equal(t, codec.RoomClosed, p.Left.Code)
		assert.Equal(t, "the match is over", p.Left.Reason)
		assert.Equal(t, []string{"last round", "it is over"}, roomtest.All(p, hello))
		assert.True(t, (*games)[i].closed)
		assert.Len(t, (*games)[i].drained, 1)
	}
	assert.Zero(t, bed.Host.Stats().Rooms)
}

// A draining room that everybody has left ends, whatever its kind says of empty rooms; and one that nobody is in.
func TestDrainEndsEmptyRooms(t *testing.T) {
	bed, games := drainBed(t, 0)
	p, q := bed.Join("ticking", nil), bed.Join("events", nil)
	gone := bed.TryJoin(codec.Create, "ticking", nil, nil)
	gone.Client.Leave(nil)
	bed.Run(second)
	require.Equal(t, 3, bed.Host.Stats().Rooms, "they stay when they are empty")
	bed.Drain(time.Minute)
	bed.Run(second)
	assert.Equal(t, 2, bed.Host.Stats().Rooms)
	p.Client.Leave(nil)
	bed.Run(second)
	assert.Equal(t, 1, bed.Host.Stats().Rooms)
	q.Client.Leave(nil)
	bed.Run(second)
	assert.Zero(t, bed.Host.Stats().Rooms)
	for _, g := range *games {
		assert.True(t, g.closed)
	}
}

// Drain returns when the last room has ended, by itself or at the deadline; without one it is a Close.
func TestDrainReturns(t *testing.T) {
	for _, c := range []struct {
		name               string
		endAfter, deadline time.Duration
		want               time.Duration
	}{
		{"the games end", 200 * time.Millisecond, 10 * time.Second, 200 * time.Millisecond},
		{"the deadline ends them", 0, 300 * time.Millisecond, 300 * time.Millisecond},
		{"no deadline", 0, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			sched := tick.New(tick.Config{Workers: 1})
			defer sched.Close()
			var games []*finale
			h := room.NewHost(room.HostConfig{Scheduler: sched}, room.Define("events", func(r *room.Room) *finale {
				g := &finale{room: r, endAfter: c.endAfter}
				games = append(games, g)
				return g
			}, room.Config{}))
			_, refused := h.Join(room.JoinRequest{Name: "events", Link: silent{}})
			require.Nil(t, refused)
			start := time.Now()
			deadline := time.Time{}
			if c.deadline > 0 {
				deadline = start.Add(c.deadline)
			}
			require.NoError(t, h.Drain(t.Context(), deadline, nil))
			assert.InDelta(t, c.want.Seconds(), time.Since(start).Seconds(), 0.15)
			require.Len(t, games, 1)
			assert.True(t, games[0].closed)
			assert.Equal(t, c.deadline > 0, len(games[0].drained) == 1)
		})
	}
}

// A callback that never returns is named by the error, and does not hold Drain up.
func TestDrainOfARoomThatHangs(t *testing.T) {
	sched := tick.New(tick.Config{Workers: 1})
	defer sched.Close()
	h := room.NewHost(room.HostConfig{Scheduler: sched}, room.Define("events", func(r *room.Room) *finale {
		return &finale{room: r}
	}, room.Config{Blocking: true}))
	c, refused := h.Join(room.JoinRequest{Name: "events", Link: silent{}})
	require.Nil(t, refused)
	release := make(chan struct{})
	c.Room().Post(func() { <-release })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	err := h.Drain(ctx, time.Now().Add(50*time.Millisecond), nil)
	assert.ErrorContains(t, err, "1 rooms did not end in time")
	close(release)
	require.NoError(t, h.Close(t.Context(), nil))
}

// What MaxRooms refuses is counted.
func TestRefusedRoomsAreCounted(t *testing.T) {
	sched := tick.New(tick.Config{Workers: 1})
	defer sched.Close()
	h := room.NewHost(room.HostConfig{Scheduler: sched, MaxRooms: 2, Requests: 7}, room.Define("events", func(r *room.Room) *finale {
		return &finale{room: r}
	}, room.Config{}))
	for i := range 5 {
		_, refused := h.Join(room.JoinRequest{How: codec.Create, Name: "events", Link: silent{}})
		if i < 2 {
			require.Nil(t, refused)
		} else {
			assert.Equal(t, codec.TooManyRooms, refused.Code)
		}
	}
	assert.Equal(t, uint64(3), h.Stats().Refused)
	assert.Equal(t, 7, h.Requests())
	require.NoError(t, h.Close(t.Context(), nil))
}
