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
// clock drives it as well.
type keeper struct {
	mu    sync.Mutex
	waits map[int64][]*Room // guarded by mu; by the keeper's look, counted since the scheduler began
	last  int64             // guarded by mu
}

func newKeeper() *keeper { return &keeper{waits: map[int64][]*Room{}} }

// Name is for log lines.
func (k *keeper) Name() string { return "keeper" }

// Step wakes the rooms whose time has come.
func (k *keeper) Step(t tick.Tick) {
	k.mu.Lock()
	var due []*Room
	for look := int64((t.Now + t.Late) * keeperRate / time.Second); k.last <= look; k.last++ {
		due = append(due, k.waits[k.last]...)
		delete(k.waits, k.last)
	}
	k.mu.Unlock()
	for _, r := range due {
		r.wake(false)
	}
}

// at has r woken at the scheduler's time due or soon after it.
func (k *keeper) at(due time.Duration, r *Room) {
	look := int64((due*keeperRate + time.Second - 1) / time.Second)
	k.mu.Lock()
	look = max(look, k.last)
	k.waits[look] = append(k.waits[look], r)
	k.mu.Unlock()
}

// keep asks the keeper to wake an event-driven room for its next timer.
func (r *Room) keep() {
	if r.kind.cfg.Rate > 0 || len(r.timers) == 0 {
		return
	}
	due := r.timers[0].due
	if r.keptFor > r.time && r.keptFor <= due {
		return // it will come before, and then ask again
	}
	r.keptFor = due
	r.kind.host.keeper.at(r.opened+due, r)
}

// restart makes a timer that is not waiting due d from now.
func (r *Room) restart(t *Timer, d time.Duration) {
	t.due = r.time + d
	heap.Push(&r.timers, t)
}
