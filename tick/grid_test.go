package tick

import (
	"math/big"
	"math/rand/v2"
	"testing"
	"time"
)

// Every rate: after a day, and after ten years, the deadlines are where exact
// arithmetic puts them.
func TestGridDoesNotDrift(t *testing.T) {
	exact := func(g grid, n uint64) time.Duration {
		x := new(big.Int).Mul(new(big.Int).SetUint64(n), big.NewInt(int64(time.Second)))
		x.Quo(x, big.NewInt(g.rate))
		return g.start + time.Duration(x.Int64())
	}
	for rate := 1; rate <= MaxRate; rate++ {
		g := grid{start: 12345 * time.Microsecond, rate: int64(rate)}
		day := uint64(86400 * rate)
		if got, want := g.deadline(day), g.start+24*time.Hour; got != want {
			t.Errorf("rate %d: a day of ticks ends at %v, not %v", rate, got, want)
		}
		for range 200 {
			for _, span := range []uint64{day, 3650 * day} {
				n := rand.Uint64N(span)
				if got, want := g.deadline(n), exact(g, n); got != want {
					t.Fatalf("rate %d: deadline(%d) = %d, want %d", rate, n, got, want)
				}
			}
		}
	}
}

// latest is the inverse of deadline, to the nanosecond.
func TestGridLatest(t *testing.T) {
	for rate := 1; rate <= MaxRate; rate++ {
		g := grid{start: 777, rate: int64(rate)}
		numbers := []uint64{1, 2, 3, uint64(rate), uint64(rate) + 1, uint64(86400*rate) - 1}
		for range 100 {
			numbers = append(numbers, 1+rand.Uint64N(uint64(86400*365*rate)))
		}
		for _, n := range numbers {
			d := g.deadline(n)
			if a, b := g.latest(d-1), g.latest(d); a != n-1 || b != n {
				t.Fatalf("rate %d, tick %d: latest is %d a nanosecond before and %d at the deadline", rate, n, a, b)
			}
		}
		if n := g.latest(0); n != 0 {
			t.Fatalf("rate %d: latest(0) = %d before the start", rate, n)
		}
	}
}

// The first tick comes within one step after now, on the common grid of its
// rate and phase.
func TestNewGrid(t *testing.T) {
	for rate := 1; rate <= MaxRate; rate++ {
		for range 300 {
			phase := time.Duration(rand.IntN(phases(rate, time.Millisecond))) * time.Millisecond
			now := time.Duration(rand.Int64N(int64(3 * time.Second)))
			if rand.IntN(2) == 0 { // exactly on a deadline, or beside it
				g := grid{start: phase, rate: int64(rate)}
				now = max(0, g.deadline(rand.Uint64N(1000))+time.Duration(rand.IntN(3)-1))
			}
			g := newGrid(rate, phase, now)
			first := g.deadline(1)
			if first <= now || first > now+g.dt()+1 {
				t.Fatalf("rate %d phase %v: first tick at %d, now %d", rate, phase, first, now)
			}
			common := grid{start: phase, rate: int64(rate)}
			for _, n := range []uint64{1, 2, 3, 1000} {
				d := g.deadline(n)
				if off := d - common.deadline(common.latest(d)); off != 0 {
					t.Fatalf("rate %d phase %v now %d: tick %d at %d is %d ns off the grid", rate, phase, now, n, d, off)
				}
			}
		}
	}
}

func TestPhasesFitInThePeriod(t *testing.T) {
	for rate := 1; rate <= MaxRate; rate++ {
		for _, step := range []time.Duration{time.Millisecond, 3 * time.Millisecond, 5 * time.Millisecond} {
			n := phases(rate, step)
			period := time.Second / time.Duration(rate)
			if n < 1 || n > 1 && time.Duration(n)*step > period || time.Duration(n+1)*step <= period {
				t.Errorf("rate %d: %d phases of %v in %v", rate, n, step, period)
			}
		}
	}
}
