package tick

import (
	"runtime/debug"
	"time"
)

// Task is a stepper in a scheduler.
type Task struct {
	// Static after Add.
	stepper Stepper
	sh      *shard
	rate    int // 0: event-driven
	policy  Policy
	m       *stripe // nil: not measured

	// Guarded by sh.mu: where it is.
	in         *list // nil: in no list
	prev, next *Task
	due        int64 // slot of the wheel

	// Guarded by sh.mu: its time.
	grid    grid
	place   int    // in its rate's phasing
	last    uint64 // the last tick done with, run or skipped
	skipped int    // ticks skipped since the last one that ran
	wokenAt time.Duration

	// Guarded by sh.mu: its state.
	running   bool // a Step is under way; no second one begins
	again     bool // woken since that Step began
	stopped   bool
	offload   bool          // its Steps run on goroutines of their own: it has blocked once, or Detach was called
	pinned    bool          // Detach was called: offload stays
	calm      int           // Steps in a row, while offload, that were short
	startedAt time.Duration // of the Step under way
	seen      bool          // the watchdog has looked at that Step
	reported  bool          // and found it stuck
	loggedAt  time.Duration
	logged    bool
	idle      chan struct{} // closed when the running Step returns; StopWait
}

// Detach gives the task's Steps goroutines of their own, for Steps that are
// known to block: they hold up neither a worker nor a goroutine that is lent to
// the scheduler. With Manual it only keeps them off those that call Wake.
func (t *Task) Detach() {
	t.sh.mu.Lock()
	t.offload, t.pinned = true, true
	t.sh.mu.Unlock()
}

// enoughCalm is how many short Steps in a row bring a task that has blocked back
// to the worker: a pause of the whole machine must not cost it a goroutine per
// Step for good.
const enoughCalm = 100

// settleDown counts short Steps of a task with goroutines of its own. With mu
// held.
func (t *Task) settleDown(took time.Duration) {
	if took > t.sh.s.cfg.BlockAfter/10 {
		t.calm = 0
		return
	}
	if t.calm++; t.calm >= enoughCalm && !t.pinned {
		t.offload, t.calm = false, 0
	}
}

// Stop takes the task out of the scheduler. It never waits, so a Step may stop
// its own task or any other.
//
// After Stop no Step is started. One that a driver has already started may
// still be running when Stop returns, or be about to enter the method, if Stop
// is called from another goroutine: that Step ends as usual and is the last.
// Called from within the task's own Step, that Step is the last. StopWait
// waits for it.
func (t *Task) Stop() {
	t.sh.mu.Lock()
	t.stop()
	t.sh.mu.Unlock()
}

// StopWait is Stop, and waits until no Step of the task is running. It must not
// be called from within the task's own Step.
func (t *Task) StopWait() {
	t.sh.mu.Lock()
	t.stop()
	var idle chan struct{}
	if t.running {
		if t.idle == nil {
			t.idle = make(chan struct{})
		}
		idle = t.idle
	}
	t.sh.mu.Unlock()
	if idle != nil {
		<-idle
	}
}

// stop marks the task and takes it out of the list where it waits; a running
// one is in none, or in sh.inline, which its runner empties. With mu held.
func (t *Task) stop() {
	if t.stopped {
		return
	}
	t.stopped = true
	sh := t.sh
	sh.load.Add(-loadOf(t.rate))
	if p := sh.phasings[t.rate]; p != nil {
		p.leave(t.place)
	}
	switch {
	case t.in == nil || t.running:
	case t.in == &sh.queue || t.in == &sh.ready:
		t.in.remove(t)
	default:
		sh.wheel.remove(t)
	}
}

// call runs one Step and survives whatever it does. A room recovers from its
// own panics; one that gets here stops the task.
func (t *Task) call(tk Tick) {
	returned := false
	defer func() {
		if returned {
			return
		}
		t.m.addPanic()
		if r := recover(); r != nil {
			t.Stop()
			t.sh.s.log.Error("tick: a step panicked; its task is stopped",
				"stepper", t.stepper.Name(), "tick", tk.N, "panic", r, "stack", string(debug.Stack()))
			return
		}
		// runtime.Goexit: this goroutine runs its deferred calls and is gone.
		t.sh.goexit(t)
		t.sh.s.log.Error("tick: a step ended its goroutine; its task is stopped",
			"stepper", t.stepper.Name(), "tick", tk.N)
	}()
	t.stepper.Step(tk)
	returned = true
}
