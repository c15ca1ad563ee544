package game

import (
	"container/heap"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// clock runs the ticks of all rooms, each on a grid of its own that began when it was opened.
type clock struct {
	mu      sync.Mutex
	due     deadlines
	late    []int64 // ns, of the window
	steps   uint64  // of the window, likewise
	skipped uint64
}

type deadline struct {
	at, period int64 // ns
	room       *room
}

// deadlines is a heap.
type deadlines []*deadline

func (d deadlines) Len() int           { return len(d) }
func (d deadlines) Less(i, j int) bool { return d[i].at < d[j].at }
func (d deadlines) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }
func (d *deadlines) Push(x any)        { *d = append(*d, x.(*deadline)) }
func (d *deadlines) Pop() any {
	last := len(*d) - 1
	x := (*d)[last]
	*d = (*d)[:last]
	return x
}

func (c *clock) add(r *room, rate int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	period := int64(time.Second) / int64(rate)
	heap.Push(&c.due, &deadline{monotonic() + period, period, r})
}

// Grain is what deadlines are rounded up to, so that one waking serves all rooms of a millisecond. A timer of the kernel's
// epoll_wait has the same grain, and so has Volley.
const Grain = time.Millisecond

// Keep runs ticks for ever.
func (g *Games) Keep() {
	for {
		g.RunDue()
		time.Sleep(g.untilNext())
	}
}

// untilNext is how long to sleep: to the end of the millisecond in which the next room is due.
func (g *Games) untilNext() time.Duration {
	g.clock.mu.Lock()
	defer g.clock.mu.Unlock()
	now := monotonic()
	next := now + int64(Grain)
	if len(g.clock.due) > 0 {
		next = max(g.clock.due[0].at, now)
	}
	return time.Duration((next/int64(Grain)+1)*int64(Grain) - now)
}

// RunDue runs the ticks that are due. It must not run twice at once.
func (g *Games) RunDue() {
	for {
		r := g.clock.take()
		if r == nil {
			return
		}
		r.tick()
	}
}

// take returns a room that is due, and counts how late it is. Missed ticks are left out, as Volley does by default.
func (c *clock) take() *room {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := monotonic()
	if len(c.due) == 0 || c.due[0].at > now {
		return nil
	}
	d := c.due[0]
	missed := (now - d.at) / d.period
	c.skipped += uint64(missed)
	d.at += missed * d.period
	c.late = append(c.late, now-d.at)
	c.steps++
	d.at += d.period
	heap.Fix(&c.due, 0)
	return d.room
}

// Lateness is what the clock has counted since the last reset.
type Lateness struct {
	Sorted         []int64 // ns
	Steps, Skipped uint64
}

// Late says how late ticks were; reset begins a new window.
func (g *Games) Late(reset bool) Lateness {
	c := &g.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	l := Lateness{slices.Sorted(slices.Values(c.late)), c.steps, c.skipped}
	if reset {
		c.late, c.steps, c.skipped = c.late[:0], 0, 0
	}
	return l
}

// monotonic is CLOCK_MONOTONIC in ns: every process of a machine reads the same. time.Since asks the same clock without a
// system call.
func monotonic() int64 { return base + int64(time.Since(began)) }

var (
	base  = now()
	began = time.Now()
)

func now() int64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	return ts.Nano()
}
