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

func TestSinceIsWhatCameBetween(t *testing.T) {
	var h Histogram
	var m Metrics
	stripe := m.stripe(0)
	record := func(d time.Duration) {
		h.Record(d)
		stripe.record(Tick{Late: d, Dt: time.Millisecond}, d)
	}
	for range 100 {
		record(time.Second)
	}
	stripe.addSkipped(3)
	before, counted := h.Snapshot(), m.Snapshot()
	for range 50 {
		record(100 * time.Microsecond)
	}
	record(10 * time.Millisecond)
	stripe.addSkipped(2)
	stripe.addBlocked()
	stripe.addPanic()

	after := h.Snapshot()
	d := after.Since(&before)
	if d.Count() != 51 || d.Sum() != 15*time.Millisecond {
		t.Errorf("%d durations of %v altogether", d.Count(), d.Sum())
	}
	for _, c := range []struct {
		what      string
		got, want time.Duration
	}{
		{"median", d.Quantile(0.5), 100 * time.Microsecond},
		{"0.99", d.Quantile(0.99), 10 * time.Millisecond},
		{"longest", d.Max(), 10 * time.Millisecond},
	} {
		if c.got < c.want || c.got > c.want*9/8 {
			t.Errorf("%s: %v; want %v, an eighth more at the most", c.what, c.got, c.want)
		}
	}
	if d := after.Since(&after); d.Count() != 0 || d.Sum() != 0 || d.Max() != 0 || d.Quantile(0.5) != 0 {
		t.Errorf("since now: %d of %v, up to %v", d.Count(), d.Sum(), d.Max())
	}

	now := m.Snapshot()
	got := now.Since(&counted)
	if got.Steps != 51 || got.Overruns != 1 || got.Skipped != 2 || got.Blocked != 1 || got.Panics != 1 {
		t.Errorf("%d steps, %d overruns, %d skipped, %d blocked, %d panics",
			got.Steps, got.Overruns, got.Skipped, got.Blocked, got.Panics)
	}
	if got.Lateness != d || got.Duration != d {
		t.Error("the distributions are not those of the steps between")
	}
}
