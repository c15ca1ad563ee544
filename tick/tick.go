package tick

import "time"

// MaxRate is the highest rate of a fixed-rate task, in ticks per second.
const MaxRate = 240

// Tick is one step's time, passed by value to games.
//
// Now+Late is the moment at which the step began.
type Tick struct {
	// N is the number of this tick; the first is 1. When ticks are skipped it
	// jumps, so that N*Dt stays on the grid. For an event-driven task it counts
	// the steps.
	N uint64

	// Dt is the fixed step, 1 s / rate rounded down to a nanosecond; 0 for an
	// event-driven task. Deadlines are computed from the rate, not by adding Dt,
	// so its rounding does not add up.
	Dt time.Duration

	// Skipped is how many ticks were left out right before this one.
	Skipped int

	// Now is this tick's deadline in the scheduler's time (monotonic, since the
	// scheduler's start). For an event-driven task it is when it was woken.
	Now time.Duration

	// Late is how long after Now the step began.
	Late time.Duration
}

// Seconds is Dt in seconds, as simulations want it.
func (t Tick) Seconds() float64 { return t.Dt.Seconds() }

// Stepper is what a scheduler drives: a room.
type Stepper interface {
	// Step runs one tick: a due one at a fixed rate, a wake-up at rate 0. Two
	// Steps of one task never overlap, and each sees what the one before wrote.
	Step(t Tick)

	// Name is for log lines. It is called from any goroutine, also while a Step
	// is stuck, and must not wait for one.
	Name() string
}
