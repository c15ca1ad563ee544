package room

import (
	"container/heap"
	"sync"
	"time"

	"github.com/volley-go/volley/tick"
)

// keeperRate is how often the keeper looks, per second: the precision of timers in event-driven rooms.
const keeperRate = 20

// keeper wakes event-driven rooms when their timers are due. It is a task of the scheduler like a room, so that a virtual
// clock drives it as well. A room waits in it at most once, and not beyond its end.
type keeper struct {
	mu    sync.Mutex
	waits keptHeap // guarded by mu
}

// kept is a room's place with the keeper.
type kept struct {
	due   time.Duration // in the scheduler's time; guarded by the keeper's mu
	place int           // in the keeper's heap, plus one; 0: not in it; guarded by the keeper's mu
}

// Name is for log lines.
func (k *keeper) Name() string { return "keeper" }

// Step wakes the rooms whose time has come.
func (k *keeper) Step(t tick.Tick) {
	var due []*Room
	k.mu.Lock()
	for len(k.waits) > 0 && k.waits[0].kept.due <= t.Now+t.Late {
		r := heap.Pop(&k.waits).(*Room)
		r.keptFor.Store(0)
		due = append(due, r)
	}
	k.mu.Unlock()
	for _, r := range due {
		r.wake(false)
	}
}

// at has r woken at the scheduler's time due or soon after it, and at no other time.
func (k *keeper) at(due time.Duration, r *Room) {
	k.mu.Lock()
	defer k.mu.Unlock()
	r.kept.due = due
	if r.kept.place > 0 {
		heap.Fix(&k.waits, r.kept.place-1)
	} else {
		heap.Push(&k.waits, r)
	}
	r.keptFor.Store(int64(due))
}

// forget lets r sleep.
func (k *keeper) forget(r *Room) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if r.kept.place > 0 {
		heap.Remove(&k.waits, r.kept.place-1)
	}
	r.keptFor.Store(0)
}

// keep asks the keeper to wake an event-driven room for its next timer. If the keeper takes the room out at this very
// moment, the wake-up that follows brings another Step, which asks again.
func (r *Room) keep() {
	if r.kind.cfg.Rate > 0 {
		return
	}
	has := time.Duration(r.keptFor.Load())
	if len(r.timers) == 0 || r.closed {
		if has != 0 {
			r.kind.host.keeper.forget(r)
		}
		return
	}
	if due := max(later(r.opened, r.timers[0].due), 1); due != has {
		r.kind.host.keeper.at(due, r)
	}
}

// keptHeap has the room that is due first in front.
type keptHeap []*Room

func (h keptHeap) Len() int           { return len(h) }
func (h keptHeap) Less(i, j int) bool { return h[i].kept.due < h[j].kept.due }
func (h keptHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].kept.place, h[j].kept.place = i+1, j+1
}

func (h *keptHeap) Push(x any) {
	r := x.(*Room)
	*h = append(*h, r)
	r.kept.place = len(*h)
}

func (h *keptHeap) Pop() any {
	old := *h
	r := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	r.kept.place = 0
	return r
}
