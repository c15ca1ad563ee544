// Package roomtest runs rooms for tests: with the true room code, on a virtual clock, without sockets and without sleeping.
//
//	bed := roomtest.New(t, pongKind)
//	ann := bed.Join("pong", nil)
//	roomtest.Emit(ann, move, Move{DY: 1})               // the events are the game's typed constants
//	ann.Ticks(60)                                       // sixty ticks, in microseconds
//	last := roomtest.Last(ann, state)
//
// A Bed and its players belong to the test's goroutine.
package roomtest

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/tick"
)

// Bed is a host on a virtual clock.
type Bed struct {
	Host *room.Host

	tb     testing.TB
	sched  *tick.Scheduler
	now    time.Duration
	panics bool // rooms may fail
}

// New hosts the kinds until the test ends.
func New(tb testing.TB, kinds ...room.AnyKind) *Bed {
	tb.Helper()
	b := &Bed{tb: tb}
	logger := slog.New(slog.NewTextHandler(tb.Output(), nil))
	b.sched = tick.New(tick.Config{Manual: true, Workers: 1, Clock: func() time.Duration { return b.now }, Logger: logger})
	b.Host = room.NewHost(room.HostConfig{Scheduler: b.sched, Logger: logger}, kinds...)
	tb.Cleanup(func() {
		b.sched.Close()
		if n := b.Host.Stats().Failed; n > 0 && !b.panics {
			tb.Errorf("%d rooms ended because a callback panicked; the log says where", n)
		}
	})
	return b
}

// AllowPanics says that rooms may fail. Without it the test fails if a callback has panicked.
func (b *Bed) AllowPanics() { b.panics = true }

// Now returns the virtual time since the bed began.
func (b *Bed) Now() time.Duration { return b.now }

// Run lets d of virtual time pass: every tick, timer and wake-up that falls into it runs, in order. Ticks sit in slots of a
// millisecond, so a given span may hold one more or less than its rate says; Player.Ticks counts.
func (b *Bed) Run(d time.Duration) {
	end := b.now + d
	for {
		next := b.sched.RunDue(b.now)
		if next > end {
			b.now = end
			return
		}
		b.now = max(b.now, next)
	}
}

// Settle lets what is waiting run without letting time pass.
func (b *Bed) Settle() { b.Run(0) }

// Close ends the host's rooms as a shutdown of the server does.
func (b *Bed) Close(why *codec.Error) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for range 10 { // a room that has much to do may not take the word at once
		if b.Host.Close(ctx, why) == nil {
			return
		}
		b.Run(2 * time.Second)
	}
	b.tb.Errorf("%d rooms did not close", b.Host.Stats().Rooms)
}

// Drain tells the rooms that the server is about to end, d from now, as a shutdown of the server does: those whose games have a
// hook Drain go on, without newcomers. Run lets them; Close ends them.
func (b *Bed) Drain(d time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = b.Host.Drain(ctx, time.Now().Add(d), nil) // it says how many go on
	b.Settle()
}

// Join joins or creates a room of the kind and runs it until the game has decided. It fails the test if the join is refused.
func (b *Bed) Join(kind string, options any) *Player {
	b.tb.Helper()
	p := b.TryJoin(codec.JoinOrCreate, kind, options, nil)
	if p.Left != nil {
		b.tb.Fatalf("join %s: %v", kind, p.Left)
	}
	return p
}

// TryJoin is Join in every form; if it is refused, the player's Left says why. user is what an authentication hook would
// have returned.
func (b *Bed) TryJoin(how codec.How, name string, options, user any) *Player {
	b.tb.Helper()
	p := b.Ask(how, name, options, user)
	for limit := 0; !p.Joined && p.Left == nil && limit < 4000; limit++ {
		b.Run(time.Millisecond)
	}
	return p
}

// Ask asks for a seat and returns before the game has decided.
func (b *Bed) Ask(how codec.How, name string, options, user any) *Player {
	b.tb.Helper()
	p := &Player{bed: b, names: b.Host.Names()}
	raw, err := codec.Marshal(options)
	if err != nil {
		b.tb.Fatalf("join options: %v", err)
	}
	c, refused := b.Host.Join(room.JoinRequest{How: how, Name: name, Options: raw, Link: link{p: p}, User: user})
	p.Client, p.Left = c, refused
	return p
}
