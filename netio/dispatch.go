package netio

import (
	"runtime/debug"
	"sync"
)

// dispatchQueue holds the connections that the dispatcher has to look at, each at most once.
type dispatchQueue struct {
	mu    sync.Mutex // a leaf: it is taken under any other lock
	conns []*Conn
	wake  chan struct{}
}

// dispatch makes the dispatcher look at c. It never blocks.
func (e *Engine) dispatch(c *Conn) {
	if !c.set(flagQueued) {
		return
	}
	q := &e.queue
	q.mu.Lock()
	q.conns = append(q.conns, c)
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// runDispatcher is the goroutine that calls Drained and Closed, so that they come under no lock and on nobody's stack.
func (e *Engine) runDispatcher() {
	defer e.background.Done()
	var batch []*Conn
	for {
		select {
		case <-e.queue.wake:
		case <-e.done: // nbio has stopped: whatever is queued is the last
			e.dispatchAll(&batch)
			return
		}
		e.dispatchAll(&batch)
	}
}

func (e *Engine) dispatchAll(batch *[]*Conn) {
	q := &e.queue
	for {
		q.mu.Lock()
		*batch, q.conns = q.conns, (*batch)[:0]
		q.mu.Unlock()
		if len(*batch) == 0 {
			return
		}
		for i, c := range *batch {
			(*batch)[i] = nil
			c.clear(flagQueued) // before looking: whoever comes later queues it again
			e.attend(c)
		}
	}
}

// attend does what a connection is due.
func (e *Engine) attend(c *Conn) {
	drained := c.clear(flagDrained)
	reason := c.reason.Load()
	if reason == nil {
		if drained {
			e.sayDrained(c)
		}
		return
	}
	if drained {
		c.finish()
	}
	// Whoever is inside Message or Open looks at reason when it has let go of readMu, and dispatches again.
	if !c.readMu.TryLock() {
		return
	}
	s := c.session
	dead := c.flags.Load()&flagDead != 0
	if s != nil {
		c.session, c.over = nil, true
	}
	gone := dead && c.over && !c.gone
	if gone {
		c.gone = true
	}
	if dead {
		c.releaseReaders()
	}
	c.readMu.Unlock()
	if s != nil {
		e.guard(func() { s.Closed(*reason) })
	}
	if gone {
		e.totals.open.Add(-1) // only now: Shutdown waits for Closed too
	}
}

// sayDrained calls Drained. It does not wait for whoever is inside Message or Open: that one sees flagDrained when it lets go of
// readMu, or has let go of it before the second try.
func (e *Engine) sayDrained(c *Conn) {
	if !c.readMu.TryLock() {
		c.set(flagDrained)
		if !c.readMu.TryLock() {
			return
		}
		c.clear(flagDrained)
	}
	s := c.session
	c.readMu.Unlock()
	if s != nil {
		e.guard(s.Drained)
	}
}

// guard keeps a panic of the user's to itself: the dispatcher and the pollers serve everybody.
func (e *Engine) guard(f func()) {
	defer func() {
		if p := recover(); p != nil {
			e.log.Error("netio: a callback panicked", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	f()
}
