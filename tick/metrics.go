package tick

import (
	"sync"
	"sync/atomic"
	"time"
)

// Metrics measures the tasks that share it, usually those of one kind of room.
// The zero value is ready; it must not be copied. Each shard writes to a stripe
// of its own, so that workers do not fight over cache lines.
type Metrics struct {
	mu      sync.Mutex
	stripes []*stripe // by shard; nil where no task of that shard uses it
}

// stripe is one shard's part of a Metrics. Any goroutine may use it.
type stripe struct {
	lateness, duration                 Histogram
	overruns, skipped, blocked, panics atomic.Uint64
}

// stripe is the part for shard i. A nil Metrics has none.
func (m *Metrics) stripe(i int) *stripe {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.stripes) <= i {
		m.stripes = append(m.stripes, nil)
	}
	if m.stripes[i] == nil {
		m.stripes[i] = new(stripe)
	}
	return m.stripes[i]
}

// record counts one step. A stripe may be nil, here and below.
func (s *stripe) record(t Tick, took time.Duration) {
	if s == nil {
		return
	}
	s.lateness.Record(t.Late)
	s.duration.Record(took)
	if t.Dt > 0 && took > t.Dt {
		s.overruns.Add(1)
	}
}

func (s *stripe) addSkipped(n int) {
	if s != nil && n > 0 {
		s.skipped.Add(uint64(n))
	}
}

func (s *stripe) addBlocked() {
	if s != nil {
		s.blocked.Add(1)
	}
}

func (s *stripe) addPanic() {
	if s != nil {
		s.panics.Add(1)
	}
}

// Stats is what a Metrics has counted up to one moment.
type Stats struct {
	Steps    uint64 // steps that have ended
	Overruns uint64 // steps that took longer than Dt (fixed rate)
	Skipped  uint64 // ticks left out by Skip or beyond CatchUp's cap
	Blocked  uint64 // steps that ran longer than Config.BlockAfter
	Panics   uint64 // steps that panicked or ended their goroutine

	Lateness Distribution // how late steps began, after the deadline or the wake-up
	Duration Distribution // how long they took
}

// Snapshot adds up the counts of all shards.
func (m *Metrics) Snapshot() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	var st Stats
	for _, s := range m.stripes {
		if s == nil {
			continue
		}
		st.Overruns += s.overruns.Load()
		st.Skipped += s.skipped.Load()
		st.Blocked += s.blocked.Load()
		st.Panics += s.panics.Load()
		s.lateness.addTo(&st.Lateness)
		s.duration.addTo(&st.Duration)
	}
	st.Steps = st.Duration.Count()
	return st
}

// Merge adds the counts of o, for example those of another kind or process.
func (s *Stats) Merge(o *Stats) {
	s.Steps += o.Steps
	s.Overruns += o.Overruns
	s.Skipped += o.Skipped
	s.Blocked += o.Blocked
	s.Panics += o.Panics
	s.Lateness.Merge(&o.Lateness)
	s.Duration.Merge(&o.Duration)
}

// Since is what was counted after earlier, an older Snapshot of the same Metrics. What happened between two moments is
// snapshot.Since(&before).
func (s *Stats) Since(earlier *Stats) Stats {
	return Stats{
		Steps:    s.Steps - earlier.Steps,
		Overruns: s.Overruns - earlier.Overruns,
		Skipped:  s.Skipped - earlier.Skipped,
		Blocked:  s.Blocked - earlier.Blocked,
		Panics:   s.Panics - earlier.Panics,
		Lateness: s.Lateness.Since(&earlier.Lateness),
		Duration: s.Duration.Since(&earlier.Duration),
	}
}
