package room_test

import (
	"testing"

	"github.com/volley-go/volley/room"
)

// BenchmarkStep is one tick of a small game: 8 clients, an input from each, one state of 200 bytes for all.
func BenchmarkStep(b *testing.B) {
	p := newPit(b, 20, 8)
	b.ReportAllocs()
	for b.Loop() {
		p.input()
		p.step()
	}
	b.ReportMetric(float64(p.links[0].bytes)/float64(p.links[0].frames), "B/frame")
}

// BenchmarkFlush1000 is one tick that tells 1,000 clients the same.
func BenchmarkFlush1000(b *testing.B) {
	p := newPit(b, 20, 1000)
	b.ReportAllocs()
	for b.Loop() {
		p.step()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/client")
}

// BenchmarkViews1000 is one tick that tells each of 1,000 clients something of its own.
func BenchmarkViews1000(b *testing.B) {
	p := newPit(b, 20, 1000)
	r := p.room
	b.ReportAllocs()
	for b.Loop() {
		r.Post(func() {
			for _, c := range r.Clients() {
				room.Emit(c, state, 1)
			}
		})
		p.step()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/client")
}

// BenchmarkInput is one packet from its frame into a handler, which costs a part of a tick.
func BenchmarkInput(b *testing.B) {
	p := newPit(b, 20, 1)
	b.ReportAllocs()
	for b.Loop() {
		p.input()
		if p.seq%64 == 0 {
			p.step()
		}
	}
}

// BenchmarkEventDriven is one packet from its frame through an event-driven room to 8 clients.
func BenchmarkEventDriven(b *testing.B) {
	p := newPit(b, 0, 8)
	p.game.emits = func(g *arena, c *room.Client) { room.Emit(g.room, state, 1) }
	all := p.clients
	b.ReportAllocs()
	for b.Loop() {
		p.clients = all[:1]
		p.input()
	}
}
