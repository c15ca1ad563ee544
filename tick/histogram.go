package tick

import (
	"math"
	"math/bits"
	"sync/atomic"
	"time"
)

// The buckets are log-linear, as in HdrHistogram (Gil Tene): every octave is
// cut into 8 equal parts. Bucket 0 holds everything below 1.024 µs, the last
// one everything from 17.2 s on.
const (
	subBits = 3
	subs    = 1 << subBits
	minExp  = 10 // 2^10 ns = 1.024 µs
	maxExp  = 34 // 2^34 ns = 17.2 s
	buckets = 1 + (maxExp-minExp)*subs + 1
)

func bucketOf(d time.Duration) int {
	if d < 1<<minExp {
		return 0
	}
	if d >= 1<<maxExp {
		return buckets - 1
	}
	exp := bits.Len64(uint64(d)) - 1
	sub := int(uint64(d)>>(exp-subBits)) & (subs - 1)
	return 1 + (exp-minExp)*subs + sub
}

// upper is the smallest duration above bucket i.
func upper(i int) time.Duration {
	switch i {
	case 0:
		return 1 << minExp
	case buckets - 1:
		return math.MaxInt64
	}
	i--
	exp, sub := minExp+i/subs, i%subs
	return time.Duration((subs + sub + 1) << (exp - subBits))
}

// Histogram counts durations in fixed buckets. The zero value is empty.
// Recording is two atomic additions, allocates nothing and takes no lock.
type Histogram struct {
	sum    atomic.Int64
	max    atomic.Int64
	counts [buckets]atomic.Uint64
}

// Record counts d; a negative one counts as zero.
func (h *Histogram) Record(d time.Duration) {
	d = max(d, 0)
	h.counts[bucketOf(d)].Add(1)
	h.sum.Add(int64(d))
	for m := h.max.Load(); int64(d) > m; m = h.max.Load() {
		if h.max.CompareAndSwap(m, int64(d)) {
			return
		}
	}
}

// addTo merges the present counts into s. Recordings that happen meanwhile may
// be seen in part.
func (h *Histogram) addTo(s *Distribution) {
	for i := range h.counts {
		n := h.counts[i].Load()
		s.counts[i] += n
		s.count += n
	}
	s.sum += time.Duration(h.sum.Load())
	s.max = max(s.max, time.Duration(h.max.Load()))
}

// Snapshot copies the counts.
func (h *Histogram) Snapshot() Distribution {
	var s Distribution
	h.addTo(&s)
	return s
}

// Distribution is a copy of one or more histograms at one moment.
type Distribution struct {
	count    uint64
	sum, max time.Duration
	counts   [buckets]uint64
}

// Count is how many durations were recorded.
func (s *Distribution) Count() uint64 { return s.count }

// Sum is their exact sum.
func (s *Distribution) Sum() time.Duration { return s.sum }

// Max is the exact longest.
func (s *Distribution) Max() time.Duration { return s.max }

// Quantile is a bound that the fraction p (0 to 1) of the durations do not
// exceed; 0 if there are none. From 1 µs to 17 s it is above the exact value by
// at most an eighth of it; below that it is 1.024 µs, above that Max.
func (s *Distribution) Quantile(p float64) time.Duration {
	if s.count == 0 {
		return 0
	}
	rank := uint64(math.Ceil(p * float64(s.count)))
	rank = min(max(rank, 1), s.count)
	var seen uint64
	for i, n := range &s.counts {
		if seen += n; seen >= rank {
			return min(upper(i), s.max)
		}
	}
	return s.max
}

// Merge adds the durations of o.
func (s *Distribution) Merge(o *Distribution) {
	s.count += o.count
	s.sum += o.sum
	s.max = max(s.max, o.max)
	for i, n := range &o.counts {
		s.counts[i] += n
	}
}

// Since is what was recorded after earlier, an older copy of the same histograms. Of its longest duration only a bound is known,
// as Quantile's.
func (s *Distribution) Since(earlier *Distribution) Distribution {
	d := Distribution{count: s.count - earlier.count, sum: s.sum - earlier.sum}
	for i := range s.counts {
		if d.counts[i] = s.counts[i] - earlier.counts[i]; d.counts[i] > 0 {
			d.max = min(upper(i), s.max)
		}
	}
	return d
}
