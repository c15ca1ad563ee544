package room_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/tick"
)

// beat is a game that counts its ticks.
type beat struct {
	room    *room.Room
	ran     int
	skipped int
	last    tick.Tick
	bad     bool
}

func (*beat) Join(*room.Client) error { return nil }
func (*beat) Leave(*room.Client)      {}
func (g *beat) Tick(t tick.Tick) {
	g.bad = g.bad || t.N != g.last.N+uint64(t.Skipped)+1 || t.Now+t.Late < t.Now
	g.ran, g.skipped, g.last = g.ran+1, g.skipped+t.Skipped, t
	room.Emit(g.room, state, g.ran)
}

// TestTenThousandRoomsTickOnTheGrid runs them on a clock that moves in jumps of every size: each room runs or skips exactly
// the ticks that lie behind it, and each client gets a frame for each tick that ran.
func TestTenThousandRoomsTickOnTheGrid(t *testing.T) {
	const count, rate = 10_000, 20
	seed := uint64(time.Now().UnixNano())
	rng := rand.New(rand.NewPCG(seed, 1))
	sched := tick.New(tick.Config{Manual: true})
	defer sched.Close()
	var games []*beat
	k := room.Define("beat", func(r *room.Room) *beat {
		g := &beat{room: r}
		games = append(games, g)
		return g
	}, room.Config{Rate: rate})
	h := room.NewHost(room.HostConfig{Scheduler: sched}, k)
	began := map[*room.Room]time.Duration{}
	links := map[*room.Room]*counter{}
	now := time.Duration(0)
	// A jump is shorter than a step at first, so that nobody skips; later some are longer.
	jump := func(most time.Duration) {
		now += time.Duration(rng.Int64N(int64(most)))
		sched.RunDue(now)
	}
	for len(began) < count {
		for range rng.IntN(200) {
			l := &counter{}
			c, refused := h.Join(room.JoinRequest{How: codec.Create, Name: "beat", Link: l})
			require.Nil(t, refused)
			began[c.Room()], links[c.Room()] = now, l
		}
		jump(3 * ms)
	}
	check := func(skips bool) {
		require.Len(t, games, len(began))
		for _, g := range games {
			age := now - began[g.room]
			ticks := float64(age) * rate / float64(second)
			require.False(t, g.bad, "seed %d: a number is missing", seed)
			require.InDelta(t, ticks, g.ran+g.skipped, 1.05, "seed %d: ticks of a room that is %v old", seed, age)
			require.Equal(t, uint64(g.ran+g.skipped), g.last.N)
			require.Equal(t, g.ran, links[g.room].frames, "seed %d: frames", seed)
			if !skips {
				require.Zero(t, g.skipped, "seed %d", seed)
			}
		}
	}
	jump(50 * ms)
	jump(50 * ms)
	for range 50 {
		jump(40 * ms)
	}
	check(false)
	for range 30 {
		jump(300 * ms)
	}
	check(true)
	for range 20 {
		jump(ms)
	}
	check(true)
}
