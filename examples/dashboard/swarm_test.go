package main

import (
	"math"
	"testing"
	"time"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room/roomtest"
)

// newSwarmBed has one room, and how to come in.
func newSwarmBed(t *testing.T) (*roomtest.Bed, func(g Guest) *roomtest.Player) {
	kind := newSwarms()
	bed := roomtest.New(t, kind)
	r, err := kind.Create(nil)
	if err != nil {
		t.Fatal(err)
	}
	return bed, func(g Guest) *roomtest.Player {
		t.Helper()
		p := bed.TryJoin(codec.JoinByID, r.ID(), g, nil)
		if p.Left != nil {
			t.Fatal(p.Left)
		}
		return p
	}
}

func TestDotsFlyWithinTheField(t *testing.T) {
	bed, join := newSwarmBed(t)
	for range 5 {
		join(Guest{})
	}
	watcher := join(Guest{Watch: true})
	bed.Run(3 * time.Minute)
	all := roomtest.All(watcher, dots)
	if n := len(all); n < 3*60*swarmRate-2 || n > 3*60*swarmRate+2 {
		t.Errorf("%d states in three minutes", n)
	}
	for i, list := range all {
		if len(list) != 5 {
			t.Fatalf("state %d has %d dots; who watches has none", i, len(list))
		}
		for j, d := range list {
			if !(d.X >= 0 && d.X <= field && d.Y >= 0 && d.Y <= field) {
				t.Fatalf("a dot is at %v", d)
			}
			if i == 0 {
				continue
			}
			was := all[i-1][j]
			if way := math.Hypot(float64(d.X-was.X), float64(d.Y-was.Y)); way > 1.01*dotSpeed/swarmRate {
				t.Fatalf("a dot went %v in one tick", way)
			}
		}
	}
}

func TestABotSteers(t *testing.T) {
	bed, join := newSwarmBed(t)
	p := join(Guest{})
	roomtest.Emit(p, steer, float32(0)) // to the right, until the wall throws it back
	bed.Run(2 * time.Second)
	right := roomtest.All(p, dots)
	roomtest.Emit(p, steer, float32(math.Pi/2))
	bed.Run(20 * time.Second)
	p.Forget()
	roomtest.Emit(p, steer, float32(-math.Pi/2))
	bed.Run(3 * time.Second)
	up := roomtest.All(p, dots)
	if len(right) == 0 || len(up) == 0 || up[len(up)-1][0].Y >= field-1 {
		t.Errorf("steered up for three seconds the dot is at %v", up[len(up)-1])
	}
}

func TestARoomWithoutBotsIsOver(t *testing.T) {
	bed, join := newSwarmBed(t)
	a, b, watcher := join(Guest{}), join(Guest{}), join(Guest{Watch: true})
	a.Leave()
	bed.Run(time.Second)
	if watcher.Left != nil {
		t.Fatal("it is over, with a bot in it")
	}
	b.Leave()
	bed.Run(time.Second)
	if watcher.Left == nil || bed.Host.Stats().Rooms != 0 {
		t.Errorf("who watched left: %v; %d rooms", watcher.Left, bed.Host.Stats().Rooms)
	}

	bed, _ = newSwarmBed(t)
	bed.Run(20 * time.Second)
	if n := bed.Host.Stats().Rooms; n != 1 {
		t.Errorf("%d rooms wait for bots", n)
	}
	bed.Run(20 * time.Second)
	if n := bed.Host.Stats().Rooms; n != 0 {
		t.Errorf("%d rooms wait for bots for ever", n)
	}
}
