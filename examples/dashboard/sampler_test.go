package main

import (
	"maps"
	"math"
	"runtime"
	"runtime/metrics"
	"slices"
	"testing"
	"time"

	"github.com/volley-go/volley"
	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/netio"
	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/socketio"
	"github.com/volley-go/volley/tick"
)

// lab is a server that a test makes up.
type lab struct {
	server  volley.Stats
	io      socketio.Stats
	process Process
	players []int // in each room

	now     time.Duration
	sched   *tick.Scheduler
	metrics tick.Metrics
}

func (l *lab) Rooms() (infos []room.Info) {
	for _, n := range l.players {
		infos = append(infos, room.Info{Clients: n})
	}
	return infos
}
func (l *lab) Metrics() *tick.Metrics { return &l.metrics }
func (l *lab) Step(tick.Tick)         {}
func (l *lab) Name() string           { return "lab" }

func newLab(t *testing.T) *lab {
	l := &lab{}
	l.sched = tick.New(tick.Config{Manual: true, Workers: 1, Clock: func() time.Duration { return l.now }})
	t.Cleanup(l.sched.Close)
	return l
}

func (l *lab) sources() Sources {
	return Sources{
		Server:   func() volley.Stats { return l.server },
		SocketIO: func() socketio.Stats { return l.io },
		Kinds:    []Kind{l},
		Process:  func() Process { return l.process },
	}
}

// sampler begins to watch at a moment from which after is counted.
func (l *lab) sampler() (s *Sampler, after func(time.Duration) time.Time) {
	begin := time.UnixMilli(1_000_000)
	return NewSampler(l.sources(), begin), begin.Add
}

// pauses is a histogram of the collector's pauses with bounds of 1, 2, 4 ms and more.
func pauses(counts ...uint64) *metrics.Float64Histogram {
	return &metrics.Float64Histogram{Counts: counts, Buckets: []float64{0, 0.001, 0.002, 0.004, math.Inf(1)}}
}

func TestSamplerSaysWhatCameSince(t *testing.T) {
	l := newLab(t)
	l.server.Net = netio.Stats{Open: 3, MessagesIn: 1000, MessagesOut: 5000, BytesIn: 1 << 20, BytesOut: 1 << 30}
	l.process = Process{CPU: 100, Cores: 2, Pauses: pauses(9, 9, 9, 9)}
	s, after := l.sampler()

	l.server.Net = netio.Stats{Open: 7, Buffered: 99, MessagesIn: 1050, MessagesOut: 5500, BytesIn: 1<<20 + 2000, BytesOut: 1<<30 + 8000}
	l.server.Rooms.Rooms = 4
	l.io.Sessions = 2
	l.players = []int{5, 0, 6}
	l.process = Process{Heap: 12.5e6, RSS: 40e6, Goroutines: 33, CPU: 100.4, Cores: 2, Pauses: pauses(10, 11, 9, 9)}
	got := s.Sample(after(500 * time.Millisecond))
	want := Figures{
		At: after(500 * time.Millisecond), Connections: 7, SocketIO: 2, Rooms: 4, Players: 11,
		FramesIn: 100, FramesOut: 1000, BytesIn: 4000, BytesOut: 16000, Waiting: 99,
		Heap: 12.5, RSS: 40, Goroutines: 33, Pause: 2, CPU: 40,
	}
	compare(t, got, want, "late50", "late99", "ran")

	got = s.Sample(after(1500 * time.Millisecond)) // nothing has happened
	want.At = after(1500 * time.Millisecond)
	want.FramesIn, want.FramesOut, want.BytesIn, want.BytesOut, want.Pause, want.CPU = 0, 0, 0, 0, 0, 0
	compare(t, got, want, "late50", "late99", "ran")

	got = s.Sample(after(1500 * time.Millisecond)) // no time has passed: nothing can be said of rates
	compare(t, got, want, "late50", "late99", "ran", "framesIn", "framesOut", "bytesIn", "bytesOut", "cpu")
}

// compare compares figures but for those that are named, which must not be known.
func compare(t *testing.T, got, want Figures, unknown ...string) {
	t.Helper()
	for i := range figures {
		g := &figures[i]
		v := g.of(&got)
		switch {
		case slices.Contains(unknown, g.name):
			if !math.IsNaN(v) || g.told(&got) != nil {
				t.Errorf("%s is %v; it cannot be known", g.name, v)
			}
		case math.Abs(v-g.of(&want)) > 1e-6 || math.IsNaN(v):
			t.Errorf("%s is %v; want %v", g.name, v, g.of(&want))
		}
	}
	if !got.At.Equal(want.At) {
		t.Errorf("it is of %v; want %v", got.At, want.At)
	}
}

func TestSamplerWatchesTicks(t *testing.T) {
	l := newLab(t)
	l.sched.Add(l, 20, tick.Skip, &l.metrics)
	s, after := l.sampler()
	// run lets the ticks of a second run, each as late as it is told.
	run := func(late time.Duration) {
		for end := l.now + time.Second; l.now < end; {
			due := l.sched.RunDue(l.now)
			if due <= l.now {
				t.Fatal("a tick is due that did not run")
			}
			l.now = due + late
		}
		l.sched.RunDue(l.now)
	}
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 0.15*want {
			t.Errorf("%s is %v; want about %v", what, got, want)
		}
	}
	run(0)
	f := s.Sample(after(time.Second))
	if f.Late99 > 2 { // ticks sit in slots
		t.Errorf("in a good second ticks are %v ms late", f.Late99)
	}
	near("ticks run", f.Ran, 100)

	run(30 * time.Millisecond)
	f = s.Sample(after(2 * time.Second))
	near("lateness", f.Late50, 30)
	near("ticks run", f.Ran, 100)

	run(75 * time.Millisecond) // of two ticks one is left out
	f = s.Sample(after(3 * time.Second))
	near("ticks run", f.Ran, 50)

	run(0)
	f = s.Sample(after(4 * time.Second))
	if f.Late99 > 2 || f.Ran < 95 {
		t.Errorf("in a good second ticks are %v ms late and %v %% of them run: the bad one is not over", f.Late99, f.Ran)
	}
}

func TestSamplerWithoutSources(t *testing.T) {
	s := NewSampler(Sources{}, time.Now())
	f := s.Sample(time.Now().Add(time.Second))
	if f.Connections != 0 || f.Rooms != 0 || f.FramesIn != 0 || !math.IsNaN(f.Late99) || !math.IsNaN(f.Ran) {
		t.Errorf("it says %+v", f)
	}
	if f.Goroutines < 1 || f.Heap <= 0 {
		t.Errorf("of this process it says %+v", f)
	}
	if len(s.Counts()) != 0 {
		t.Errorf("it counts %v", s.Counts())
	}
}

func TestCounts(t *testing.T) {
	l := newLab(t)
	s, after := l.sampler()
	l.server.Net = netio.Stats{
		Closed: map[codec.Code]uint64{codec.Normal: 4, codec.RateLimited: 2}, Lost: 3,
		Refused: 10, Rejected: 5, Full: 1, Crowded: 2, Hasty: 3,
	}
	l.server.Rooms = room.HostStats{Rooms: 7, Away: 1, Bad: 1, Resumed: 6}
	l.server.HastyJoins = 8
	l.io = socketio.Stats{Sessions: 9, Opened: 100, Refused: 12}
	s.Sample(after(time.Second))
	want := []Count{
		{"connection closed", "normal", 1000, 4},
		{"connection closed", "rate-limited", 4006, 2},
		{"connection closed", "without a word", 0, 3},
		{"connection refused", "the server is full", 1013, 1},
		{"connection refused", "too many of one address", 4006, 2},
		{"connection refused", "too fast from one address", 4006, 3},
		{"connection refused", "failed handshake", 0, 9},
		{"join refused", "too fast", 4006, 8},
		{"player closed", "bad-payload", 4004, 1},
		{"player back", "as if nothing had happened", 0, 6},
		{"Socket.IO", "socket refused", 0, 12},
	}
	if got := s.Counts(); !slices.Equal(got, want) {
		t.Errorf("it counts %v\nwant %v", got, want)
	}

	// Counters are not read at one moment: what they add up to must not be less than nothing.
	l.server.Net = netio.Stats{Refused: 1, Full: 2}
	s.Sample(after(2 * time.Second))
	for _, n := range s.Counts() {
		if n.N > 1000 {
			t.Errorf("it counts %v", n)
		}
	}
}

func TestToldFigures(t *testing.T) {
	for _, c := range []struct {
		what     string
		decimals int
		v        float64
		want     float64 // NaN: nothing
	}{
		{"whole", 0, 12.5, 13},
		{"one decimal", 1, 0.26, 0.3},
		{"too little to tell", 1, 0.04, 0},
		{"unknown", 2, math.NaN(), math.NaN()},
		{"without end", 2, math.Inf(1), math.NaN()},
	} {
		g := figure{"", c.decimals, func(*Figures) float64 { return c.v }}
		got := g.told(nil)
		if (got == nil) != math.IsNaN(c.want) || (got != nil && *got != c.want) {
			t.Errorf("%s: it tells %v; want %v", c.what, got, c.want)
		}
	}
	names := map[string]bool{}
	for _, g := range figures {
		names[g.name] = true
	}
	if len(names) != len(figures) {
		t.Errorf("names are not unique: %v", slices.Sorted(maps.Keys(names)))
	}
}

func TestReadProcess(t *testing.T) {
	before := ReadProcess()
	held := make([]byte, 1<<20)
	for end := time.Now().Add(20 * time.Millisecond); time.Now().Before(end); {
		held[0]++
	}
	after := ReadProcess()
	runtime.KeepAlive(held)
	if after.Heap < 1<<20 || after.Goroutines < 2 || after.Cores < 1 || after.Pauses == nil {
		t.Errorf("this process has %+v", after)
	}
	if rss() == rss() && (after.RSS < 1e6 || after.CPU <= before.CPU) { // where the system says so
		t.Errorf("this process uses %v bytes; it had %v s of CPU, and has %v", after.RSS, before.CPU, after.CPU)
	}
}

func TestLongestPause(t *testing.T) {
	for _, c := range []struct {
		what        string
		now, before *metrics.Float64Histogram
		want        float64
	}{
		{"none", pauses(1, 1, 1, 1), pauses(1, 1, 1, 1), 0},
		{"a short one", pauses(2, 1, 1, 1), pauses(1, 1, 1, 1), 0.001},
		{"several", pauses(2, 5, 2, 1), pauses(1, 1, 1, 1), 0.004},
		{"beyond all bounds", pauses(1, 1, 1, 2), pauses(1, 1, 1, 1), 0.004},
		{"unknown", nil, nil, math.NaN()},
	} {
		if got := longest(c.now, c.before); got != c.want && !(math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("%s: %v; want %v", c.what, got, c.want)
		}
	}
}
