package netio

import (
	"context"
	"errors"
	"time"

	"github.com/volley-go/volley/codec"
)

const (
	// spreadRate is how many connections a second come back to a server that takes over from this one, by default.
	spreadRate = 2000
	spreadMost = time.Minute
)

// ErrCut is wrapped by what Shutdown returns when connections had to be cut off.
var ErrCut = errors.New("netio: peers did not take their last bytes in time and were cut off")

var errGoingAway = &codec.Error{Code: codec.GoingAway, Reason: "the server shuts down"}

// drainSpread is the time over which conns connections are asked to come back.
func (c Config) drainSpread(conns int) time.Duration {
	switch {
	case c.DrainSpread < 0:
		return 0
	case c.DrainSpread > 0:
		return c.DrainSpread
	}
	return min(max(time.Duration(conns)*time.Second/spreadRate, time.Second), spreadMost)
}

// BeginDrain is the first half of Shutdown: it accepts no more and refuses the handshakes that are under way. Connections go on.
// Those that are told GoingAway from now on have until the deadline to take what was sent to them before.
func (e *Engine) BeginDrain(deadline time.Time) {
	e.drainBy.Store(int64(deadline.Sub(e.started)))
	e.mu.Lock()
	if e.isDown() {
		e.mu.Unlock()
		return
	}
	e.drainOver.Store(int64(e.cfg.drainSpread(int(e.totals.open.Load()))))
	close(e.stopping)
	for ln := range e.listeners {
		_ = ln.Close()
	}
	e.mu.Unlock()
	e.endNursery(false)
	e.eachConn(func(c *Conn) {
		if c.deadline.Load() != 0 && c.reason.Load() == nil { // it is in the handshake
			c.goAway()
		}
	})
}

// GoAway says GoingAway to the connections whose sessions ready agrees about, behind everything that was sent to them, and asks
// each for another delay before it comes back. ready must not block. It passes over connections that are busy at this moment:
// call it again. BeginDrain comes first.
func (e *Engine) GoAway(ready func(s Session) bool) {
	e.eachConn(func(c *Conn) {
		if c.reason.Load() != nil || !c.readMu.TryLock() {
			return
		}
		s := c.session
		c.unlockRead()
		if _, waits := s.(*awaited); s != nil && !waits && ready(s) {
			c.goAway()
		}
	})
}

// goAway ends a connection because the server ends.
func (c *Conn) goAway() {
	e := c.e
	n := e.goneAway.Add(1)
	c.closeBye(errGoingAway, bye{fairDelay(n, e.drainOver.Load()), e.cfg.DrainTo})
}

// stillTakes reports whether a connection that was told GoingAway has bytes on their way to the peer, in time, and the server
// memory for them. What the kernel has taken counts too: it drops that at the first byte that a peer sends to a closed socket.
func (c *Conn) stillTakes(now int64) bool {
	return errors.Is(*c.reason.Load(), errGoingAway) && now < c.e.drainBy.Load() && !c.e.budget.exceeded() &&
		(c.pending.Load() > 0 || c.unacked() > 0)
}

// fairDelay is the delay of the nth connection: the delays are spread evenly over span, and never 0, which would leave it to the
// peer.
func fairDelay(n uint64, span int64) time.Duration {
	if span <= 0 {
		return 0
	}
	return max(time.Duration(spread(n, span)), time.Millisecond)
}

// Shutdown stops accepting, says GoingAway to all connections and waits until they have gone, which they have until ctx ends;
// then they are cut off. All sessions have been told Closed when it returns nil; it returns ErrCut if it had to cut. Only the
// first call does something. It waits for calls of Open that have not returned.
func (e *Engine) Shutdown(ctx context.Context) error {
	if e.down.Swap(true) {
		return ErrClosed
	}
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(closeGrace)
	}
	e.BeginDrain(deadline)
	e.eachConn((*Conn).goAway)
	err := e.drain(ctx)
	if err != nil {
		e.eachConn(func(c *Conn) { c.cut(err) })
		e.endNursery(true)
		err = errors.Join(ErrCut, err)
	}
	for _, p := range e.allPages() {
		p.shutdown(ctx)
	}
	e.serving.Wait()
	e.nbio.Stop() // waits for its close callbacks
	e.stopGathering()
	close(e.done)
	e.background.Wait()
	return err
}

func (e *Engine) allPages() []*pageServer {
	e.mu.Lock()
	defer e.mu.Unlock()
	var pages []*pageServer
	for p := range e.pages {
		pages = append(pages, p)
	}
	return pages
}

// drain waits until no connection and no accepted socket is left, or ctx ends.
func (e *Engine) drain(ctx context.Context) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for e.totals.open.Load() > 0 || e.totals.handshakes.Load() > 0 {
		e.endNursery(false) // again and again: a handshake that is just beginning sets its own deadline
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// endNursery makes the sockets that are no Conn yet give up, or closes them.
func (e *Engine) endNursery(closeThem bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for nc := range e.nursery {
		_ = nc.SetDeadline(time.Unix(1, 0))
		if closeThem {
			_ = nc.Close()
		}
	}
}
