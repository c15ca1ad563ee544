package main

import (
	"math"
	"runtime"
	"runtime/metrics"
)

// Process is what the runtime and the system say of a process. What they do not say is NaN.
type Process struct {
	Heap       float64 // bytes of objects that live, or have not been collected yet
	RSS        float64 // bytes of memory that are in use
	Goroutines float64
	CPU        float64 // seconds since the beginning
	Cores      float64 // that may run Go code at once
	Pauses     *metrics.Float64Histogram
}

// ReadProcess reads those of this process.
func ReadProcess() Process {
	samples := []metrics.Sample{ // a new one each time: it owns what is read
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/sched/goroutines:goroutines"},
		{Name: "/sched/pauses/total/gc:seconds"},
	}
	metrics.Read(samples)
	p := Process{Heap: number(&samples[0]), Goroutines: number(&samples[1]), Cores: float64(runtime.GOMAXPROCS(0))}
	if v := samples[2].Value; v.Kind() == metrics.KindFloat64Histogram {
		p.Pauses = v.Float64Histogram()
	}
	p.RSS, p.CPU = rss(), cpu()
	return p
}

func number(s *metrics.Sample) float64 {
	if s.Value.Kind() != metrics.KindUint64 {
		return math.NaN() // another version of Go may not have it
	}
	return float64(s.Value.Uint64())
}

// longest bounds the longest duration that is in now and was not in before; 0: there is none. Both have the same buckets.
func longest(now, before *metrics.Float64Histogram) float64 {
	if now == nil || before == nil {
		return math.NaN()
	}
	for i := len(now.Counts) - 1; i >= 0; i-- {
		if now.Counts[i] <= before.Counts[i] {
			continue
		}
		if upper := now.Buckets[i+1]; !math.IsInf(upper, 0) {
			return upper
		}
		return now.Buckets[i]
	}
	return 0
}
