package main

import (
	"math"
	"time"

	"github.com/volley-go/volley"
	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/socketio"
	"github.com/volley-go/volley/tick"
)

// Sources are what a Sampler looks at. Each may be left out.
type Sources struct {
	Server   func() volley.Stats   // such as srv.Stats
	SocketIO func() socketio.Stats // such as io.Stats
	Kinds    []Kind                // whose players and ticks are counted
	Process  func() Process        // nil: this process
}

// Kind is a *room.Kind of any game.
type Kind interface {
	Rooms() []room.Info
	Metrics() *tick.Metrics
}

// Sampler watches a server. Servers count from their beginning on; a Sampler says what that means now: what there is, how much a
// second, and how late ticks have been lately. It belongs to one goroutine at a time.
//
//	s := NewSampler(Sources{Server: srv.Stats, Kinds: []Kind{games}}, time.Now())
//	for now := range time.Tick(time.Second) {
//		f := s.Sample(now)
//		log.Printf("%v connections, ticks %v ms late", f.Connections, f.Late99)
//	}
type Sampler struct {
	src  Sources
	last reading
}

// reading is all counters at one moment.
type reading struct {
	at      time.Time
	server  volley.Stats
	io      socketio.Stats
	ticks   tick.Stats
	players int
	process Process
}

// NewSampler makes a Sampler whose first Sample is of the time from now on.
func NewSampler(src Sources, now time.Time) *Sampler {
	if src.Process == nil {
		src.Process = ReadProcess
	}
	s := &Sampler{src: src}
	s.last = s.read(now)
	return s
}

// Sample reads all counters.
func (s *Sampler) Sample(now time.Time) Figures {
	before := s.last
	s.last = s.read(now)
	after := &s.last
	seconds := now.Sub(before.at).Seconds()
	perSecond := func(after, before uint64) float64 {
		if seconds <= 0 {
			return math.NaN()
		}
		return float64(after-before) / seconds
	}
	ticks := after.ticks.Since(&before.ticks)
	net, was := &after.server.Net, &before.server.Net
	return Figures{
		At:          now,
		Connections: float64(net.Open),
		SocketIO:    float64(after.io.Sessions),
		Rooms:       float64(after.server.Rooms.Rooms),
		Players:     float64(after.players),
		Late50:      quantile(&ticks.Lateness, 0.5),
		Late99:      quantile(&ticks.Lateness, 0.99),
		Ran:         100 * float64(ticks.Steps) / float64(ticks.Steps+ticks.Skipped),
		FramesIn:    perSecond(net.MessagesIn, was.MessagesIn),
		FramesOut:   perSecond(net.MessagesOut, was.MessagesOut),
		BytesIn:     perSecond(net.BytesIn, was.BytesIn),
		BytesOut:    perSecond(net.BytesOut, was.BytesOut),
		Waiting:     float64(net.Buffered),
		Heap:        after.process.Heap / 1e6,
		RSS:         after.process.RSS / 1e6,
		Goroutines:  after.process.Goroutines,
		Pause:       1000 * longest(after.process.Pauses, before.process.Pauses),
		CPU:         share(after.process.CPU-before.process.CPU, seconds*after.process.Cores),
	}
}

// read reads all counters.
func (s *Sampler) read(now time.Time) reading {
	r := reading{at: now, process: s.src.Process()}
	if s.src.Server != nil {
		r.server = s.src.Server()
	}
	if s.src.SocketIO != nil {
		r.io = s.src.SocketIO()
	}
	for _, k := range s.src.Kinds {
		st := k.Metrics().Snapshot()
		r.ticks.Merge(&st)
		for _, info := range k.Rooms() {
			r.players += info.Clients
		}
	}
	return r
}

// quantile is one of a distribution in ms; NaN: nothing was measured.
func quantile(d *tick.Distribution, p float64) float64 {
	if d.Count() == 0 {
		return math.NaN()
	}
	return float64(d.Quantile(p)) / float64(time.Millisecond)
}

// share is a part of a whole, in %.
func share(part, whole float64) float64 {
	if whole <= 0 {
		return math.NaN()
	}
	return 100 * part / whole
}
