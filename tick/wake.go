package tick

import "time"

// maxInline is how many Steps in a row an inline wake-up runs before it hands
// the task to the worker, so that one hot room cannot keep a poller.
const maxInline = 8

// Wake asks for a Step of an event-driven task; on a fixed-rate one it does
// nothing. Any goroutine may call it. Wake-ups coalesce: after Wake at least
// one Step begins that sees everything written before the Wake, however many
// there were.
//
// If inline is true and the task is idle, the Step runs right now on the
// caller's goroutine, and again, a few times, if the task is woken meanwhile.
// If the task is running elsewhere, it runs again there. If inline is false, the
// Step runs on the task's worker (with Manual: in RunDue), and if the task has
// blocked lately, on a goroutine of its own.
// Do not use inline within a Step: the two would nest on one stack.
func (t *Task) Wake(inline bool) {
	if t.rate != 0 {
		return
	}
	sh := t.sh
	sh.mu.Lock()
	switch {
	case t.stopped || sh.closed || t.again || t.in == &sh.queue:
		// Whoever takes the task next locks mu after this: it sees our writes.
		sh.mu.Unlock()
	case t.running:
		t.again, t.wokenAt = true, sh.s.clock()
		sh.mu.Unlock()
	case inline && !t.offload:
		sh.runInline(t)
	default:
		t.wokenAt = sh.s.clock()
		sh.enqueue(t)
		sh.mu.Unlock()
	}
}

// runInline steps an idle task on this goroutine. It is called with mu held and
// returns without it.
func (sh *shard) runInline(t *Task) {
	at := sh.s.clock()
	t.wokenAt = at
	for run := 1; ; run++ {
		tk := t.wakeTick(at)
		sh.began(t, at)
		sh.inline.push(t)
		sh.mu.Unlock()
		t.call(tk)
		end := sh.s.clock()
		t.m.record(tk, end-at)
		sh.mu.Lock()
		sh.inline.remove(t)
		sh.ended(t)
		if !t.again || run == maxInline || t.offload || sh.closed || t.stopped {
			break
		}
		t.again = false
		at = end
	}
	sh.settle(t)
	sh.mu.Unlock()
}

// wakeTick is the time of an event-driven Step that begins at at. With mu held.
func (t *Task) wakeTick(at time.Duration) Tick {
	t.last++
	return Tick{N: t.last, Now: t.wokenAt, Late: max(0, at-t.wokenAt)}
}

// settle puts a task whose Step has returned where it belongs. With mu held.
func (sh *shard) settle(t *Task) {
	switch {
	case t.stopped || sh.closed:
	case t.rate != 0:
		sh.park(t)
	case t.again:
		t.again = false
		sh.enqueue(t)
	}
}
