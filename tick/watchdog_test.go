package tick

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A Step that blocks is named, counted, and costs its own room only.
func TestBlockedWorkerIsTakenOver(t *testing.T) {
	for _, rate := range []int{0, 60} {
		synctest.Test(t, func(t *testing.T) {
			var log logBuffer
			s := New(Config{Workers: 1, Logger: log.logger()})
			var bad, good Metrics
			gate := make(chan struct{})
			var steps atomic.Int64
			blocker := s.Add(stepFunc{"room nine", func(Tick) { steps.Add(1); <-gate }}, rate, Skip, &bad)
			var others [10]atomic.Int64
			for i := range others {
				s.Add(fn(func(Tick) { others[i].Add(1) }), 20, Skip, &good)
			}
			chats := 0
			chat := s.Add(fn(func(Tick) { chats++ }), 0, Skip, nil)
			blocker.Wake(false)
			time.Sleep(5 * time.Second)
			chat.Wake(false)
			synctest.Wait()

			if chats != 1 {
				t.Errorf("the queue stands still: %d", chats)
			}
			for i := range others {
				if n := others[i].Load(); n < 96 {
					t.Errorf("task %d ran %d ticks of 100", i, n)
				}
			}
			if late := good.Snapshot().Lateness; late.Max() > 160*time.Millisecond {
				t.Errorf("the others waited up to %v", late.Max())
			}
			if n := bad.Snapshot().Blocked; n != 1 || steps.Load() != 1 {
				t.Errorf("%d blocked, %d steps", n, steps.Load())
			}
			out := log.String()
			if strings.Count(out, "\n") != 1 || !contains(out, "level=WARN", `stepper="room nine"`, "running=1", "another one takes over") {
				t.Errorf("log: %s", out)
			}

			blocker.Wake(false)
			close(gate) // it comes back and is a task like any other
			time.Sleep(time.Second)
			if n := steps.Load(); rate == 0 && n != 2 || rate == 60 && n < 55 {
				t.Errorf("%d steps after it came back", n)
			}
			s.Close()
		})
	}
}

// A room that blocks all the time: one line a second, and no heap of
// goroutines.
func TestBlockingAgainAndAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logBuffer
		s := New(Config{Workers: 1, Logger: log.logger()})
		var m Metrics
		var others atomic.Int64
		s.Add(fn(func(Tick) { time.Sleep(200 * time.Millisecond) }), 20, SlowDown, &m)
		s.Add(fn(func(Tick) { others.Add(1) }), 20, Skip, nil)
		time.Sleep(10 * time.Second)
		s.Close()
		if n := m.Snapshot().Blocked; n < 40 || n > 51 {
			t.Errorf("blocked %d times", n)
		}
		if n := strings.Count(log.String(), "\n"); n < 8 || n > 11 {
			t.Errorf("%d lines in 10 s", n)
		}
		if n := others.Load(); n < 190 { // only the first time, until it was found out, did the others wait
			t.Errorf("the other task ran %d ticks of 200", n)
		}
	})
}

// Inline on a poller: named once, and from then on on goroutines of its own.
func TestBlockedInlineStepIsOffloaded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logBuffer
		s := New(Config{Workers: 1, Logger: log.logger()})
		var m Metrics
		steps := make(chan uint64, 10)
		chat := s.Add(stepFunc{"lobby", func(tk Tick) { time.Sleep(300 * time.Millisecond); steps <- tk.N }}, 0, Skip, &m)

		chat.Wake(true)
		if len(steps) != 1 {
			t.Error("the first wake-up did not run here")
		}
		chat.Wake(true)
		if len(steps) != 1 {
			t.Error("the second one ran here, not apart")
		}
		time.Sleep(400 * time.Millisecond)
		if len(steps) != 2 {
			t.Error("the second one did not run")
		}
		s.Close()
		if n := m.Snapshot().Blocked; n != 2 {
			t.Errorf("blocked %d times", n)
		}
		if out := log.String(); strings.Count(out, "from now on its task runs on goroutines of its own") != 1 || !contains(out, "stepper=lobby") {
			t.Errorf("log: %s", out)
		}
	})
}

// A tick that blocks a poller: the poller is stuck, the shard is not, and the
// task never runs on a poller again.
func TestBlockedPollerIsNotLentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logBuffer
		s := New(Config{Workers: 1, Grace: 10 * time.Millisecond, Logger: log.logger()})
		var others, slow atomic.Int64
		s.Add(stepFunc{"slow room", func(Tick) { slow.Add(1); time.Sleep(300 * time.Millisecond) }}, 2, Skip, nil)
		s.Add(fn(func(Tick) { others.Add(1) }), 20, Skip, nil)
		stuck := 0
		for s.Now() < 10*time.Second {
			before := s.Now()
			s.RunDue(before)
			if s.Now()-before >= 100*time.Millisecond {
				stuck++
			}
			time.Sleep(slot)
		}
		if stuck != 1 {
			t.Errorf("the poller was stuck %d times", stuck)
		}
		if n := slow.Load(); n < 19 || n > 20 {
			t.Errorf("the slow task ran %d ticks of 20", n)
		}
		if n := others.Load(); n < 190 {
			t.Errorf("the other task ran %d ticks of 200", n)
		}
		if out := log.String(); strings.Count(out, "lent") != 1 || !contains(out, `stepper="slow room"`) {
			t.Errorf("log: %s", out)
		}
		s.Close()
	})
}

// After a pause of the whole process every Step seems long: one look is not
// enough to call it stuck.
func TestWatchdogLooksTwice(t *testing.T) {
	s := New(Config{Manual: true})
	defer s.Close()
	looked := 0
	s.Add(fn(func(Tick) {
		sh := s.shards[0]
		for i, want := range []int{0, 1, 0} {
			if got := sh.sweep(time.Hour+time.Duration(i)*time.Second, nil); len(got) != want {
				t.Errorf("look %d reports %d", i, len(got))
			}
			looked++
		}
	}), 20, Skip, nil)
	s.RunDue(50 * time.Millisecond)
	if looked != 3 {
		t.Errorf("looked %d times", looked)
	}
}

// A Step can block for ever; Close is what waits for it, nothing else.
func TestCloseWaitsForABlockedStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{Workers: 1, Logger: new(logBuffer).logger()})
		gate := make(chan struct{})
		s.Add(fn(func(Tick) { <-gate }), 20, Skip, nil)
		time.Sleep(time.Second)
		var closed atomic.Bool
		go func() { s.Close(); closed.Store(true) }()
		time.Sleep(time.Second)
		if closed.Load() {
			t.Error("Close did not wait")
		}
		close(gate)
		synctest.Wait()
		if !closed.Load() {
			t.Error("Close waits for ever")
		}
	})
}

// A task that blocked once and then never again comes back to the worker.
func TestACalmTaskComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logBuffer
		s := New(Config{Workers: 1, Logger: log.logger()})
		long := true
		task := s.Add(fn(func(Tick) {
			if long {
				long = false
				time.Sleep(time.Second)
			}
		}), 20, Skip, nil)
		apart := func() bool {
			task.sh.mu.Lock()
			defer task.sh.mu.Unlock()
			return task.offload
		}
		time.Sleep(2 * time.Second)
		if !apart() {
			t.Error("it has no goroutines of its own after it blocked")
		}
		time.Sleep(enoughCalm * time.Second / 20)
		if apart() {
			t.Error("it still has them after it was calm for long")
		}
		s.Close()
	})
}
