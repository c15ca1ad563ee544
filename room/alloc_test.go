//go:build !race

// The race detector makes sync.Pool forget things at random, so that allocations cannot be counted under it.

package room_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/tick"
)

func TestTickAllocatesNothing(t *testing.T) {
	for _, c := range []struct {
		name    string
		clients int
		emits   func(g *arena, c *room.Client)
	}{
		{"input and the state for the room", 8, nil},
		{"emit to self", 8, func(g *arena, c *room.Client) { room.Emit(c, arenaStates, g.arenaState) }},
		{"emit to the others", 8, func(g *arena, c *room.Client) { room.Emit(c.Others(), arenaStates, g.arenaState) }},
		{"latest", 8, func(g *arena, c *room.Client) { room.EmitLatest(g.room, arenaStates, 1, g.arenaState) }},
		{"latest in mixed scopes", 8, func(g *arena, c *room.Client) {
			room.EmitLatest(g.room, arenaStates, 1, g.arenaState)
			room.EmitLatest(c, arenaStates, 1, g.arenaState)
		}},
		{"100 clients", 100, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPit(t, 20, c.clients)
			p.game.emits = c.emits
			tickOnce := func() { p.input(); p.step() }
			for range 100 {
				tickOnce() // the buffers grow to their size
			}
			before := p.links[0].frames
			require.Zero(t, testing.AllocsPerRun(200, tickOnce))
			require.Equal(t, 201, p.links[0].frames-before, "a frame a tick")
		})
	}
}

func TestSlowClientAllocatesNothing(t *testing.T) {
	p := newPit(t, 20, 8)
	round := func() {
		p.links[3].pending = 1
		for range 5 {
			p.input()
			p.step()
		}
		p.links[3].pending = 0
		p.step()
	}
	for range 100 {
		round()
	}
	require.Zero(t, testing.AllocsPerRun(50, round))
}

func TestEventDrivenInputAllocatesNothing(t *testing.T) {
	for _, clients := range []int{8, 100} {
		t.Run(fmt.Sprint(clients), func(t *testing.T) {
			p := newPit(t, 0, clients)
			p.game.emits = func(g *arena, c *room.Client) { room.Emit(c.Others(), arenaStates, g.arenaState) }
			for range 20 {
				p.input()
			}
			before := p.links[0].frames
			require.Zero(t, testing.AllocsPerRun(20, p.input))
			require.Equal(t, 21*(clients-1), p.links[0].frames-before)
		})
	}
}

// lobby is an event-driven game that keeps nothing.
type lobby struct{ room *room.Room }

func (*lobby) Join(*room.Client) error { return nil }
func (*lobby) Leave(*room.Client)      {}

func TestIdleRoomIsSmall(t *testing.T) {
	const rooms, clients, limit = 2000, 10, 3 << 10
	sched := tick.New(tick.Config{Manual: true})
	defer sched.Close()
	k := room.Define("lobby", func(r *room.Room) *lobby { return &lobby{r} }, room.Config{Capacity: clients})
	room.On(k, arenaMoves, func(g *lobby, c *room.Client, m arenaMove) { room.Emit(g.room, "moved", m) })
	h := room.NewHost(room.HostConfig{Scheduler: sched}, k)
	all := make([]*room.Client, 0, rooms*clients)
	var link silent
	before := heap()
	for range rooms * clients {
		c, refused := h.Join(room.JoinRequest{Name: "lobby", Link: link})
		require.Nil(t, refused)
		all = append(all, c)
	}
	sched.RunDue(0)
	fresh := float64(heap()-before) / rooms
	for _, c := range all {
		require.NoError(t, c.Receive(1, 0, packetOf("move", arenaMove{Seq: 1})))
	}
	sched.RunDue(second)
	kept := float64(heap()-before) / rooms
	for _, c := range all {
		require.NoError(t, c.Receive(2, c.Room().Tick(), nil))
	}
	for now := second; now < 20*second; now += second / 4 {
		sched.RunDue(now)
	}
	used := float64(heap()-before) / rooms
	t.Logf("an idle room with %d clients: %.0f bytes at first, %.0f after each client sent one event, %.0f when all have acknowledged",
		clients, fresh, kept, used)
	require.Less(t, used, float64(limit))
	runtime.KeepAlive(all)
	require.Equal(t, rooms, h.Stats().Rooms)
}

func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
