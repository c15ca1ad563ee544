package room

import (
	"container/heap"
	"math"
	"time"
)

// Timer is a function that a room will run. See Room.After and Room.Every.
type Timer struct {
	room  *Room
	fn    func()
	due   time.Duration // in the room's time
	every time.Duration // 0: once
	order uint64        // among timers due at the same time, the older first
	place int           // in the heap; -1: not in it
}

// After runs fn on the room's owner once d of the room's time has passed. In a room with a rate that time is counted in
// ticks: fn runs at the beginning of the first tick that is not earlier. In an event-driven room it is real time, in
// steps of 50 ms.
func (r *Room) After(d time.Duration, fn func()) *Timer { return r.schedule(d, 0, fn) }

// Every is After, again and again, d apart. d must be positive.
func (r *Room) Every(d time.Duration, fn func()) *Timer {
	if d <= 0 {
		panic("room: Every needs a positive duration")
	}
	return r.schedule(d, d, fn)
}

func (r *Room) schedule(d, every time.Duration, fn func()) *Timer {
	r.mustOwn("After")
	r.timersMade++
	t := &Timer{room: r, fn: fn, due: later(r.time, d), every: every, order: r.timersMade}
	heap.Push(&r.timers, t)
	return t
}

// later is t+d, as late as it can be said.
func later(t, d time.Duration) time.Duration { return t + min(max(d, 0), math.MaxInt64-t) }

// Stop keeps the timer from running and reports whether it would have run.
func (t *Timer) Stop() bool {
	t.room.mustOwn("Timer.Stop")
	t.every = 0
	if t.place < 0 {
		return false
	}
	heap.Remove(&t.room.timers, t.place)
	return true
}

// runTimers runs what is due. A timer that a timer sets runs with the next tick at the earliest.
func (r *Room) runTimers() {
	made := r.timersMade
	for r.closing == nil && len(r.timers) > 0 && r.timers[0].due <= r.time && r.timers[0].order <= made {
		t := heap.Pop(&r.timers).(*Timer)
		if t.every > 0 {
			t.due = max(later(t.due, t.every), r.time+1)
			heap.Push(&r.timers, t)
		}
		t.fn()
		r.settle()
	}
}

// timerHeap orders timers by due time, then by age.
type timerHeap []*Timer

func (h timerHeap) Len() int { return len(h) }
func (h timerHeap) Less(i, j int) bool {
	return h[i].due < h[j].due || (h[i].due == h[j].due && h[i].order < h[j].order)
}
func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}
func (h *timerHeap) Push(x any) {
	t := x.(*Timer)
	t.place = len(*h)
	*h = append(*h, t)
}
func (h *timerHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	t.place = -1
	return t
}

// restart makes a timer that is not waiting due d from now.
func (r *Room) restart(t *Timer, d time.Duration) {
	t.due = later(r.time, d)
	heap.Push(&r.timers, t)
}
