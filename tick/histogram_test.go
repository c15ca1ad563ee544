package tick

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

func TestBucketsAreContiguous(t *testing.T) {
	for i := range buckets - 1 {
		u := upper(i)
		if bucketOf(u-1) != i || bucketOf(u) != i+1 {
			t.Errorf("bucket %d ends at %d: %d below it, %d at it", i, u, bucketOf(u-1), bucketOf(u))
		}
	}
	if bucketOf(10*time.Second) >= buckets-1 {
		t.Error("10 s is beyond the last bucket")
	}
}

func TestQuantilePrecision(t *testing.T) {
	var h Histogram
	var all []time.Duration
	for range 20000 { // from 1 µs to 10 s, evenly in the logarithm
		d := time.Microsecond << rand.IntN(23)
		d += time.Duration(rand.Int64N(int64(d)))
		h.Record(d)
		all = append(all, d)
	}
	slices.Sort(all)
	s := h.Snapshot()
	for _, p := range []float64{0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1} {
		exact := all[max(0, int(p*float64(len(all))+0.999999)-1)]
		got := s.Quantile(p)
		if got < exact || float64(got) > 1.125*float64(max(exact, 1024))+1 {
			t.Errorf("quantile %v is %v, exactly it is %v", p, got, exact)
		}
	}
	if s.Count() != 20000 || s.Max() != all[len(all)-1] {
		t.Errorf("count %d, max %v", s.Count(), s.Max())
	}
}

func TestHistogramExtremes(t *testing.T) {
	var empty Distribution
	if empty.Quantile(0.5) != 0 || empty.Max() != 0 || empty.Count() != 0 {
		t.Error("an empty distribution is not 0")
	}
	var h Histogram
	h.Record(-time.Second)
	h.Record(time.Hour)
	s := h.Snapshot()
	if got := s.Quantile(1); got != time.Hour {
		t.Errorf("the longest of all is %v", got)
	}
	if got := s.Quantile(0.5); got != 1024 {
		t.Errorf("a negative duration counts as %v", got)
	}
	if s.Sum() != time.Hour {
		t.Errorf("sum %v", s.Sum())
	}
}

func TestHistogramConcurrentAndMerged(t *testing.T) {
	var parts [3]Histogram
	var wg sync.WaitGroup
	for i := range parts {
		for range 4 {
			wg.Go(func() {
				for k := range 5000 {
					parts[i].Record(time.Duration(k+i) * time.Microsecond)
				}
			})
		}
	}
	wg.Wait()
	var sum Distribution
	for i := range parts {
		p := parts[i].Snapshot()
		sum.Merge(&p)
	}
	if sum.Count() != 60000 || sum.Max() != 5001*time.Microsecond {
		t.Errorf("count %d, max %v", sum.Count(), sum.Max())
	}
	if q := sum.Quantile(0.5); q < 2500*time.Microsecond || q > 2820*time.Microsecond {
		t.Errorf("median %v", q)
	}
}
