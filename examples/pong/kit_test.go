package main

import (
	"math"
	"testing"
	"time"

	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/room/roomtest"
)

// bench is one room of the game on a virtual clock, with a look inside.
type bench struct {
	*roomtest.Bed
	t    *testing.T
	game *pong // of the room made last
}

func newBench(t *testing.T, seed uint64) *bench {
	b := &bench{t: t}
	b.Bed = roomtest.New(t, newKind(func(r *room.Room) *pong {
		b.game = newPong(r)
		return b.game
	}, seed))
	return b
}

// join lets somebody in, by name.
func (b *bench) join(name string) *roomtest.Player {
	b.t.Helper()
	return b.Join("pong", Options{Name: name})
}

// step lets one tick run. Ticks do not come in even steps: the scheduler rounds their times up to its own slots.
func (b *bench) step() {
	for r, before := b.game.room, b.game.room.Tick(); r.Tick() == before; {
		b.Run(time.Millisecond)
	}
}

// steps lets n ticks run, and calls each after every one of them.
func (b *bench) steps(n int, each func()) {
	b.t.Helper()
	for range n {
		b.step()
		each()
	}
}

// until lets ticks run until done says so, for at most limit of the game's time.
func (b *bench) until(limit time.Duration, what string, done func() bool) {
	b.t.Helper()
	for end := b.Now() + limit; !done(); {
		if b.Now() > end {
			b.t.Fatalf("%s: not within %v", what, limit)
		}
		b.step()
	}
}

// seatOf is the newest seat that p was given.
func seatOf(p *roomtest.Player) int { return roomtest.Last[int](p, "seated") }

func tableOf(p *roomtest.Player) Table { return roomtest.Last[Table](p, "table") }

func stateOf(p *roomtest.Player) State {
	for i := len(p.Frames) - 1; i >= 0; i-- {
		for _, packet := range p.Frames[i].Packets {
			if packet.Event == "state" {
				return roomtest.Decode[State](p, packet.Payload)
			}
		}
	}
	return State{}
}

// fair fails the test if anything is where it cannot be.
func (b *bench) fair() {
	b.t.Helper()
	g := b.game
	inside := func(what string, v, low, high float32) {
		if !(v >= low && v <= high) {
			b.t.Fatalf("tick %d: %s is %v; it must be from %v to %v", g.room.Tick(), what, v, low, high)
		}
	}
	inside("the ball's x", g.X, 0, width)
	inside("the ball's y", g.Y, radius, height-radius)
	inside("the ball's speed along the court", float32(math.Abs(float64(g.vx))), firstSpeed, fastest)
	inside("the ball's speed across it", float32(math.Abs(float64(g.vy))), 0, 0.8*fastest)
	for _, y := range g.Paddles {
		inside("a paddle's y", y, reach, height-reach)
	}
	inside("the score", float32(max(g.table.Score[0], g.table.Score[1])), 0, goals)
}
