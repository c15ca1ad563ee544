package tick

import (
	"fmt"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// Far is what RunDue returns when there is nothing to wait for.
const Far time.Duration = math.MaxInt64

// Scheduler steps tasks when they are due. All its methods are safe for any
// goroutine.
type Scheduler struct {
	// Static after New.
	cfg    Config
	clock  func() time.Duration
	log    *slog.Logger
	shards []*shard
	stop   chan struct{} // closed by Close, for the watchdog

	// Atomic.
	told   atomic.Int64 // the latest now given to RunDue; the clock of Manual
	closed atomic.Bool

	wg    sync.WaitGroup // workers and watchdog
	addMu sync.Mutex     // makes choosing the least loaded shard one step
}

// New starts a scheduler: a worker per shard and one watchdog, unless
// cfg.Manual. Close ends them.
func New(cfg Config) *Scheduler {
	cfg = cfg.withDefaults()
	s := &Scheduler{cfg: cfg, clock: cfg.Clock, log: cfg.Logger, stop: make(chan struct{})}
	switch {
	case s.clock != nil:
	case cfg.Manual:
		s.clock = func() time.Duration { return time.Duration(s.told.Load()) }
	default:
		start := time.Now()
		s.clock = func() time.Duration { return time.Since(start) }
	}
	for i := range cfg.Workers {
		s.shards = append(s.shards, newShard(s, i))
	}
	if !cfg.Manual {
		for _, sh := range s.shards {
			s.wg.Go(sh.work)
		}
		s.wg.Go(s.watch)
	}
	return s
}

// Now is the scheduler's time.
func (s *Scheduler) Now() time.Duration { return s.clock() }

// Shards is the number of shards, for RunShard.
func (s *Scheduler) Shards() int { return len(s.shards) }

// Add starts stepping st, on the shard with the least to do. Rate 0 makes an
// event-driven task, for which the policy means nothing; 1 to MaxRate steps a
// second make a fixed-rate one, whose first tick is due within one step from
// now. m may be nil. Add panics if st is nil or the rate is out of range. On a
// closed scheduler the task never runs.
func (s *Scheduler) Add(st Stepper, rate int, p Policy, m *Metrics) *Task {
	if st == nil {
		panic("tick: Add of a nil Stepper")
	}
	if rate < 0 || rate > MaxRate {
		panic(fmt.Sprintf("tick: rate %d is not 0 (event-driven) to %d", rate, MaxRate))
	}
	s.addMu.Lock()
	sh := s.shards[0]
	for _, other := range s.shards[1:] {
		if other.load.Load() < sh.load.Load() {
			sh = other
		}
	}
	sh.load.Add(loadOf(rate))
	s.addMu.Unlock()

	t := &Task{stepper: st, sh: sh, rate: rate, policy: p, m: m.stripe(sh.index)}
	sh.add(t, s.clock())
	return t
}

// loadOf weighs a task by its rate; an event-driven one counts as 1 a second.
func loadOf(rate int) int64 { return int64(max(rate, 1)) }

// RunDue runs the ticks that are due at now on every shard that nobody else is
// driving, each task at most once (but for CatchUp), and returns when to call
// again: now if something is left, Far if there is nothing to wait for. A shard
// that somebody else drives does not count, since its driver will see to it.
//
// With Manual it also runs the queued event-driven tasks. Otherwise those are
// the workers' business, as is every task that has blocked, so that a
// poller may call RunDue. When nothing is due it costs a few nanoseconds.
func (s *Scheduler) RunDue(now time.Duration) (next time.Duration) {
	next = Far
	for i := range s.shards {
		next = min(next, s.RunShard(i, now))
	}
	return next
}

// RunShard is RunDue for one shard, 0 to Shards()-1, so that each poller can
// drive one of its own.
func (s *Scheduler) RunShard(i int, now time.Duration) (next time.Duration) {
	if s.cfg.Manual {
		s.tell(now)
	}
	sh := s.shards[i]
	if sh.next.Load() <= int64(now) {
		sh.drive(now, s.cfg.Manual)
	}
	return max(now, time.Duration(sh.next.Load()))
}

// tell moves the clock of Manual; it never goes back.
func (s *Scheduler) tell(now time.Duration) {
	for told := s.told.Load(); told < int64(now); told = s.told.Load() {
		if s.told.CompareAndSwap(told, int64(now)) {
			return
		}
	}
}

// Close stops the scheduler: no Step begins after it returns. It waits for the
// Steps that are running, wherever they run, and for the goroutines of the
// scheduler. A Step must not call it, and one that never returns holds it up.
func (s *Scheduler) Close() {
	first := s.closed.CompareAndSwap(false, true)
	if first {
		close(s.stop)
	}
	for _, sh := range s.shards {
		sh.close()
	}
	for _, sh := range s.shards {
		<-sh.drained
	}
	s.wg.Wait()
	if first {
		for _, sh := range s.shards {
			sh.alarm.Close()
		}
	}
}
