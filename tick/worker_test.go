package tick

import (
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestWorkersTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{Workers: 3})
		var m Metrics
		rates := []int{1, 20, 30, 60, 240}
		counts := make([]atomic.Uint64, 5*len(rates))
		for i := range counts {
			s.Add(fn(func(tk Tick) {
				if n := counts[i].Add(1); tk.N != n {
					t.Errorf("tick %d is number %d", n, tk.N)
				}
			}), rates[i%len(rates)], Skip, &m)
		}
		time.Sleep(10*time.Second + slot)
		for i := range counts {
			rate := uint64(rates[i%len(rates)])
			if n := counts[i].Load(); n < 10*rate || n > 10*rate+1 {
				t.Errorf("task %d: %d ticks in 10 s at %d Hz", i, n, rate)
			}
		}
		s.Close()
		if st := m.Snapshot(); st.Lateness.Max() >= slot || st.Skipped != 0 {
			t.Errorf("late by up to %v, %d skipped", st.Lateness.Max(), st.Skipped)
		}
	})
}

// A worker sleeps while there is nothing to do, and a new or woken task wakes
// it at once.
func TestWorkerSleeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var looks atomic.Int64
		s := New(Config{Workers: 1, BlockAfter: time.Hour, Clock: func() time.Duration {
			looks.Add(1)
			return time.Since(start)
		}})
		defer s.Close()
		time.Sleep(time.Minute)
		idle := looks.Load()
		if idle > 5 {
			t.Errorf("an idle worker looked at the clock %d times", idle)
		}
		var at atomic.Int64
		s.Add(fn(func(Tick) { at.CompareAndSwap(0, int64(time.Since(start))) }), 1, Skip, nil)
		time.Sleep(1500 * time.Millisecond)
		if d := time.Duration(at.Load()) - time.Minute; d <= 0 || d > time.Second+slot {
			t.Errorf("the first tick came after %v", d)
		}
		chat := s.Add(fn(func(Tick) { at.Store(int64(time.Since(start))) }), 0, Skip, nil)
		chat.Wake(false)
		woken := time.Since(start)
		synctest.Wait()
		if d := time.Duration(at.Load()) - woken; d != 0 {
			t.Errorf("woken %v late", d)
		}
	})
}

// Pollers that drive the shards do the ticks; the worker wakes up to find
// nothing due and sleeps on, without spinning and without being poked.
func TestPollersDrive(t *testing.T) {
	const ms = time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var looks atomic.Int64
		s := New(Config{Workers: 2, Grace: 2 * ms, BlockAfter: time.Hour, Clock: func() time.Duration {
			looks.Add(1)
			return time.Since(start)
		}})
		var m Metrics
		for range 100 {
			s.Add(fn(func(Tick) {}), 20, Skip, &m)
		}
		time.Sleep(ms / 2)
		for range 10_000 {
			time.Sleep(ms / 10)
			s.RunDue(time.Since(start))
		}
		st := m.Snapshot()
		if st.Steps < 1980 || st.Steps > 2020 {
			t.Errorf("%d steps in 1 s", st.Steps)
		}
		if st.Lateness.Max() > ms {
			t.Errorf("late by up to %v: the pollers did not come first", st.Lateness.Max())
		}
		if n := looks.Load(); n > 2100+6*2*500 {
			t.Errorf("the clock was looked at %d times", n)
		}
		time.Sleep(time.Second) // no traffic: the workers are the timer
		if more := m.Snapshot().Steps - st.Steps; more < 1980 || more > 2020 {
			t.Errorf("%d steps in a second without pollers", more)
		}
		if st = m.Snapshot(); st.Lateness.Max() < 2*ms || st.Lateness.Max() > 3*ms {
			t.Errorf("without pollers ticks are up to %v late, not the grace of %v", st.Lateness.Max(), 2*ms)
		}
		s.Close()
	})
}

// While somebody has promised to come back, the worker leaves the ticks alone; when the promise is broken or taken back, it
// runs them.
func TestClaim(t *testing.T) {
	const ms = time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := New(Config{Workers: 1, Clock: func() time.Duration { return time.Since(start) }})
		defer s.Close()
		var m Metrics
		s.Add(fn(func(Tick) {}), 20, Skip, &m)
		woken := 0
		event := s.Add(fn(func(Tick) { woken++ }), 0, Skip, nil)
		steps := func() uint64 { return m.Snapshot().Steps }

		s.Claim(0, 205*ms)
		time.Sleep(204 * ms)
		if n := steps(); n != 0 {
			t.Errorf("%d ticks were run by the worker in spite of the claim", n)
		}
		event.Wake(false)
		synctest.Wait()
		if n := steps(); woken != 1 || n != 0 {
			t.Errorf("%d event steps and %d ticks, want the queue to be seen to and nothing else", woken, n)
		}
		time.Sleep(2 * ms)
		if n := steps(); n != 1 {
			t.Errorf("%d ticks after the claim has ended, want the one that is due", n)
		}
		s.Claim(0, 10*time.Second)
		time.Sleep(time.Second)
		before := steps()
		s.Claim(0, 0)
		time.Sleep(ms)
		if n := steps() - before; n != 1 {
			t.Errorf("%d ticks after the claim was taken back, want 1", n)
		}
		s.Claim(0, 11*time.Second)
		s.RunDue(time.Since(start) + 50*ms)
		if n := steps() - before; n != 2 {
			t.Errorf("%d ticks after RunDue, want 2: the claim is for whoever made it", n)
		}
	})
}

func TestCloseEndsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{Workers: 4})
		var running, steps atomic.Int64
		for range 20 {
			s.Add(fn(func(Tick) {
				running.Add(1)
				time.Sleep(30 * time.Millisecond)
				steps.Add(1)
				running.Add(-1)
			}), 20, Skip, nil)
		}
		chat := s.Add(fn(func(Tick) { running.Add(1); time.Sleep(time.Second); running.Add(-1) }), 0, Skip, nil)
		time.Sleep(100 * time.Millisecond)
		go chat.Wake(true)
		synctest.Wait()
		s.Close()
		if n := running.Load(); n != 0 {
			t.Errorf("%d steps are running after Close", n)
		}
		n := steps.Load()
		time.Sleep(time.Second)
		if steps.Load() != n {
			t.Error("steps began after Close")
		}
		// synctest fails the test if a goroutine of the scheduler is left.
	})
}

func TestStopWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{Workers: 1})
		defer s.Close()
		gate := make(chan struct{})
		var ended atomic.Bool
		task := s.Add(fn(func(Tick) { <-gate; ended.Store(true) }), 100, Skip, nil)
		time.Sleep(50 * time.Millisecond)
		task.Stop() // does not wait
		var stopped atomic.Bool
		for range 2 {
			go func() {
				task.StopWait()
				if !ended.Load() {
					t.Error("StopWait returned while the step was running")
				}
				stopped.Store(true)
			}()
		}
		time.Sleep(10 * time.Millisecond)
		if stopped.Load() {
			t.Error("StopWait did not wait")
		}
		close(gate)
		synctest.Wait()
		if !stopped.Load() {
			t.Error("StopWait waits for ever")
		}
	})
}

// A Step that ends its goroutine, as testing.T.FailNow does, costs its own task
// only.
func TestStepThatEndsItsGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logBuffer
		s := New(Config{Workers: 1, Logger: log.logger()})
		var others atomic.Int64
		s.Add(stepFunc{"the gone one", func(Tick) { runtime.Goexit() }}, 100, CatchUp(3), nil)
		s.Add(fn(func(Tick) { others.Add(1) }), 100, Skip, nil)
		chat := s.Add(stepFunc{"the gone chat", func(Tick) { runtime.Goexit() }}, 0, Skip, nil)
		go chat.Wake(true)
		time.Sleep(time.Second)
		if n := others.Load(); n < 99 || n > 101 {
			t.Errorf("the other task ran %d ticks", n)
		}
		s.Close()
		if !contains(log.String(), "the gone one", "the gone chat") {
			t.Errorf("log: %s", log.String())
		}
	})
}

// A driver may have looked at the clock before the one whose place it takes, and find tasks among the due ones before their time.
// One with goroutines of its own then has nothing to run, and must not count as running for ever.
func TestATaskApartThatIsNotDueYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := New(Config{Workers: 1, Clock: func() time.Duration { return time.Since(start) }})
		var m Metrics
		task := s.Add(fn(func(Tick) {}), 20, Skip, &m)
		task.Detach()
		synctest.Wait()
		sh := s.shards[0]
		sh.mu.Lock()
		sh.wheel.remove(task)
		sh.ready.push(task)
		sh.mu.Unlock()
		sh.drive(s.clock(), true)
		synctest.Wait()
		if n := m.Snapshot().Steps; n != 0 {
			t.Errorf("%d steps before the first deadline", n)
		}
		sh.mu.Lock()
		if task.running || sh.running != 0 {
			t.Errorf("the task runs: %v; %d steps are under way", task.running, sh.running)
		}
		sh.mu.Unlock()
		time.Sleep(time.Second + time.Millisecond)
		if n := m.Snapshot().Steps; n < 19 || n > 20 {
			t.Errorf("%d steps in a second", n)
		}
		task.StopWait()
		s.Close()
	})
}
