package tick

import (
	"slices"
	"testing"
	"time"
)

// 10,000 rooms at 20 Hz: every one of them ticks exactly as often as it should,
// and the work is spread evenly over the phases.
func TestTenThousandRooms(t *testing.T) {
	const rooms, rate, seconds = 10000, 20, 5
	s := New(Config{Manual: true, Workers: 2})
	defer s.Close()
	var m Metrics
	counts := make([]uint64, rooms)
	var perSlot [2000*seconds + 1]int
	now := 0
	for i := range counts {
		s.Add(fn(func(tk Tick) {
			counts[i]++
			if tk.N != counts[i] || tk.Skipped != 0 || tk.Dt != 50*time.Millisecond {
				t.Errorf("room %d, step %d: %+v", i, counts[i], tk)
			}
			if tk.Late < 0 || tk.Late >= slot {
				t.Errorf("room %d: late by %v", i, tk.Late)
			}
			perSlot[now]++
		}), rate, Skip, &m)
	}
	for now = range perSlot {
		s.RunDue(time.Duration(now) * 500 * time.Microsecond)
	}
	total := uint64(0)
	for i, n := range counts {
		if total += n; n != rate*seconds {
			t.Fatalf("room %d ran %d ticks", i, n)
		}
	}
	if st := m.Snapshot(); total != rooms*rate*seconds || st.Steps != total || st.Skipped != 0 || st.Overruns != 0 {
		t.Errorf("%d steps, want %d; metrics %d", total, rooms*rate*seconds, st.Steps)
	}
	if low, high := slices.Min(perSlot[1:]), slices.Max(perSlot[1:]); low != 100 || high != 100 {
		t.Errorf("between %d and %d rooms in 500 µs, want 100", low, high)
	}
}

// The clock of Manual is what RunDue was told; a policy sees a jump of it.
func TestPolicies(t *testing.T) {
	const ms = time.Millisecond
	tests := []struct {
		policy  Policy
		n       []uint64
		skipped []int
		late    []time.Duration
		missed  uint64
	}{
		{Skip, []uint64{1, 5, 6}, []int{0, 3, 0}, []time.Duration{0, 20 * ms, 0}, 3},
		{CatchUp(1), []uint64{1, 2, 3, 6}, []int{0, 0, 0, 2}, []time.Duration{0, 320 * ms, 220 * ms, 0}, 2},
		{CatchUp(9), []uint64{1, 2, 3, 4, 5, 6}, make([]int, 6), []time.Duration{0, 320 * ms, 220 * ms, 120 * ms, 20 * ms, 0}, 0},
		// The grid has moved to the jump's end, 520 ms, so at 620 ms the next one is due.
		{SlowDown, []uint64{1, 2, 3}, make([]int, 3), []time.Duration{0, 320 * ms, 0}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.policy.String(), func(t *testing.T) {
			s := New(Config{Manual: true})
			defer s.Close()
			var m Metrics
			var n []uint64
			var skipped []int
			var late []time.Duration
			s.Add(fn(func(tk Tick) {
				n, skipped, late = append(n, tk.N), append(skipped, tk.Skipped), append(late, tk.Late)
			}), 10, tt.policy, &m)
			s.RunDue(0)
			// Phase 0: deadlines at 100, 200, ... ms.
			s.RunDue(100 * ms)
			s.RunDue(520 * ms)
			if tt.policy == SlowDown {
				s.RunDue(619 * ms)
				s.RunDue(620 * ms)
			} else {
				s.RunDue(600 * ms)
			}
			if !slices.Equal(n, tt.n) || !slices.Equal(skipped, tt.skipped) || !slices.Equal(late, tt.late) {
				t.Errorf("ticks %v, skipped %v, late %v", n, skipped, late)
			}
			if st := m.Snapshot(); st.Skipped != tt.missed || st.Steps != uint64(len(n)) {
				t.Errorf("metrics: %d skipped, %d steps", st.Skipped, st.Steps)
			}
		})
	}
}

// Steps slower than their rate, on a clock that they move themselves.
func TestOverload(t *testing.T) {
	for _, tt := range []struct {
		policy Policy
		n      uint64 // number of the last tick in 10 s
		steps  uint64
	}{
		{Skip, 199, 67},      // each step takes three periods: the latest due one runs
		{SlowDown, 67, 67},   // and here time dilates
		{CatchUp(1), 197, 0}, // pairs
	} {
		t.Run(tt.policy.String(), func(t *testing.T) {
			var now time.Duration
			s := New(Config{Manual: true, Clock: func() time.Duration { return now }})
			defer s.Close()
			var m Metrics
			var last Tick
			accounted := uint64(0)
			s.Add(fn(func(tk Tick) {
				accounted += uint64(tk.Skipped) + 1
				if tk.N != accounted {
					t.Fatalf("tick %d after %d", tk.N, accounted)
				}
				if tk.Now+tk.Late != now {
					t.Fatalf("at %v: %+v", now, tk)
				}
				last = tk
				now += 150 * time.Millisecond
			}), 20, tt.policy, &m)
			for now < 10*time.Second {
				now = max(now, s.RunDue(now))
			}
			st := m.Snapshot()
			if st.Overruns != st.Steps || st.Steps < 66 || st.Steps > 68 {
				t.Errorf("%d overruns in %d steps", st.Overruns, st.Steps)
			}
			if tt.policy == SlowDown {
				if last.N != st.Steps {
					t.Errorf("tick %d after %d steps", last.N, st.Steps)
				}
			} else if last.N < tt.n-6 || last.N > tt.n+2 {
				t.Errorf("the last tick is %d, not about %d", last.N, tt.n)
			}
		})
	}
}

func TestRunDueTellsWhenToCallAgain(t *testing.T) {
	s := New(Config{Manual: true, Workers: 3})
	defer s.Close()
	if next := s.RunDue(0); next != Far {
		t.Errorf("nothing to do, but next is %v", next)
	}
	slow := s.Add(fn(func(Tick) {}), 1, Skip, nil)
	if next := s.RunDue(0); next != time.Second {
		t.Errorf("1 Hz: next is %v", next)
	}
	fast := s.Add(fn(func(Tick) {}), 60, Skip, nil)
	if next := s.RunDue(0); next != 16750*time.Microsecond {
		t.Errorf("60 Hz: next is %v", next)
	}
	fast.Stop()
	if next := s.RunDue(0); next > time.Second {
		t.Errorf("1 Hz again: next is %v", next)
	}
	slow.Stop()
	s.RunDue(time.Second)
	if next := s.RunDue(time.Second); next != Far {
		t.Errorf("all stopped, but next is %v", next)
	}
}

// Of a shard that somebody else drives, that driver knows when it is next due.
func TestRunDueOfABusyShard(t *testing.T) {
	s := New(Config{Manual: true})
	defer s.Close()
	steps := 0
	for range 2 {
		s.Add(fn(func(Tick) {
			steps++
			if next := s.RunDue(time.Second); next != Far {
				t.Errorf("next is %v while the shard is driven", next)
			}
		}), 100, Skip, nil)
	}
	s.RunDue(time.Second)
	if steps != 2 {
		t.Errorf("%d steps", steps)
	}
}

// Tasks go where there is the least to do, by rate, also after others have
// stopped.
func TestAddSpreadsTheLoad(t *testing.T) {
	s := New(Config{Manual: true, Workers: 4})
	defer s.Close()
	check := func() {
		t.Helper()
		low, high := int64(1<<62), int64(0)
		for _, sh := range s.shards {
			low, high = min(low, sh.load.Load()), max(high, sh.load.Load())
		}
		if high-low > MaxRate {
			t.Errorf("loads from %d to %d", low, high)
		}
	}
	var tasks []*Task
	for i := range 400 {
		tasks = append(tasks, s.Add(nop{}, []int{0, 20, 60, 1}[i%4], Skip, nil))
	}
	check()
	for i := 0; i < len(tasks); i += 3 {
		tasks[i].Stop()
		tasks[i].Stop()
	}
	for range 400 {
		s.Add(nop{}, 30, Skip, nil)
	}
	check()
}

func TestStopFromWithinItsOwnStep(t *testing.T) {
	for _, p := range []Policy{Skip, CatchUp(10), SlowDown} {
		s := New(Config{Manual: true})
		var self *Task
		steps := 0
		self = s.Add(fn(func(Tick) { steps++; self.Stop() }), 100, p, nil)
		s.RunDue(50 * time.Millisecond)
		s.RunDue(time.Second)
		if steps != 1 {
			t.Errorf("%v: %d steps", p, steps)
		}
		s.Close()
	}
}

func TestStopOfAnotherThatIsDue(t *testing.T) {
	s := New(Config{Manual: true})
	defer s.Close()
	var tasks [2]*Task
	steps := 0
	for i := range tasks { // both are due in the same pass; the first stops the other
		tasks[i] = s.Add(fn(func(Tick) { steps++; tasks[1-i].Stop() }), 100, Skip, nil)
	}
	s.RunDue(time.Second)
	if steps != 1 {
		t.Errorf("%d steps", steps)
	}
}

func TestAddRefusesBadRates(t *testing.T) {
	s := New(Config{Manual: true})
	defer s.Close()
	for _, rate := range []int{-1, MaxRate + 1} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("rate %d was accepted", rate)
				}
			}()
			s.Add(fn(func(Tick) {}), rate, Skip, nil)
		}()
	}
}

func TestClosedSchedulerRunsNothing(t *testing.T) {
	s := New(Config{Manual: true})
	ran := false
	run := fn(func(Tick) { ran = true })
	fixed, chat := s.Add(run, 100, Skip, nil), s.Add(run, 0, Skip, nil)
	chat.Wake(false)
	s.Close()
	s.Close()
	late := s.Add(run, 0, Skip, nil)
	late.Wake(true)
	chat.Wake(true)
	if next := s.RunDue(time.Second); next != Far || ran {
		t.Errorf("next %v, ran %v", next, ran)
	}
	fixed.StopWait()
	chat.Stop()
}

func TestStepThatPanics(t *testing.T) {
	var log logBuffer
	s := New(Config{Manual: true, Logger: log.logger()})
	defer s.Close()
	var m Metrics
	others := 0
	s.Add(stepFunc{"the bad one", func(Tick) { panic("boom") }}, 100, CatchUp(3), &m)
	s.Add(fn(func(Tick) { others++ }), 100, Skip, nil)
	s.RunDue(100 * time.Millisecond)
	s.RunDue(200 * time.Millisecond)
	if st := m.Snapshot(); st.Steps != 1 || st.Panics != 1 || others != 2 {
		t.Errorf("%d steps and %d panics, the other ran %d times", st.Steps, st.Panics, others)
	}
	if out := log.String(); !contains(out, "the bad one", "boom", "level=ERROR") {
		t.Errorf("log: %s", out)
	}
}
