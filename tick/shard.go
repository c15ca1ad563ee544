package tick

import (
	"sync"
	"sync/atomic"
	"time"
)

// shard is one part of the tasks, with one worker. Its mutex is held for a few
// dozen instructions at a time and never while a Step or a log call runs.
type shard struct {
	// Static after New.
	s     *Scheduler
	index int
	alarm Alarm // wakes the worker

	// Atomic.
	load atomic.Int64 // sum of loadOf over the tasks
	next atomic.Int64 // when RunShard has something to do here; written under mu

	// Guarded by mu.
	claim time.Duration // until then the worker leaves ticks to whoever called Claim

	mu         sync.Mutex
	wheel      wheel            // fixed-rate tasks that wait for a deadline
	ready      list             // fixed-rate tasks that are due
	queue      list             // for the worker only: woken tasks, and due ones that have blocked before
	inline     list             // tasks that run on a goroutine that woke them, or on one of their own
	running    int              // Steps under way on any goroutine
	phasings   map[int]*phasing // by rate
	sleepUntil time.Duration    // what the worker has set its timer to; 0 while it is awake
	closed     bool
	drained    chan struct{} // closed when closed and running is 0

	// The driver, guarded by mu. Bumping gen takes the shard from it.
	busy     bool
	byWorker bool // the driver is the worker
	gen      uint64
	cur      *Task // the task whose Step the driver runs
}

func newShard(s *Scheduler, i int) *shard {
	sh := &shard{s: s, index: i, alarm: s.newAlarm(), phasings: make(map[int]*phasing), drained: make(chan struct{})}
	sh.next.Store(int64(Far))
	return sh
}

// add files a new task.
func (sh *shard) add(t *Task, now time.Duration) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.closed {
		t.stopped = true
		return
	}
	if t.rate == 0 {
		return
	}
	p := sh.phasings[t.rate]
	if p == nil {
		p = newPhasing(t.rate, sh.s.cfg.Gather)
		sh.phasings[t.rate] = p
	}
	t.place = p.enter()
	t.grid = newGrid(t.rate, p.at(t.place), now)
	sh.park(t)
}

// park files a fixed-rate task under its next deadline. With mu held.
func (sh *shard) park(t *Task) {
	sh.wheel.insert(t, t.grid.deadline(t.last+1))
	sh.publish()
}

// enqueue puts a task in the worker's queue. With mu held.
func (sh *shard) enqueue(t *Task) {
	sh.queue.push(t)
	sh.publish()
}

// publish tells RunShard and the worker when there is something to do. While
// somebody drives the shard it does nothing: that driver does it on leaving.
// With mu held.
func (sh *shard) publish() {
	if sh.busy || sh.closed {
		return
	}
	next := sh.nextTick()
	if sh.s.cfg.Manual {
		if sh.queue.len > 0 {
			next = 0
		}
		sh.next.Store(int64(next))
		return
	}
	sh.next.Store(int64(next))
	if until := sh.nextForWorker(next); until < sh.sleepUntil {
		sh.sleepUntil = until
		sh.wakeWorker()
	}
}

// nextTick is when a fixed-rate task is due next. With mu held.
func (sh *shard) nextTick() time.Duration {
	if sh.ready.len > 0 {
		return 0
	}
	if v := sh.wheel.next(); v != noSlot {
		return time.Duration(v) * slot
	}
	return Far
}

// nextForWorker is until when the worker may sleep. With mu held.
func (sh *shard) nextForWorker(next time.Duration) time.Duration {
	if sh.queue.len > 0 {
		return 0
	}
	if next == Far {
		return Far
	}
	return max(next+sh.s.cfg.Grace, sh.claim)
}

func (sh *shard) wakeWorker() { sh.alarm.Ring() }

// Claim says that the caller will be back with RunShard for shard i before until:
// its worker leaves ticks alone for that long, and sleeps. A claim in the past
// takes an earlier one back.
func (s *Scheduler) Claim(i int, until time.Duration) {
	sh := s.shards[i]
	sh.mu.Lock()
	back := until < sh.claim
	sh.claim = until
	if back {
		sh.publish()
	}
	sh.mu.Unlock()
}

// close lets no further Step begin.
func (sh *shard) close() {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.closed {
		return
	}
	sh.closed = true
	sh.next.Store(int64(Far))
	sh.wakeWorker()
	if sh.running == 0 {
		close(sh.drained)
	}
}

// began notes that a Step is about to run. With mu held.
func (sh *shard) began(t *Task, at time.Duration) {
	t.running, t.startedAt = true, at
	t.seen, t.reported = false, false
	sh.running++
}

// ended notes that a Step has returned. With mu held.
func (sh *shard) ended(t *Task) {
	t.running = false
	if t.idle != nil {
		close(t.idle)
		t.idle = nil
	}
	sh.running--
	if sh.closed && sh.running == 0 {
		close(sh.drained)
	}
}
