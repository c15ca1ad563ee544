package main

import (
	"time"

	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/tick"
)

// pub is the game of a soak: people come and go. Each membership has numbers of its own.
type pub struct {
	room   *room.Room
	soak   *soak
	guests map[*room.Client]*guest
}

// guest is what a pub knows of one.
type guest struct {
	heard int // the guest's last number; 0: none yet
	told  int // the last number that the guest was told
}

const (
	hear room.Event[int] = "hear" // guest → pub: numbers, from any on
	pour room.Event[int] = "pour" // pub → guest: numbers
	mood room.Event[int] = "mood" // pub → everyone, only the newest counts
)

// Join lets everybody in.
func (p *pub) Join(c *room.Client) error {
	p.guests[c] = &guest{}
	return nil
}

// Leave forgets the guest.
func (p *pub) Leave(c *room.Client) { delete(p.guests, c) }

// Hear checks a number.
func (p *pub) Hear(c *room.Client, n int) {
	g := p.guests[c]
	if g.heard != 0 && n != g.heard+1 {
		p.soak.note("a pub heard %d after %d", n, g.heard)
	}
	g.heard = n
	p.soak.heard.Add(1)
	if p.room.Rate() == 0 {
		p.pour(c, g)
	}
}

func (p *pub) pour(c *room.Client, g *guest) {
	g.told++
	room.Emit(c, pour, g.told)
}

// bar is a pub with ticks.
type bar struct{ *pub }

// Tick pours for everyone.
func (b bar) Tick(now tick.Tick) {
	for c, g := range b.guests {
		b.pour(c, g)
	}
	room.EmitLatest(b.room, mood, 0, int(now.N))
}

// cafe is a bar with a short memory: who was away for long begins afresh.
type cafe struct{ bar }

// Resync has nothing to tell: the next number is as good as any.
func (c cafe) Resync(*room.Client) {}

// pubGrace is short, so that those who vanish are gone soon.
const pubGrace = 3 * time.Second

// pubNames are the kinds of a soak.
var pubNames = [...]string{"pub", "bar", "cafe"}

func (s *soak) kinds() []room.AnyKind {
	open := func(at *room.Room) *pub { return &pub{room: at, soak: s, guests: map[*room.Client]*guest{}} }
	cfg := room.Config{Capacity: 10, Grace: pubGrace}
	ticks := cfg
	ticks.Rate = 20
	short := ticks
	short.Log = 200
	return []room.AnyKind{
		heeded(room.Define(pubNames[0], open, cfg)),
		heeded(room.Define(pubNames[1], func(at *room.Room) bar { return bar{open(at)} }, ticks)),
		heeded(room.Define(pubNames[2], func(at *room.Room) cafe { return cafe{bar{open(at)}} }, short)),
	}
}

func heeded[G interface {
	room.Game
	Hear(c *room.Client, n int)
}](k *room.Kind[G]) *room.Kind[G] {
	room.On(k, hear, func(g G, c *room.Client, n int) { g.Hear(c, n) })
	return k
}
