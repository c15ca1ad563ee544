package tick

import (
	"testing"
	"time"
)

func TestRunDueDoesNotAllocate(t *testing.T) {
	for _, p := range []Policy{Skip, CatchUp(2), SlowDown} {
		s := New(Config{Manual: true})
		var m Metrics
		for range 500 {
			s.Add(fn(func(Tick) {}), 60, p, &m)
		}
		now := time.Duration(0)
		if n := testing.AllocsPerRun(200, func() {
			now += 7 * slot
			s.RunDue(now)
		}); n != 0 {
			t.Errorf("%v: %v allocations per RunDue", p, n)
		}
		s.Close()
	}
}

func TestWakeDoesNotAllocate(t *testing.T) {
	s := New(Config{Manual: true})
	defer s.Close()
	var m Metrics
	task := s.Add(fn(func(Tick) {}), 0, Skip, &m)
	if n := testing.AllocsPerRun(200, func() { task.Wake(true) }); n != 0 {
		t.Errorf("%v allocations per inline Wake", n)
	}
	if n := testing.AllocsPerRun(200, func() { task.Wake(false); s.RunDue(0) }); n != 0 {
		t.Errorf("%v allocations per Wake and RunDue", n)
	}
}

func TestWorkerDoesNotAllocate(t *testing.T) {
	s := New(Config{Workers: 1})
	defer s.Close()
	stepped := make(chan struct{})
	task := s.Add(fn(func(Tick) { stepped <- struct{}{} }), 0, Skip, nil)
	if n := testing.AllocsPerRun(200, func() { task.Wake(false); <-stepped }); n != 0 {
		t.Errorf("%v allocations per Wake on the worker", n)
	}
}
