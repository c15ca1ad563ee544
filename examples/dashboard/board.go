package main

import (
	"runtime"
	"slices"
	"time"

	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/tick"
)

// board is the room of those who watch: twice a second it samples the server, and tells what has changed. It goes on when nobody
// watches, for those who come later.
type board struct {
	room    *room.Room
	sampler *Sampler
	show    *show
	started time.Time
	memory  memory
	values  map[string]*float64 // as they were told
	counts  []Count             // as they were told
	demo    Demo                // as it was told
	at      time.Time           // of the last sample; zero: there is none
	keys    map[countKey]uint64
}

// countKey is which counter a Count is of.
type countKey struct{ what, name string }

// show is what the board can do beside watching.
type show struct {
	ask     func(Ask)
	demo    func() Demo
	disturb func(what string)
}

// newBoards makes the kind of boards.
func newBoards(newBoard func(*room.Room) *board) *room.Kind[*board] {
	kind := room.Define("dashboard", newBoard, room.Config{
		Rate:          boardRate,
		ServerCreates: true,
		EmptyFor:      -1,
		Log:           1 << 20, // a newcomer's history should push nobody off
	})
	room.On(kind, ask, (*board).Ask)
	room.On(kind, disturb, (*board).Disturb)
	return kind
}

func newBoard(r *room.Room, s *Sampler, show *show) *board {
	return &board{
		room: r, sampler: s, show: show, started: r.Now(), memory: memory{span: span.Milliseconds()},
		values: map[string]*float64{}, keys: map[countKey]uint64{}, demo: show.demo(),
	}
}

// Join tells a newcomer what has been.
func (b *board) Join(c *room.Client) error {
	b.Resync(c)
	return nil
}

// Leave has nothing to do.
func (b *board) Leave(*room.Client) {}

// Resync tells everything: to newcomers, and to those who were away, or slow, for longer than the room remembers.
func (b *board) Resync(c *room.Client) {
	room.Emit(c, history, History{
		Period: (time.Second / boardRate).Milliseconds(), Span: b.memory.span, Started: b.started.UnixMilli(),
		Go: runtime.Version(), Cores: runtime.GOMAXPROCS(0), Changes: b.memory.changes,
	})
	for _, n := range b.counts {
		room.EmitLatest(c, count, b.key(n), n)
	}
	room.EmitLatest(c, demo, 0, b.demo)
}

// Tick takes a sample and tells what is new in it.
func (b *board) Tick(t tick.Tick) {
	f := b.sampler.Sample(b.room.Now().Add(t.Late))
	if b.at.IsZero() { // ticks are a period apart, but this one is not that far from the beginning
		b.at = f.At
		return
	}
	if values := b.changed(&f); len(values) > 0 {
		c := Change{At: f.At.UnixMilli(), Since: b.at.UnixMilli(), Values: values}
		b.memory.add(c)
		room.Emit(b.room, change, c)
	}
	b.at = f.At
	counts := b.sampler.Counts()
	for _, n := range counts {
		if !slices.Contains(b.counts, n) {
			room.EmitLatest(b.room, count, b.key(n), n)
		}
	}
	b.counts = counts
	b.tellDemo()
}

// changed returns the values that are not what was told last.
func (b *board) changed(f *Figures) map[string]*float64 {
	values := map[string]*float64{}
	for i := range figures {
		g := &figures[i]
		v := g.told(f)
		if was, known := b.values[g.name]; !known || !same(v, was) {
			values[g.name], b.values[g.name] = v, v
		}
	}
	return values
}

func same(a, b *float64) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// key is the number under which a counter is told: of each number only the newest value counts.
func (b *board) key(n Count) uint64 {
	k := countKey{n.What, n.Name}
	if _, known := b.keys[k]; !known {
		b.keys[k] = uint64(len(b.keys))
	}
	return b.keys[k]
}

// tellDemo tells everyone of the demo, if it is another.
func (b *board) tellDemo() {
	if d := b.show.demo(); d != b.demo {
		b.demo = d
		room.EmitLatest(b.room, demo, 0, d)
	}
}

// Ask changes how much of the demo there is, for everyone.
func (b *board) Ask(_ *room.Client, a Ask) {
	b.show.ask(a)
	b.tellDemo()
}

// Disturb makes something go wrong.
func (b *board) Disturb(_ *room.Client, what string) { b.show.disturb(what) }
