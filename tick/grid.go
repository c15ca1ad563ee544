package tick

import "time"

// grid is the line of deadlines of one fixed-rate task. It is pure arithmetic.
//
// deadline(n) = start + n/rate, rounded down to a nanosecond: each deadline is
// computed from the start, so the rounding error never exceeds 1 ns and there
// is no drift, at rates such as 60 that do not divide a second either.
type grid struct {
	start time.Duration
	rate  int64
}

// offset is n/rate in nanoseconds. Splitting off whole seconds first keeps the
// product below 240e9, so it does not overflow in 292 years.
func (g grid) offset(n uint64) time.Duration {
	r := uint64(g.rate)
	return time.Duration(n/r*uint64(time.Second) + n%r*uint64(time.Second)/r)
}

// deadline is when tick n is due.
func (g grid) deadline(n uint64) time.Duration { return g.start + g.offset(n) }

// dt is the nominal step.
func (g grid) dt() time.Duration { return time.Second / time.Duration(g.rate) }

// latest is the highest n with deadline(n) <= now, or 0 before the start.
//
// With x = now-start: floor(n*1e9/rate) <= x if and only if
// n*1e9 < (x+1)*rate, so n is floor(((x+1)*rate - 1) / 1e9).
func (g grid) latest(now time.Duration) uint64 {
	x := int64(now - g.start)
	if x < 0 {
		return 0
	}
	const s = int64(time.Second)
	return uint64(x/s*g.rate + ((x%s+1)*g.rate-1)/s)
}

// newGrid is the grid of a task of the given rate and phase whose tick 1 is the
// first deadline after now: at most one step later. All grids of one rate and
// phase agree to the nanosecond or nearly so (1 ns), whenever they were made.
func newGrid(rate int, phase, now time.Duration) grid {
	g := grid{start: phase, rate: int64(rate)}
	if now < phase {
		g.start -= g.dt()
		return g
	}
	g.start = g.deadline(g.latest(now))
	if g.deadline(1) <= now { // the 1 ns of rounding fell on now
		g.start = now
	}
	return g
}

// phases is how many 1 ms phase slots the tasks of a rate are spread over: the
// whole milliseconds of its period.
func phases(rate int) int { return max(1, 1000/rate) }
