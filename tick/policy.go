package tick

import (
	"strconv"
	"time"
)

// Policy says what becomes of deadlines that a fixed-rate task has missed.
// The zero value is [Skip].
type Policy int32

const (
	// Skip leaves missed ticks out and runs the latest due one. The grid is
	// kept: Tick.N jumps and Tick.Skipped tells by how much.
	Skip Policy = 0

	// SlowDown never skips. When a whole step has been missed the grid shifts
	// so that the tick that begins now is the present: numbers stay consecutive
	// and time dilates.
	SlowDown Policy = -1
)

// CatchUp runs up to n missed ticks in addition to the one due, back to back
// with consecutive numbers, and skips what is left after them: the next tick
// reports those in Tick.Skipped. The cap keeps a task whose steps are slower
// than its rate from falling behind for ever (the "spiral of death" of Glenn
// Fiedler's Fix Your Timestep, 2004). n below 1 means Skip.
func CatchUp(n int) Policy { return Policy(min(max(n, 0), 1<<20)) }

// String names the policy for log lines.
func (p Policy) String() string {
	switch {
	case p == Skip:
		return "skip"
	case p < 0:
		return "slow down"
	}
	return "catch up " + strconv.Itoa(int(p))
}

// plan is what a task has to do at one moment.
type plan struct {
	first  uint64        // number of the first tick to run
	steps  int           // how many to run, with consecutive numbers; 0: none is due
	before int           // ticks skipped right before the first
	after  int           // ticks skipped right after the last
	shift  time.Duration // how far the grid moves, SlowDown only
}

// planAt applies the policy: the ticks up to last are done with, and now is the
// time. After the plan the next deadline, that of tick first+steps+after on the
// shifted grid, is later than now.
func planAt(p Policy, g *grid, last uint64, now time.Duration) plan {
	latest := g.latest(now)
	if latest <= last {
		return plan{first: last + 1}
	}
	due := int(latest - last)
	switch {
	case p == Skip:
		return plan{first: latest, steps: 1, before: due - 1}
	case p > 0:
		steps := min(due, int(p)+1)
		return plan{first: last + 1, steps: steps, after: due - steps}
	}
	pl := plan{first: last + 1, steps: 1}
	if due > 1 {
		pl.shift = now - g.deadline(last+1)
	}
	return pl
}
