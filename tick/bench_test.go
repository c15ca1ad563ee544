package tick

import (
	"testing"
	"time"
)

type nop struct{}

func (nop) Step(Tick)    {}
func (nop) Name() string { return "nop" }

// One op is a millisecond of 10,000 rooms at 60 Hz, on the real clock's price.
func BenchmarkRunDue10k60Hz(b *testing.B) {
	start := time.Now()
	s := New(Config{Manual: true, Clock: func() time.Duration { return time.Since(start) }})
	defer s.Close()
	var m Metrics
	for range 10_000 {
		s.Add(nop{}, 60, Skip, &m)
	}
	now := s.Now() + time.Hour // ahead of the clock, so that now alone decides
	s.RunDue(now)
	before := m.Snapshot().Steps
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		now += slot
		s.RunDue(now)
	}
	b.StopTimer()
	steps := m.Snapshot().Steps - before
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(max(steps, 1)), "ns/step")
	b.ReportMetric(float64(steps)/float64(b.N), "steps/op")
}

func BenchmarkRunDueNothingDue(b *testing.B) {
	s := New(Config{Workers: 2})
	defer s.Close()
	for range b.N {
		s.RunDue(0)
	}
}

func BenchmarkWakeInline(b *testing.B) {
	s := New(Config{Workers: 1})
	defer s.Close()
	var m Metrics
	task := s.Add(nop{}, 0, Skip, &m)
	b.ReportAllocs()
	for range b.N {
		task.Wake(true)
	}
}

func BenchmarkHistogramRecord(b *testing.B) {
	var h Histogram
	for i := range b.N {
		h.Record(time.Duration(i))
	}
}
