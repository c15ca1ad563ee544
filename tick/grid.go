package tick

import "time"

// grid is the line of deadlines of one fixed-rate task. It is pure arithmetic.
//
// deadline(n) = start + (base+n)/rate, rounded down to a nanosecond: each
// deadline is computed from the start, so the rounding error never exceeds 1 ns
// and there is no drift, at rates such as 60 that do not divide a second either.
type grid struct {
	start time.Duration
	base  uint64 // how far along the line the task's tick 0 is
	rate  int64
}

// newGrid is the grid of a task of the given rate and phase whose tick 1 is the
// first deadline after now, so at most one step later. All tasks of one rate
// and phase share their deadlines, whenever they were added.
func newGrid(rate int, phase, now time.Duration) grid {
	// The line begins a second early so that base is not negative.
	g := grid{start: phase - time.Second, rate: int64(rate)}
	g.base = g.latest(now)
	return g
}

// deadline is when tick n is due. Splitting off whole seconds first keeps the
// product below 240e9, so it does not overflow in 292 years.
func (g *grid) deadline(n uint64) time.Duration {
	n += g.base
	r := uint64(g.rate)
	q := n / r
	return g.start + time.Duration(q*uint64(time.Second)+(n-q*r)*uint64(time.Second)/r)
}

// latest is the highest n with deadline(n) <= now, or 0 if there is none.
//
// With x = now-start and m = base+n: floor(m*1e9/rate) <= x if and only if
// m*1e9 < (x+1)*rate, so m is floor(((x+1)*rate - 1) / 1e9).
func (g *grid) latest(now time.Duration) uint64 {
	x := int64(now - g.start)
	if x < 0 {
		return 0
	}
	const s = int64(time.Second)
	m := uint64(x/s*g.rate + ((x%s+1)*g.rate-1)/s)
	if m < g.base {
		return 0
	}
	return m - g.base
}

// dt is the nominal step.
func (g *grid) dt() time.Duration { return time.Second / time.Duration(g.rate) }

// phases is how many phases, step apart, the tasks of a rate are spread over: as
// many as its period has room for.
func phases(rate int, step time.Duration) int {
	return max(1, int(time.Second/(time.Duration(rate)*step)))
}
