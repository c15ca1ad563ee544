package tick

import (
	"log/slog"
	"runtime"
	"time"
)

// Config configures a Scheduler. The zero Config works.
type Config struct {
	// Workers is the number of shards, and of worker goroutines when not
	// Manual. 0 means GOMAXPROCS, or 1 with Manual, so that a replay steps its
	// tasks in the same order on every machine.
	Workers int

	// BlockAfter is how long a Step may run before it is reported and its shard
	// taken over. 0 means 100 ms.
	BlockAfter time.Duration

	// Grace is how much longer than a deadline a worker sleeps. Where pollers
	// call RunDue after each round of events, a grace of a millisecond or two
	// lets them come first and leaves the worker as the timer of quiet times.
	// 0 means none.
	Grace time.Duration

	// Gather is how far apart the phases are over which the tasks of one rate are
	// spread: tasks of one phase run together. Wider ones mean fewer wake-ups, and
	// for pollers that rest between ticks (Claim) more input at a time; but who
	// is last in a phase waits for the others. So with more than a few tasks in
	// each phase there are more phases, down to 500 µs apart. 0 means 1 ms.
	Gather time.Duration

	// Alarm makes what a worker sleeps on. nil, or nil from it, means Go's timers,
	// which may be up to a millisecond late.
	Alarm func() Alarm

	// Clock tells the scheduler's time; it must be monotonic and safe for any
	// goroutine. nil means the time since New, or with Manual the latest time
	// that RunDue was told.
	Clock func() time.Duration

	// Logger gets the warnings. nil means slog.Default().
	Logger *slog.Logger

	// Manual starts no goroutine at all: whoever calls RunDue drives everything,
	// and a blocked Step blocks that caller.
	Manual bool
}

// withDefaults fills in what the zero values mean, except for Clock.
func (c Config) withDefaults() Config {
	if c.Workers <= 0 {
		c.Workers = runtime.GOMAXPROCS(0)
		if c.Manual {
			c.Workers = 1
		}
	}
	if c.BlockAfter <= 0 {
		c.BlockAfter = 100 * time.Millisecond
	}
	c.Grace = max(c.Grace, 0)
	if c.Gather <= 0 {
		c.Gather = time.Millisecond
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}
