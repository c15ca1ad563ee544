package tick

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestWakeCoalesces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{Workers: 1})
		gate := make(chan struct{})
		var ns []uint64
		task := s.Add(fn(func(tk Tick) { ns = append(ns, tk.N); <-gate }), 0, Skip, nil)
		task.Wake(false)
		synctest.Wait() // it is running now
		for range 100 {
			task.Wake(false)
			task.Wake(true)
		}
		gate <- struct{}{}
		synctest.Wait()
		gate <- struct{}{} // the one Step for the hundred
		synctest.Wait()
		if !slices.Equal(ns, []uint64{1, 2}) {
			t.Errorf("steps %v", ns)
		}
		task.Wake(false)
		synctest.Wait()
		close(gate)
		s.Close()
		if !slices.Equal(ns, []uint64{1, 2, 3}) {
			t.Errorf("steps %v", ns)
		}
	})
}

func TestWakeInlineRunsHere(t *testing.T) {
	s := New(Config{Manual: true})
	defer s.Close()
	steps := 0
	task := s.Add(fn(func(tk Tick) {
		steps++
		if tk.N != uint64(steps) || tk.Dt != 0 {
			t.Errorf("step %d: %+v", steps, tk)
		}
	}), 0, Skip, nil)
	task.Wake(true)
	if steps != 1 {
		t.Errorf("%d steps", steps)
	}
	task.Stop()
	task.Wake(true)
	task.Wake(false)
	s.RunDue(time.Second)
	if steps != 1 {
		t.Errorf("%d steps after Stop", steps)
	}
}

// Woken while it runs: once more, and no more than that.
func TestWakeInlineRunsOnceMore(t *testing.T) {
	s := New(Config{Manual: true})
	defer s.Close()
	steps := 0
	var task *Task
	task = s.Add(fn(func(Tick) {
		if steps++; steps == 1 {
			task.Wake(true)
			task.Wake(false)
		}
	}), 0, Skip, nil)
	task.Wake(true)
	if next := s.RunDue(0); steps != 2 || next != Far {
		t.Errorf("%d steps, next %v", steps, next)
	}
}

// A hot room runs a few times on the poller, then the worker has it: the
// wake-up is not lost at the border.
func TestWakeInlineIsBounded(t *testing.T) {
	s := New(Config{Manual: true})
	defer s.Close()
	steps, want := 0, maxInline
	var task *Task
	task = s.Add(fn(func(Tick) {
		if steps++; steps < 3*maxInline {
			task.Wake(true)
		}
	}), 0, Skip, nil)
	task.Wake(true)
	if steps != want {
		t.Errorf("%d steps inline, want %d", steps, want)
	}
	for steps < 3*maxInline {
		want++
		if next := s.RunDue(0); steps != want || steps < 3*maxInline && next != 0 {
			t.Fatalf("%d steps, want %d; next %v", steps, want, next)
		}
	}
	if next := s.RunDue(0); next != Far || steps != want {
		t.Errorf("next %v after %d steps", next, steps)
	}
}

func TestWakeOfAFixedRateTaskDoesNothing(t *testing.T) {
	s := New(Config{Manual: true})
	defer s.Close()
	task := s.Add(fn(func(Tick) { t.Error("it ran") }), 20, Skip, nil)
	task.Wake(true)
	task.Wake(false)
	s.RunDue(0)
}

// Lateness of an event-driven step is the time since it was woken.
func TestWakeLateness(t *testing.T) {
	s := New(Config{Manual: true})
	defer s.Close()
	var got Tick
	task := s.Add(fn(func(tk Tick) { got = tk }), 0, Skip, nil)
	s.RunDue(time.Second)
	task.Wake(false)
	s.RunDue(time.Second + 30*time.Millisecond)
	if want := (Tick{N: 1, Now: time.Second, Late: 30 * time.Millisecond}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// No wake-up is lost, no two Steps overlap, whoever wakes and drives: after
// each write and Wake some Step sees the write.
func TestWakeStress(t *testing.T) {
	s := New(Config{Workers: 2})
	const tasks, wakers, wakes = 8, 6, 2000
	type room struct {
		task    *Task
		written atomic.Int64 // what the wakers write
		busy    atomic.Int32
		seen    atomic.Int64
		plain   int // the race detector watches it
	}
	rooms := make([]room, tasks)
	for i := range rooms {
		r := &rooms[i]
		r.task = s.Add(fn(func(Tick) {
			if r.busy.Add(1) != 1 {
				t.Error("two Steps of one task overlap")
			}
			r.plain++
			r.seen.Store(r.written.Load())
			r.busy.Add(-1)
		}), 0, Skip, nil)
	}
	end := make(chan struct{})
	var pollers, wg sync.WaitGroup
	pollers.Go(func() {
		for {
			select {
			case <-end:
				return
			default:
				s.RunDue(s.Now())
			}
		}
	})
	for w := range wakers {
		wg.Go(func() {
			for k := range wakes {
				r := &rooms[(k+w)%tasks]
				r.written.Add(1)
				r.task.Wake((k+w)%3 != 0)
			}
		})
	}
	wg.Wait()
	for i := range rooms { // every write has been seen, or will be, with no further Wake
		r := &rooms[i]
		for r.seen.Load() != wakers*wakes/tasks {
			time.Sleep(time.Millisecond)
		}
	}
	close(end)
	pollers.Wait()
	s.Close()
}

// Add, Wake, Stop and StopWait from many goroutines while workers and pollers
// drive: after StopWait no Step begins or runs.
func TestStopStress(t *testing.T) {
	s := New(Config{Workers: 2})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for k := range 300 {
				var stopped, busy atomic.Bool
				rate := []int{0, 240, 100}[k%3]
				task := s.Add(fn(func(Tick) {
					if !busy.CompareAndSwap(false, true) {
						t.Error("two Steps of one task overlap")
					}
					if stopped.Load() {
						t.Error("a Step began after StopWait")
					}
					busy.Store(false)
				}), rate, Policy(k%4-1), nil)
				for range g {
					task.Wake(k%2 == 0)
				}
				s.RunDue(s.Now())
				var inner sync.WaitGroup
				for range 2 {
					inner.Go(func() { task.Wake(true); task.Stop(); task.StopWait(); stopped.Store(true) })
				}
				task.Wake(false)
				inner.Wait()
				task.Wake(true)
			}
		})
	}
	wg.Wait()
	for _, sh := range s.shards {
		if n := sh.load.Load(); n != 0 {
			t.Errorf("a load of %d is left", n)
		}
	}
	s.Close()
}

// A task that is known to block is never run on a goroutine that only wakes it.
func TestDetach(t *testing.T) {
	s := New(Config{Manual: true})
	defer s.Close()
	steps := 0
	task := s.Add(stepFunc{name: "known", step: func(Tick) { steps++ }}, 0, Skip, nil)
	task.Detach()
	task.Wake(true)
	if steps != 0 {
		t.Error("it ran on the goroutine that woke it")
	}
	s.RunDue(0)
	if steps != 1 {
		t.Errorf("%d steps on the worker, not 1", steps)
	}
}
